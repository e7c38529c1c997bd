package io.distributedlock;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaMethod;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import io.distributedlock.engine.LockEngine;
import org.jspecify.annotations.NullMarked;

import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.context.annotation.Bean;

import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.lang.conditions.ArchConditions.beFinal;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

/**
 * What may know what in the Spring layer, and the rules that Spring Boot has for its own
 * auto-configuration.
 */
@AnalyzeClasses(packages = "io.distributedlock", importOptions = DoNotIncludeTests.class)
class ArchitectureTests {

	@ArchTest
	static final ArchRule packagesHaveNoCycles = slices().matching("io.distributedlock.(**)").should().beFreeOfCycles();

	@ArchTest
	static final ArchRule coreAndStoresDoNotKnowTheSpringLayer = noClasses().that()
		.resideInAnyPackage("io.distributedlock", "io.distributedlock.engine..", "io.distributedlock.spi..",
				"io.distributedlock.store..", "io.distributedlock.test..")
		.should()
		.dependOnClassesThat()
		.resideInAnyPackage("io.distributedlock.spring..", "io.distributedlock.boot..", "org.springframework.boot..");

	@ArchTest
	static final ArchRule theAspectKnowsNeitherBootNorStores = noClasses().that()
		.resideInAPackage("io.distributedlock.spring..")
		.should()
		.dependOnClassesThat()
		.resideInAnyPackage("org.springframework.boot..", "io.distributedlock.boot..", "io.distributedlock.store..",
				"io.distributedlock.test..", "io.distributedlock.engine..", "io.distributedlock.spi..");

	@ArchTest
	static final ArchRule ofTheEngineOnlyItsEntryIsUsed = noClasses().that()
		.resideInAnyPackage("io.distributedlock.spring..", "io.distributedlock.boot..")
		.should()
		.dependOnClassesThat(describe("are in the engine but not LockEngine",
				(JavaClass type) -> type.getPackageName().equals(LockEngine.class.getPackageName())
						&& !type.getName().startsWith(LockEngine.class.getName())));

	@ArchTest
	static final ArchRule onlyTheirOwnPackagesKnowTheStores = noClasses().that()
		.resideInAnyPackage("io.distributedlock.spring..", "io.distributedlock.boot..")
		.and()
		.resideOutsideOfPackages("io.distributedlock.boot.autoconfigure.etcd..",
				"io.distributedlock.boot.autoconfigure.jdbc..", "io.distributedlock.boot.autoconfigure.memory..",
				"io.distributedlock.boot.autoconfigure.redis..", "io.distributedlock.boot.autoconfigure.redlock..",
				"io.distributedlock.boot.autoconfigure.zookeeper..")
		.should()
		.dependOnClassesThat()
		.resideInAnyPackage("io.distributedlock.store..", "io.distributedlock.test..", "org.springframework.data..",
				"io.etcd..", "org.apache.curator..", "org.apache.zookeeper..");

	@ArchTest
	static final ArchRule storesDoNotKnowEachOther = slices()
		.matching("io.distributedlock.boot.autoconfigure.(etcd|jdbc|memory|redis|redlock|zookeeper)..")
		.should()
		.notDependOnEachOther();

	@ArchTest
	static final ArchRule onlyRedisPackagesKnowSpringDataRedis = noClasses().that()
		.resideInAnyPackage("io.distributedlock.boot.autoconfigure.etcd..",
				"io.distributedlock.boot.autoconfigure.jdbc..", "io.distributedlock.boot.autoconfigure.memory..",
				"io.distributedlock.boot.autoconfigure.zookeeper..")
		.should()
		.dependOnClassesThat()
		.resideInAnyPackage("org.springframework.data..", "io.distributedlock.store.redis..");

	@ArchTest
	static final ArchRule mainCodeUsesNoTestLibraries = noClasses().that()
		.resideInAnyPackage("io.distributedlock.spring..", "io.distributedlock.boot..")
		.should()
		.dependOnClassesThat()
		.resideInAnyPackage("org.junit..", "org.assertj..", "org.awaitility..");

	@ArchTest
	static final ArchRule autoConfigurationsAreFinalAndNamedSo = classes().that()
		.areAnnotatedWith(AutoConfiguration.class)
		.should(beFinal())
		.andShould()
		.bePublic()
		.andShould()
		.haveSimpleNameEndingWith("AutoConfiguration");

	@ArchTest
	static final ArchRule autoConfigurationsHaveNoPublicMethods = methods().that()
		.areDeclaredInClassesThat()
		.areAnnotatedWith(AutoConfiguration.class)
		.should()
		.notBePublic();

	@ArchTest
	static final ArchRule beanMethodsReturnWhatIsAccessible = methods().that()
		.areAnnotatedWith(Bean.class)
		.should()
		.notBePrivate()
		.andShould(returnConcreteTypes());

	@ArchTest
	static final ArchRule classConditionsAreOnClasses = methods().that()
		.areAnnotatedWith(Bean.class)
		.should()
		.notBeAnnotatedWith(ConditionalOnClass.class);

	@ArchTest
	static final ArchRule postProcessorsAreStaticAndAskLate = methods().that()
		.areAnnotatedWith(Bean.class)
		.and()
		.haveRawReturnType(describe("a post-processor",
				(JavaClass type) -> type.isAssignableTo(BeanPostProcessor.class)
						|| type.isAssignableTo(BeanFactoryPostProcessor.class)))
		.should()
		.beStatic()
		.andShould(takeOnlyProviders());

	@ArchTest
	static final ArchRule packagesAreNullMarked = classes().that()
		.resideInAnyPackage("io.distributedlock.spring..", "io.distributedlock.boot..")
		.should(new ArchCondition<>("be in a @NullMarked package") {
			@Override
			public void check(JavaClass type, ConditionEvents events) {
				events.add(new SimpleConditionEvent(type, type.getPackage().isAnnotatedWith(NullMarked.class),
						type.getPackageName() + " is not @NullMarked"));
			}
		});

	private static ArchCondition<JavaMethod> returnConcreteTypes() {
		return new ArchCondition<>("return a type that is not hidden from conditions") {
			@Override
			public void check(JavaMethod method, ConditionEvents events) {
				events.add(new SimpleConditionEvent(method,
						!method.getRawReturnType().getModifiers().contains(JavaModifier.PRIVATE),
						method.getFullName() + " returns a private type"));
			}
		};
	}

	private static ArchCondition<JavaMethod> takeOnlyProviders() {
		return new ArchCondition<>("take only providers") {
			@Override
			public void check(JavaMethod method, ConditionEvents events) {
				boolean late = method.getRawParameterTypes()
					.stream()
					.allMatch((type) -> type.isEquivalentTo(ObjectProvider.class)
							|| type.isAssignableTo(BeanFactory.class));
				events.add(new SimpleConditionEvent(method, late, method.getFullName() + " takes beans too early"));
			}
		};
	}

}
