package io.distributedlock.test;

import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.platform.engine.discovery.MethodSelector;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;
import org.junit.platform.testkit.engine.Events;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

/**
 * A contract is worth what it catches: each planted bug must make the tests fail that are
 * there for it.
 */
class LockStoreContractCatchesBugsTests {

	@BeforeEach
	void doNotWaitLongForSignalsThatNeverCome() {
		Awaitility.setDefaultTimeout(Duration.ofMillis(200));
	}

	@AfterEach
	void waitAsLongAsUsual() {
		Awaitility.reset();
	}

	@ParameterizedTest
	@MethodSource("bugs")
	void aStoreWithThisBugFails(PlantedBug bug) {
		SpoiltStoreContract.bug = bug;
		MethodSelector[] selectors = bug.caughtBy()
			.stream()
			.map((name) -> selectMethod(SpoiltStoreContract.class, name))
			.toArray(MethodSelector[]::new);
		Events tests = EngineTestKit.engine("junit-jupiter").selectors(selectors).execute().testEvents();
		assertThat(names(tests.failed().stream())).isEqualTo(new TreeSet<>(bug.caughtBy()));
	}

	@Test
	void aStoreWithoutABugPasses() {
		waitAsLongAsUsual();
		SpoiltStoreContract.bug = null;
		Events tests = EngineTestKit.engine("junit-jupiter")
			.selectors(selectClass(SpoiltStoreContract.class))
			.execute()
			.testEvents();
		assertThat(names(tests.failed().stream())).isEmpty();
		assertThat(tests.skipped().count()).isZero();
		assertThat(tests.succeeded().count()).isGreaterThan(60);
	}

	@Test
	void aCapabilityWithoutItsSuiteFails() {
		Events tests = EngineTestKit.engine("junit-jupiter")
			.selectors(selectMethod(IncompleteContract.class, "everyCapabilityOfTheStoreIsTested"))
			.execute()
			.testEvents();
		assertThat(names(tests.failed().stream())).containsExactly("everyCapabilityOfTheStoreIsTested");
	}

	static Stream<PlantedBug> bugs() {
		return Stream.<PlantedBug[]>of(PlantedGrantBug.values(), PlantedQueueBug.values()).flatMap(Arrays::stream);
	}

	private static Set<String> names(Stream<Event> events) {
		return events.map((event) -> event.getTestDescriptor().getDisplayName().replaceAll("\\(.*", ""))
			.collect(Collectors.toCollection(TreeSet::new));
	}

}
