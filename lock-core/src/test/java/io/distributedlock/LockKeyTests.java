package io.distributedlock;

import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * Tests for {@link LockKey}.
 */
class LockKeyTests {

	@Test
	void plainNamesAndPartsStayReadable() {
		assertThat(LockKey.of("stock", 42).id()).isEqualTo("stock:42");
		assertThat(LockKey.of("nightly-job").id()).isEqualTo("nightly-job");
		assertThat(LockKey.of("OrderService.buy", "a_b", true, 'x', TimeUnit.DAYS).id())
			.isEqualTo("OrderService.buy:a_b:true:x:DAYS");
		UUID id = UUID.fromString("0b7c8ad9-98b9-4a9e-8e5e-3a1a0f5f3f10");
		assertThat(LockKey.of("n", id).parts()).containsExactly(id.toString());
	}

	@Test
	void howPartsAreSplitMatters() {
		assertThat(LockKey.of("n", "a", "b:c")).isNotEqualTo(LockKey.of("n", "a:b", "c"));
		assertThat(LockKey.of("n", "a:b")).isNotEqualTo(LockKey.of("n", "a", "b"));
		assertThat(LockKey.of("n:a", "b")).isNotEqualTo(LockKey.of("n", "a", "b"));
		assertThat(LockKey.of("n", "a%3Ab")).isNotEqualTo(LockKey.of("n", "a:b"));
		assertThat(LockKey.of("n", "a", "b")).isEqualTo(LockKey.of("n", "a", "b"))
			.hasSameHashCodeAs(LockKey.of("n", "a", "b"));
	}

	@Test
	void oddTextIsEncodedAndNeverCollides() {
		List<String> odd = List.of("{", "}", "{}", "}x", "a\r\nb", "\0", "..", "*", "~", "%", "%7E", "\u4e2d",
				"\ud83d\ude00", " x", "q:1");
		Set<String> ids = new HashSet<>();
		for (String text : odd) {
			String id = LockKey.of("n", text).id();
			assertThat(id).matches("[A-Za-z0-9._:%-]+");
			assertThat(ids.add(id)).as(text).isTrue();
		}
	}

	@Test
	void randomKeysAreEqualOnlyIfTheirPartsAre() {
		Random random = new Random(42);
		Set<List<String>> parts = new HashSet<>();
		Set<String> ids = new HashSet<>();
		String alphabet = "ab:%~{}\u00e9\n.";
		for (int i = 0; i < 50_000; i++) {
			String[] key = new String[1 + random.nextInt(3)];
			for (int j = 0; j < key.length; j++) {
				StringBuilder text = new StringBuilder("k");
				for (int k = random.nextInt(4); k > 0; k--) {
					text.append(alphabet.charAt(random.nextInt(alphabet.length())));
				}
				key[j] = text.toString();
			}
			LockKey made = LockKey.of("n", (Object[]) key);
			assertThat(ids.add(made.id())).isEqualTo(parts.add(List.of(key)));
			assertThat(made.parts()).containsExactly(key);
		}
	}

	@Test
	void partsAreGivenBackAsTheyCame() {
		assertThat(LockKey.of("nightly-job").parts()).isEmpty();
		assertThat(LockKey.of("a:b ~", "50 %", "\u4e2d\ud83d\ude00x", "a:b").parts()).containsExactly("50 %",
				"\u4e2d\ud83d\ude00x", "a:b");
		assertThat(LockKey.of("stock", "x".repeat(600), "y").parts()).containsExactly("x".repeat(600), "y");
	}

	@Test
	void longKeysAreHashedWithinTheLimitAndStayDifferent() {
		LockKey first = LockKey.of("stock", "x".repeat(600));
		LockKey second = LockKey.of("stock", "x".repeat(601));
		assertThat(first.id()).startsWith("stock:~").hasSize("stock:~".length() + 64);
		assertThat(second.id()).isNotEqualTo(first.id());
		assertThat(LockKey.of("stock", first.id().substring(6))).isNotEqualTo(first);
		assertThat(LockKey.of("\u4e2d".repeat(LockKey.MAX_NAME_LENGTH), 1).id().length())
			.isLessThanOrEqualTo(LockKey.MAX_ID_LENGTH);
		assertThat(LockKey.of("n", "x".repeat(510)).id()).hasSize(512).doesNotContain("~");
	}

	@Test
	void unusableKeysAreRefusedWithTheReason() {
		assertThatIllegalArgumentException().isThrownBy(() -> LockKey.of(" ")).withMessageContaining("name is blank");
		assertThatIllegalArgumentException().isThrownBy(() -> LockKey.of("x".repeat(129)))
			.withMessageContaining("at most 128");
		assertThatIllegalArgumentException().isThrownBy(() -> LockKey.of("stock", "a", null))
			.withMessageContaining("Part 2 of the key of lock 'stock' is null");
		assertThatIllegalArgumentException().isThrownBy(() -> LockKey.of("stock", "  "))
			.withMessageContaining("Part 1")
			.withMessageContaining("blank");
		assertThatIllegalArgumentException().isThrownBy(() -> LockKey.of("stock", new Object()))
			.withMessageContaining("java.lang.Object");
		assertThatIllegalArgumentException().isThrownBy(() -> LockKey.of("stock", "\ud83d"))
			.withMessageContaining("surrogate");
	}

}
