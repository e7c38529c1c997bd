package io.distributedlock.store.jdbc;

import java.time.Clock;
import java.time.Instant;
import java.util.Date;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

class ArchitectureTests {

	private final JavaClasses main = new ClassFileImporter().withImportOption(new ImportOption.DoNotIncludeTests())
		.importPackages("io.distributedlock.store.jdbc");

	@Test
	void onlyTheStoreIsPublic() {
		classes().that().arePublic().and().areTopLevelClasses().should().be(JdbcLockStore.class).check(this.main);
	}

	@Test
	void storeKnowsNothingOfSpringBootNorOfTheEngine() {
		noClasses().should()
			.dependOnClassesThat()
			.resideInAnyPackage("org.springframework.boot..", "io.distributedlock.engine..")
			.check(this.main);
	}

	@Test
	void driverOfPostgresIsNeededOnlyWhereItListensOrIsAskedForItsMode() {
		noClasses().that()
			.haveNameNotMatching(".*\\.Postgres(Listener|Driver)(\\$.*)?")
			.should()
			.dependOnClassesThat()
			.resideInAnyPackage("org.postgresql..")
			.check(this.main);
	}

	@Test
	void neitherSpringNorAPoolIsNeeded() {
		noClasses().should()
			.dependOnClassesThat()
			.resideInAnyPackage("org.springframework..", "com.zaxxer..")
			.check(this.main);
	}

	@Test
	void packageIsNullMarked() {
		assertThat(JdbcLockStore.class.getPackage().isAnnotationPresent(NullMarked.class)).isTrue();
	}

	@Test
	void nothingDependsOnTheTimeOfDayOfThisHost() {
		noClasses().should()
			.callMethod(System.class, "currentTimeMillis")
			.orShould()
			.callMethod(Instant.class, "now")
			.orShould()
			.callMethod(Clock.class, "systemUTC")
			.orShould()
			.callConstructor(Date.class)
			.check(this.main);
	}

}
