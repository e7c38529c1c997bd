package io.distributedlock.benchmarks;

import java.time.Duration;
import java.util.List;

import io.distributedlock.benchmarks.peer.Address;
import io.distributedlock.benchmarks.peer.Backend;
import io.distributedlock.benchmarks.peer.Peer;
import io.distributedlock.benchmarks.scenario.Scenario;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

class OptionsTests {

	@Test
	void optionsChangeAPreset() {
		Options options = Options.parse("full",
				List.of("--scenario", "own-1,hot-32", "--peers", "raw,ours", "--cs", "0,100us,5ms", "--rounds", "7",
						"--warmup", "250ms", "--seconds", "1.5", "--server", "10.0.0.1:6380", "--worker-jvm",
						"-Xint -Xmx2g"));

		assertThat(options.plans()).singleElement().satisfies((plan) -> {
			assertThat(plan.scenarios()).extracting(Scenario::name).containsExactly("own-1", "hot-32");
			assertThat(plan.peers()).extracting(Peer::name).containsExactly("raw", "ours");
			assertThat(plan.sections()).containsExactly(Duration.ZERO, Duration.ofNanos(100_000), Duration.ofMillis(5));
			assertThat(plan.rounds()).isEqualTo(7);
			assertThat(plan.warmUp()).isEqualTo(Duration.ofMillis(250));
			assertThat(plan.measured()).isEqualTo(Duration.ofMillis(1500));
		});
		assertThat(options.server()).isEqualTo(new Address("10.0.0.1", 6380));
		assertThat(options.jvmArguments()).containsExactly("-Xint", "-Xmx2g");
	}

	@Test
	void aScenarioIsMeasuredAsThePlansOfThePresetSay() {
		List<Plan> plans = Options.parse("goals", List.of("--scenario", "hot-3x8")).plans();

		assertThat(plans).hasSize(3).allSatisfy((plan) -> {
			assertThat(plan.scenarios()).extracting(Scenario::name).containsExactly("hot-3x8");
		});
	}

	@Test
	void aScenarioIsMeasuredOnceForPeersThatAreGiven() {
		List<Plan> plans = Options.parse("goals", List.of("--scenario", "own-64", "--peers", "raw,ours")).plans();

		assertThat(plans).singleElement().satisfies((plan) -> {
			assertThat(plan.scenarios()).extracting(Scenario::name).containsExactly("own-64");
			assertThat(plan.peers()).extracting(Peer::name).containsExactly("raw", "ours");
			assertThat(plan.rounds()).isEqualTo(5);
		});
	}

	@Test
	void aScenarioThatThePresetDoesNotHaveIsMeasuredLikeTheFirstOfThose() {
		List<Plan> plans = Options.parse("goals", List.of("--scenario", "own-16")).plans();

		assertThat(plans).singleElement()
			.satisfies((plan) -> assertThat(plan.scenarios()).extracting(Scenario::name).containsExactly("own-16"));
	}

	@Test
	void storesAreMeasuredWithAllKindsOfServersInTheSameScenarios() {
		assertThat(Options.parse("stores", List.of()).plans()).singleElement().satisfies((plan) -> {
			assertThat(plan.scenarios()).extracting(Scenario::name).containsExactly("own-1", "own-16", "hot-32");
			assertThat(plan.peers()).extracting(Peer::backend)
				.contains(Backend.REDIS, Backend.POSTGRES, Backend.ETCD, Backend.ZOOKEEPER, Backend.MEMORY);
		});
	}

	@Test
	void mistakesAreToldWithWhatThereIs() {
		assertThatIllegalArgumentException().isThrownBy(() -> Options.parse("full", List.of("--peers", "redison")))
			.withMessageContaining("redison")
			.withMessageContaining("redisson");
		assertThatIllegalArgumentException().isThrownBy(() -> Options.parse("full", List.of("--scenario", "own-2")))
			.withMessageContaining("own-1");
		assertThatIllegalArgumentException().isThrownBy(() -> Options.parse("full", List.of("--round", "2")))
			.withMessageContaining("--round");
		assertThatIllegalArgumentException().isThrownBy(() -> Options.parse("full", List.of("--rounds")))
			.withMessageContaining("--rounds");
		assertThatIllegalArgumentException().isThrownBy(() -> Options.parse("all", List.of()))
			.withMessageContaining("all");
	}

	@Test
	void everyScenarioSuitsThisLibraryAndAtLeastOnePeer() {
		Plan plan = Options.parse("full", List.of()).plans().get(0);

		// One needs virtual threads.
		assertThat(plan.scenarios())
			.filteredOn((scenario) -> !scenario.name().startsWith("virtual") || Runtime.version().feature() >= 21)
			.allSatisfy((scenario) -> {
				assertThat(plan.peers())
					.anyMatch((peer) -> peer.role() == Peer.Role.OURS && scenario.suits(peer, Duration.ZERO));
				// The flash sale compares with and without shedding, which no peer has.
				assertThat(plan.peers())
					.anyMatch((peer) -> (peer.role() == Peer.Role.PEER || scenario.name().equals("flash-sale"))
							&& scenario.suits(peer, Duration.ZERO));
			});
	}

}
