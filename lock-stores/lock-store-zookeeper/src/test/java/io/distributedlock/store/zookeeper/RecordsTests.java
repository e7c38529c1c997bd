package io.distributedlock.store.zookeeper;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.Test;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.zookeeper.WaitRecord.Entry;
import io.distributedlock.store.zookeeper.WaitRecord.State;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

/**
 * Names and contents of nodes.
 */
class RecordsTests {

	private static final long ELECTION = 1L << 32;

	private final AttemptId attempt = AttemptId.random();

	private static Stat modified(long zxid) {
		Stat stat = new Stat();
		stat.setMzxid(zxid);
		return stat;
	}

	private static byte[] ascii(String text) {
		return text.getBytes(StandardCharsets.US_ASCII);
	}

	private Entry entry(String instance) {
		return new Entry(instance, AttemptId.random(), instance + ".1", 1000, 0);
	}

	@Test
	void tokensOfAFreshGrantComeFromTheTransactionThatMadeIt() {
		byte[] data = HeldRecord.fresh(this.attempt, "jvm-1", "jvm-1.x", Duration.ofSeconds(30), 10);
		HeldRecord record = HeldRecord.parse(data, modified(5 * ELECTION + 7));
		long first = (5 * ELECTION + 7) * 64;
		assertThat(record)
			.isEqualTo(new HeldRecord(this.attempt, "jvm-1", "jvm-1.x", Duration.ofSeconds(30), first, 10, first + 9));
	}

	@Test
	void aFurtherBlockComesFromTheTransactionThatWroteIt() {
		HeldRecord fresh = HeldRecord
			.parse(HeldRecord.fresh(this.attempt, "jvm-1", "jvm-1.x", Duration.ofSeconds(30), 10), modified(100));
		HeldRecord extended = HeldRecord.parse(fresh.extended(Duration.ofSeconds(20), 3), modified(105));
		assertThat(extended.first()).isEqualTo(6400);
		assertThat(extended.size()).isEqualTo(10);
		assertThat(extended.last()).isEqualTo(105 * 64 + 2);
		assertThat(extended.ttl()).isEqualTo(Duration.ofSeconds(20));
	}

	@Test
	void tokensStayBelowTheirLimitForMoreThanThirtyThousandElections() {
		assertThat(HeldRecord.token(32_767 * ELECTION)).isLessThan((1L << 53) - 64);
		assertThatIllegalStateException().isThrownBy(() -> HeldRecord.token(32_768 * ELECTION))
			.withMessageContaining("32768 elections");
		assertThatIllegalStateException().isThrownBy(() -> HeldRecord.token(Long.MAX_VALUE));
	}

	@Test
	void aQueueIsReadAsItWasWritten() {
		WaitRecord queue = WaitRecord.EMPTY.with(entry("jvm-1")).with(entry("jvm-2"));
		assertThat(WaitRecord.parse(queue.bytes(), modified(1))).isEqualTo(queue);
		WaitRecord reserved = queue.reserved(queue.queue().get(0), Duration.ofSeconds(1));
		assertThat(WaitRecord.parse(reserved.bytes(), modified(1))).isEqualTo(reserved);
		WaitRecord cooling = queue.cooling(Duration.ofMinutes(5));
		assertThat(WaitRecord.parse(cooling.bytes(), modified(1))).isEqualTo(cooling);
		assertThat(WaitRecord.parse(WaitRecord.EMPTY.bytes(), modified(1))).isEqualTo(WaitRecord.EMPTY);
	}

	@Test
	void aWaiterHasComeWhenZooKeeperWroteIt() {
		WaitRecord queue = WaitRecord.EMPTY.with(new Entry("jvm-1", this.attempt, "jvm-1.x", 0, 0));
		Stat stat = modified(1);
		stat.setMtime(1234);
		WaitRecord read = WaitRecord.parse(queue.bytes(), stat);
		assertThat(read.queue()).singleElement().extracting(Entry::since).isEqualTo(1234L);
		stat.setMtime(5678);
		assertThat(WaitRecord.parse(read.bytes(), stat)).isEqualTo(read);
	}

	@Test
	void aJvmKeepsItsPlaceWithANewerAttempt() {
		WaitRecord queue = WaitRecord.EMPTY.with(entry("jvm-1")).with(entry("jvm-2"));
		Entry newer = entry("jvm-1");
		List<Entry> entries = queue.with(newer).queue();
		assertThat(entries).extracting(Entry::instance).containsExactly("jvm-1", "jvm-2");
		assertThat(entries.get(0).attempt()).isEqualTo(newer.attempt());
		assertThat(entries.get(0).refreshed()).isEqualTo(1);
	}

	@Test
	void aReservationTakesTheWaiterOutOfTheQueue() {
		WaitRecord queue = WaitRecord.EMPTY.with(entry("jvm-1")).with(entry("jvm-2"));
		Entry first = queue.queue().get(0);
		WaitRecord reserved = queue.reserved(first, Duration.ofSeconds(1));
		assertThat(reserved.state()).isEqualTo(State.RESERVED);
		assertThat(reserved.isReservedFor(first.attempt())).isTrue();
		assertThat(reserved.queue()).extracting(Entry::instance).containsExactly("jvm-2");
		assertThat(reserved.released().isReservedFor(first.attempt())).isFalse();
	}

	@Test
	void whatANewerVersionWroteAndWhatOthersWroteAreToldApart() {
		assertThatExceptionOfType(StoreException.class)
			.isThrownBy(() -> WaitRecord.parse(ascii("3 NONE 0 -\n"), modified(1)))
			.withMessageContaining("Finish the upgrade");
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> HeldRecord.parse(ascii("hello"), modified(1)))
			.withMessageContaining("delete the node");
	}

	@Test
	void everyKeyHasANodeOfItsOwn() {
		assertThat(Layout.node(LockKey.of(".").id())).isEqualTo("%2E");
		assertThat(Layout.node(LockKey.of("..").id())).isEqualTo("%2E%2E");
		assertThat(Layout.node(LockKey.of("stock", ".").id())).isEqualTo("stock:.");
		assertThat(LockKey.of("%2E").id()).isNotEqualTo("%2E");
		for (String id : List.of(".", "..", "stock:42")) {
			assertThat(Layout.keyId(Layout.node(id))).isEqualTo(id);
		}
	}

	@Test
	void keysAreSpreadOverTheBuckets() {
		int[] sizes = new int[Layout.BUCKETS];
		for (int i = 0; i < 25_600; i++) {
			sizes[Layout.bucket(LockKey.of("order", i).id())]++;
		}
		for (int size : sizes) {
			assertThat(size).isBetween(30, 300);
		}
	}

	@Test
	void namespacesAreCheckedBeforeTheyAreUsed() {
		Layout nested = new Layout("apps/shop/locks");
		assertThat(nested.parents()).containsExactly("/apps", "/apps/shop", "/apps/shop/locks", "/apps/shop/locks/held",
				"/apps/shop/locks/wait", "/apps/shop/locks/jvm");
		for (String bad : List.of("", "/locks", "locks/", "a//b", "..", "a/../b", "zookeeper", "a b", "l\u00f6cks")) {
			assertThatIllegalArgumentException().as(bad)
				.isThrownBy(() -> new Layout(bad))
				.withMessageContaining("such as distributed-lock");
		}
	}

}
