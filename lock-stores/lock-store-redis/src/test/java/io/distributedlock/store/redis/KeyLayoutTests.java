package io.distributedlock.store.redis;

import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * Rule R2. Instances of different versions meet in these keys: a change here is a change
 * of the protocol.
 */
class KeyLayoutTests {

	private final KeyLayout single = new KeyLayout("lock:", false);

	private final KeyLayout cluster = new KeyLayout("lock:", true);

	@Test
	void typeComesBeforeTheUsersPart() {
		assertThat(Ascii.text(this.single.record("stock:42"))).isEqualTo("lock:l:stock:42");
		assertThat(Ascii.text(this.single.queue("stock:42"))).isEqualTo("lock:q:stock:42");
		assertThat(Ascii.text(this.single.entries("stock:42"))).isEqualTo("lock:e:stock:42");
		assertThat(Ascii.text(this.single.mark(0))).isEqualTo("lock:mark");
		assertThat(Ascii.text(this.single.channel("jvm-1"))).isEqualTo("lock:i:jvm-1");
	}

	@Test
	void inAClusterAllKeysOfALockCarryItsBucket() {
		int bucket = this.cluster.bucket("stock:42");
		assertThat(bucket).isEqualTo(99);
		assertThat(Ascii.text(this.cluster.record("stock:42"))).isEqualTo("lock:{b99}:l:stock:42");
		assertThat(Ascii.text(this.cluster.queue("stock:42"))).isEqualTo("lock:{b99}:q:stock:42");
		assertThat(Ascii.text(this.cluster.entries("stock:42"))).isEqualTo("lock:{b99}:e:stock:42");
		assertThat(Ascii.text(this.cluster.mark(bucket))).isEqualTo("lock:{b99}:mark");
	}

	@Test
	void idBeginsWhereTheScriptsThink() {
		for (KeyLayout layout : List.of(this.single, this.cluster)) {
			int bucket = layout.bucket("stock:42");
			int offset = Integer.parseInt(Ascii.text(layout.idOffset(bucket)));
			assertThat(Ascii.text(layout.record("stock:42")).substring(offset - 1)).isEqualTo("stock:42");
		}
	}

	@Test
	void numberedKeysSpreadOverTheBuckets() {
		int[] used = new int[KeyLayout.BUCKETS];
		for (int i = 0; i < 100_000; i++) {
			used[this.cluster.bucket("stock:" + i)]++;
		}
		List<Integer> counts = new ArrayList<>();
		for (int count : used) {
			counts.add(count);
		}
		assertThat(counts).allMatch((count) -> count > 0 && count < 500);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "a b", "{tag}", "a*", "schlüssel:", "[x]", "a?" })
	void prefixThatWouldSplitSlotsOrPatternsIsRefused(String prefix) {
		assertThatIllegalArgumentException().isThrownBy(() -> new KeyLayout(prefix, false))
			.withMessageContaining("such as \"lock:\"");
	}

}
