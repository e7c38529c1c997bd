package io.distributedlock.test;

import java.util.ArrayList;
import java.util.List;

import io.distributedlock.engine.LockEngine;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Money that moves between accounts over three engines and one server, under locks of
 * every kind that are taken together.
 */
class TransferRaceTests {

	private final InMemoryLockServer server = InMemoryLockServer.create();

	private final List<LockEngine> engines = new ArrayList<>();

	@AfterEach
	void close() {
		this.engines.forEach(LockEngine::close);
	}

	@Test
	void withoutACommonServerTheRaceSeesThatNothingIsLocked() {
		for (int i = 0; i < 3; i++) {
			this.engines.add(LockEngine.builder().store(InMemoryLockServer.create().connect("jvm-" + i)).build());
		}
		TransferRace race = new TransferRace(this.engines);
		assertThatExceptionOfType(AssertionError.class).isThrownBy(() -> race.run(1000));
	}

	@Test
	void noMoneyIsLostAndReadersSeeAllOfIt() throws Exception {
		for (int i = 0; i < 3; i++) {
			this.engines.add(LockEngine.builder().store(this.server.connect("jvm-" + i)).build());
		}
		TransferRace race = new TransferRace(this.engines);
		race.run(40);
		assertThat(race.done()).isGreaterThanOrEqualTo(3 * 6 * 40);
		await().untilAsserted(() -> assertThat(this.server.size()).isZero());
		assertThat(this.engines).allSatisfy((engine) -> {
			assertThat(engine.held()).isEmpty();
			assertThat(engine.waiting()).isEmpty();
		});
	}

}
