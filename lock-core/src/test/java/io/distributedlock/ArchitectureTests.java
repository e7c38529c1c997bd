package io.distributedlock;

import java.time.Instant;

import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

/**
 * What may know what in the core.
 */
@AnalyzeClasses(packages = "io.distributedlock", importOptions = DoNotIncludeTests.class)
class ArchitectureTests {

	@ArchTest
	static final ArchRule theCoreKnowsOnlyTheJdkAndItsLogger = classes().should()
		.onlyDependOnClassesThat()
		.resideInAnyPackage("java..", "org.slf4j..", "org.jspecify..", "io.distributedlock..");

	@ArchTest
	static final ArchRule packagesHaveNoCycles = slices().matching("io.distributedlock.(**)").should().beFreeOfCycles();

	@ArchTest
	static final ArchRule theApiKnowsNeitherStoresNorEngine = noClasses().that()
		.resideInAPackage("io.distributedlock")
		.should()
		.dependOnClassesThat()
		.resideInAnyPackage("io.distributedlock.spi..", "io.distributedlock.engine..");

	@ArchTest
	static final ArchRule theSpiDoesNotKnowTheEngine = noClasses().that()
		.resideInAPackage("io.distributedlock.spi..")
		.should()
		.dependOnClassesThat()
		.resideInAPackage("io.distributedlock.engine..");

	@ArchTest
	static final ArchRule onlyTheEngineItselfIsPublicInItsPackage = classes().that()
		.resideInAPackage("io.distributedlock.engine..")
		.and()
		.doNotHaveSimpleName("LockEngine")
		.and()
		.areTopLevelClasses()
		.should()
		.bePackagePrivate();

	@ArchTest
	static final ArchRule deadlinesAreMonotonic = noClasses().should()
		.callMethod(System.class, "currentTimeMillis")
		.orShould()
		.callMethod(Instant.class, "now");

}
