package io.distributedlock.spring.cache;

import java.lang.reflect.Field;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Collection;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

import org.springframework.cache.interceptor.SimpleKey;
import org.springframework.util.ObjectUtils;
import org.springframework.util.ReflectionUtils;

/**
 * Text of a cache's key, the same in every instance. It is what {@code toString} says, as
 * in Spring Data Redis, of each element in keys that have several.
 * <p>
 * Two keys may have one text: then they share a lock, which costs some waiting and
 * nothing else. One key must not have two, as it would with {@link Object#toString()},
 * whose text differs from instance to instance.
 */
final class CacheKeyText {

	/** Null if a later version of Spring has no such field. */
	private static final @Nullable Field ELEMENTS = elements();

	private CacheKeyText() {
	}

	private static @Nullable Field elements() {
		Field field = ReflectionUtils.findField(SimpleKey.class, "params", Object[].class);
		if (field != null) {
			ReflectionUtils.makeAccessible(field);
		}
		return field;
	}

	/**
	 * Returns the text of a key.
	 * @param cache name of the cache, for the message
	 * @throws IllegalArgumentException if the key, or something in it, has no text of its
	 * own
	 */
	static String of(String cache, Object key) {
		return text(cache, key);
	}

	private static String text(String cache, @Nullable Object key) {
		if (key == null) {
			return "null";
		}
		if (key instanceof SimpleKey && ELEMENTS != null) {
			return text(cache, ReflectionUtils.getField(ELEMENTS, key));
		}
		if (key.getClass().isArray()) {
			return text(cache, Arrays.asList(ObjectUtils.toObjectArray(key)));
		}
		if (key instanceof Map<?, ?> map) {
			return sorted(cache, map.entrySet());
		}
		if (key instanceof Map.Entry<?, ?> entry) {
			return text(cache, entry.getKey()) + "=" + text(cache, entry.getValue());
		}
		if (key instanceof Set<?> set) {
			return sorted(cache, set);
		}
		if (key instanceof Collection<?> several) {
			return several.stream().map((element) -> text(cache, element)).collect(Collectors.joining(",", "[", "]"));
		}
		if (key.getClass().isRecord()) {
			return record(cache, key);
		}
		if (!hasTextOfItsOwn(key.getClass())) {
			throw new IllegalArgumentException("Cache '" + cache + "': a key of type " + key.getClass().getName()
					+ " has no text that is the same in all instances, so there can be no lock for it. Override its"
					+ " toString(), or give a simpler key, as in @Cacheable(key = \"#order.id\").");
		}
		return key.toString();
	}

	private static String sorted(String cache, Collection<?> unordered) {
		return unordered.stream()
			.map((element) -> text(cache, element))
			.sorted()
			.collect(Collectors.joining(",", "{", "}"));
	}

	/** A record without a toString of its own says what its components say. */
	private static String record(String cache, Object key) {
		StringBuilder text = new StringBuilder("(");
		for (var component : key.getClass().getRecordComponents()) {
			Method accessor = component.getAccessor();
			ReflectionUtils.makeAccessible(accessor);
			text.append(text(cache, ReflectionUtils.invokeMethod(accessor, key))).append(',');
		}
		return text.append(')').toString();
	}

	private static boolean hasTextOfItsOwn(Class<?> type) {
		Method method = ReflectionUtils.findMethod(type, "toString");
		return method != null && method.getDeclaringClass() != Object.class;
	}

}
