package io.distributedlock.store.etcd;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.KeyValue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * What is written to etcd, and what can be configured.
 */
class LayoutTests {

	private final AttemptId attempt = AttemptId.random();

	@Test
	void everyKeyIsBelowThePrefix() {
		KeyLayout layout = new KeyLayout("/shop/");
		assertThat(KeyLayout.text(layout.record("stock:42"))).isEqualTo("/shop/l/stock:42");
		assertThat(KeyLayout.text(layout.entry("stock:42", "jvm-1"))).isEqualTo("/shop/q/stock:42/jvm-1");
		assertThat(KeyLayout.text(layout.message("jvm-1", 7))).isEqualTo("/shop/i/jvm-1/s7");
		assertThat(KeyLayout.text(layout.marker("jvm-1", 255))).isEqualTo("/shop/i/jvm-1/mff");
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "with blank/", "umlaut\u00e4/", "line\n/" })
	void aPrefixThatCouldBeMisreadIsRefused(String prefix) {
		assertThatIllegalArgumentException().isThrownBy(() -> new KeyLayout(prefix))
			.withMessageContaining("/distributed-lock/");
	}

	@Test
	void aGrantKnowsItsTokensFromTheRevisionsOfItsWrites() {
		LockRecord first = written(LockRecord.held(this.attempt, "jvm-1", Duration.ofSeconds(30), 5), 1000);
		assertThat(first.firstToken()).isEqualTo(1000 * 1024);
		assertThat(first.lastToken()).isEqualTo(1000 * 1024 + 4);
		LockRecord marked = written(first.withQueue(), 1001);
		assertThat(marked.contended()).isTrue();
		assertThat(marked.firstToken()).isEqualTo(1000 * 1024);
		LockRecord extended = written(marked.extended(Duration.ofSeconds(30), 10), 1002);
		assertThat(extended.firstToken()).isEqualTo(1000 * 1024);
		assertThat(extended.lastFirstToken()).isEqualTo(1002 * 1024);
		assertThat(extended.lastToken()).isEqualTo(1002 * 1024 + 9);
		assertThat(extended.contended()).isFalse();
		LockRecord renewed = written(extended.renewed(Duration.ofSeconds(60)), 1003);
		assertThat(renewed.lastToken()).isEqualTo(1002 * 1024 + 9);
		assertThat(renewed.hasToken(1000 * 1024)).isTrue();
		assertThat(renewed.hasToken(1000 * 1024 - 1)).isFalse();
		assertThat(renewed.hasToken(1002 * 1024 + 10)).isFalse();
		assertThat(renewed.isHeldBy(this.attempt)).isTrue();
		assertThat(renewed.isHeldBy(AttemptId.random())).isFalse();
	}

	@Test
	void reservationsAndCoolingsHaveNoTokens() {
		QueueEntry entry = new QueueEntry(KeyLayout.bytes("key"), this.attempt, "jvm-2", Instant.now(),
				QueueEntry.Kind.JVM, 0, 0, 5, 5, 7);
		LockRecord reserved = written(LockRecord.reserved(entry, Duration.ofSeconds(1)), 9);
		assertThat(reserved.isReservedFor(this.attempt)).isTrue();
		assertThat(reserved.hasToken(0)).isFalse();
		LockRecord cooling = written(LockRecord.cooling(this.attempt, Duration.ofSeconds(5)), 9);
		assertThat(cooling.state()).isEqualTo(LockRecord.State.COOLING);
		assertThat(cooling.instance()).isEmpty();
		assertThat(cooling.isCoolingAfter(this.attempt)).isTrue();
		assertThat(cooling.isHeldBy(this.attempt)).isFalse();
		assertThat(cooling.isReservedFor(this.attempt)).isFalse();
		assertThat(cooling.time()).isEqualTo(Duration.ofSeconds(5));
		assertThat(cooling.hasToken(0)).isFalse();
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "2 HELD", "1 HELD x jvm 1 0 0 1 0 1", "1 OTHER - - 1 0 0 1 0 1", "mine" })
	void whatIsNoRecordIsRefusedByName(String text) {
		KeyValue stored = stored(KeyLayout.bytes(text), 1);
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> LockRecord.decode(stored))
			.withMessageContaining("some-key");
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> QueueEntry.decode(stored))
			.withMessageContaining("some-key");
	}

	@Test
	void settingsThatCannotWorkAreRefusedWithAdvice() {
		try (Client client = Client.builder().endpoints("http://127.0.0.1:1").build()) {
			EtcdLockStore.Builder builder = EtcdLockStore.builder(client);
			assertThatIllegalArgumentException().isThrownBy(() -> builder.instanceId("a/b"))
				.withMessageContaining("letters, digits, dots, hyphens and underscores");
			assertThatIllegalArgumentException().isThrownBy(() -> builder.reservation(Duration.ZERO))
				.withMessageContaining("reservation")
				.withMessageContaining("at least 10 ms");
			assertThatIllegalArgumentException().isThrownBy(() -> builder.queueEntryTtl(Duration.ofMillis(-1)));
			assertThatIllegalArgumentException().isThrownBy(() -> builder.commandTimeout(Duration.ofMillis(9)));
			assertThatIllegalArgumentException().isThrownBy(() -> builder.leaseIdleTime(Duration.ZERO));
			assertThatIllegalArgumentException().isThrownBy(() -> builder.prefix(" ").build());
			try (EtcdLockStore store = EtcdLockStore.builder(client)
				.name("orders")
				.endpoints(List.of("http://etcd-1:2379"))
				.reservation(Duration.ofMillis(1500))
				.build()) {
				assertThat(store.name()).isEqualTo("orders");
				assertThat(store.reservation()).isEqualTo(Duration.ofMillis(1500));
				assertThat(store.instanceId()).matches("[A-Za-z0-9._-]+");
				assertThat(store).hasToString("EtcdLockStore orders at http://etcd-1:2379");
			}
		}
	}

	@Test
	void theWheelEndsThingsInTimeHoweverOftenTheyAreMoved() {
		Random random = new Random(7);
		long now = random.nextLong() / 2;
		Wheel wheel = new Wheel(now);
		List<Item> items = new ArrayList<>();
		for (int i = 0; i < 500; i++) {
			Item item = new Item();
			item.end = now + random.nextLong(30_000_000_000L);
			wheel.watch(item);
			items.add(item);
		}
		long last = now;
		while (items.stream().anyMatch((item) -> item.endedAt == 0)) {
			now += random.nextLong(100_000_000);
			Item moved = items.get(random.nextInt(items.size()));
			if (moved.endedAt == 0 && now - last < 20_000_000_000L) {
				moved.end = Math.max(moved.end, now) + random.nextLong(1_000_000_000);
			}
			long moment = now;
			for (Wheel.Entry entry : wheel.turn(now)) {
				Item item = (Item) entry;
				assertThat(item.endedAt).as("ended once").isZero();
				assertThat(moment - item.end).isBetween(0L, 100_000_000 + 2 * Wheel.TICK);
				item.endedAt = moment;
			}
		}
		assertThat(wheel.turn(now + 60_000_000_000L)).isEmpty();
	}

	@Test
	void theWheelForgetsWhatItIsToldToForget() {
		Wheel wheel = new Wheel(0);
		Item item = new Item();
		item.end = Wheel.TICK * 3;
		wheel.watch(item);
		wheel.forget(item);
		assertThat(wheel.turn(Wheel.TICK * 10)).isEmpty();
	}

	private static LockRecord written(LockRecord record, long revision) {
		return LockRecord.decode(stored(record.encode(), revision));
	}

	private static KeyValue stored(ByteSequence value, long revision) {
		return new KeyValue(io.etcd.jetcd.api.KeyValue.newBuilder()
			.setKey(com.google.protobuf.ByteString.copyFromUtf8("some-key"))
			.setValue(com.google.protobuf.ByteString.copyFrom(value.getBytes()))
			.setModRevision(revision)
			.build(), ByteSequence.EMPTY);
	}

	/**
	 * Something with an end.
	 */
	private static final class Item extends Wheel.Entry {

		private long end;

		private long endedAt;

		@Override
		long endsAt() {
			return this.end;
		}

		@Override
		void ended() {
			throw new AssertionError("Only the turn is tested");
		}

	}

}
