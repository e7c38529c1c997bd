package io.distributedlock.spring.cache;

import java.time.LocalDate;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import org.junit.jupiter.api.Test;

import org.springframework.cache.interceptor.SimpleKey;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * Tests for {@link CacheKeyText}.
 */
class CacheKeyTextTests {

	@Test
	void simpleKeysAreWhatTheySay() {
		assertThat(text("42")).isEqualTo("42");
		assertThat(text(42L)).isEqualTo("42");
		assertThat(text(LocalDate.of(2026, 1, 2))).isEqualTo("2026-01-02");
	}

	@Test
	void keysOfSeveralElementsAreWhatTheirElementsSay() {
		assertThat(text(SimpleKey.EMPTY)).isEqualTo("[]");
		assertThat(text(new SimpleKey("a", new int[] { 1, 2 }, null))).isEqualTo("[a,[1,2],null]");
		assertThat(text(List.of("a", List.of(1)))).isEqualTo("[a,[1]]");
		assertThat(text(new Isbn("a", new String[] { "b" }))).isEqualTo("(a,[b],)");
	}

	@Test
	void orderOfSetsAndMapsDoesNotMatter() {
		assertThat(text(new LinkedHashSet<>(List.of("b", "a")))).isEqualTo(text(Set.of("a", "b")));
		assertThat(text(Map.of("b", 1, "a", 2))).isEqualTo("{a=2,b=1}");
	}

	@Test
	void keyWhoseTextDiffersFromInstanceToInstanceIsRefused() {
		for (Object key : new Object[] { new Object(), List.of(new Object()), new SimpleKey("a", new Object()),
				new Object[] { new Object() }, new Isbn(new Object(), null), Map.of("a", new Object()) }) {
			assertThatIllegalArgumentException().isThrownBy(() -> text(key))
				.withMessageContaining("Cache 'books'")
				.withMessageContaining("java.lang.Object")
				.withMessageContaining("toString()");
		}
	}

	private static String text(Object key) {
		return CacheKeyText.of("books", key);
	}

	private record Isbn(Object group, Object publisher) {
	}

}
