package io.distributedlock.spring;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.regex.Pattern;

import io.distributedlock.LockKey;
import io.distributedlock.LockMode;
import io.distributedlock.LockSettings;
import org.jspecify.annotations.Nullable;

import org.springframework.core.annotation.MergedAnnotation;
import org.springframework.format.datetime.standard.DurationFormatterUtils;
import org.springframework.util.ClassUtils;
import org.springframework.util.StringValueResolver;

/**
 * Turns an annotation into a {@link LockOperation}, or says what is wrong with it.
 */
final class LockOperationParser {

	private static final Pattern BARE_NUMBER = Pattern.compile("[+-]?0*[1-9]\\d*");

	private final Supplier<AspectSettings> settings;

	private final StringValueResolver placeholders;

	private final Map<String, Class<?>> defaultNames = new ConcurrentHashMap<>();

	LockOperationParser(Supplier<AspectSettings> settings, StringValueResolver placeholders) {
		this.settings = settings;
		this.placeholders = placeholders;
	}

	/**
	 * Parses an annotation.
	 * @param annotation the annotation
	 * @param method the method in the class of the bean
	 * @param declared the method that was asked for, perhaps that of an interface
	 * @param targetClass class of the bean, not a subclass made at run time
	 * @return the operation
	 * @throws InvalidDistributedLockException if it cannot work
	 */
	LockOperation parse(MergedAnnotation<DistributedLock> annotation, Method method, Method declared,
			Class<?> targetClass) {
		try {
			refuseUnreachable(method, targetClass);
			if (annotation.getSource() instanceof Method) {
				SpringCalls.refuse(method);
			}
			return operation(annotation, method, declared, targetClass);
		}
		catch (AnnotationProblem ex) {
			throw new InvalidDistributedLockException(method, targetClass, ex.problem(), ex.action());
		}
	}

	private LockOperation operation(MergedAnnotation<DistributedLock> annotation, Method method, Method declared,
			Class<?> targetClass) {
		MethodStyle style = ReturnTypes.style(method, targetClass);
		Class<?> namingClass = namingClass(annotation, declared, targetClass);
		String name = name(annotation, method, namingClass);
		LockExpressionParser expressions = new LockExpressionParser(variables(annotation, method, declared));
		List<LockExpression> key = new ArrayList<>();
		for (String part : annotation.getStringArray("key")) {
			key.add(expressions.parseKeyPart(part));
		}
		List<LockExpression> lockAll = lockAll(annotation, expressions);
		String condition = annotation.getString("condition");
		OnFailure onFailure = annotation.getEnum("onFailure", OnFailure.class);
		String fallbackName = text(annotation, "fallback");
		FallbackMethods fallback = fallbackName.isEmpty() ? FallbackMethods.NONE
				: FallbackMethods.find(fallbackName, method, targetClass);
		boolean skips = onFailure == OnFailure.SKIP && !fallback.answersContention();
		return new LockOperation(method, InvalidDistributedLockException.describe(method, targetClass),
				namingClass.getSimpleName(), name, List.copyOf(key), lockAll,
				condition.isEmpty() ? null : expressions.parse("condition", condition), settings(annotation, name),
				onFailure, skips ? ReturnTypes.skipped(style, method, targetClass) : null, fallback,
				onLost(annotation, style), annotation.getEnum("mode", LockMode.class), style,
				ReturnTypes.of(method, targetClass), new AtomicBoolean());
	}

	private static List<LockExpression> lockAll(MergedAnnotation<DistributedLock> annotation,
			LockExpressionParser expressions) {
		String[] texts = annotation.getStringArray("lockAll");
		if (texts.length == 0) {
			return List.of();
		}
		if (annotation.getStringArray("key").length > 0) {
			throw new AnnotationProblem("it has both key and lockAll.",
					"Write key for one lock, whose key may have several parts, or lockAll for several locks, each with"
							+ " a key of its own.");
		}
		List<LockExpression> lockAll = new ArrayList<>();
		for (String text : texts) {
			lockAll.add(expressions.parseKeys(text));
		}
		return List.copyOf(lockAll);
	}

	private static OnLost onLost(MergedAnnotation<DistributedLock> annotation, MethodStyle style) {
		OnLost onLost = annotation.getEnum("onLost", OnLost.class);
		if (onLost == OnLost.INTERRUPT && style != MethodStyle.BLOCKING) {
			throw new AnnotationProblem(
					"onLost = INTERRUPT has no thread to interrupt: the work of the method does not belong to one.",
					"Leave out onLost. The result fails with a LockLostException, and work that must stop sooner can"
							+ " ask LockContext.current() or register Lease.onLost.");
		}
		return onLost;
	}

	private static void refuseUnreachable(Method method, Class<?> targetClass) {
		String what = null;
		if (Modifier.isPrivate(method.getModifiers())) {
			what = "private";
		}
		else if (Modifier.isStatic(method.getModifiers())) {
			what = "static";
		}
		else if (Modifier.isFinal(method.getModifiers()) && !Proxy.isProxyClass(targetClass)) {
			what = "final";
		}
		if (what != null) {
			throw new AnnotationProblem("the method is " + what + ", so a proxy cannot intercept it.",
					"Make it a public method that is neither static nor final, or use LockTemplate.execute.");
		}
		if (Modifier.isFinal(targetClass.getModifiers()) && !Proxy.isProxyClass(targetClass)
				&& ClassUtils.getAllInterfacesForClass(targetClass).length == 0) {
			throw new AnnotationProblem("the class is final and has no interface, so there can be no proxy of it.",
					"Make the class not final, or use LockTemplate.execute.");
		}
	}

	private String name(MergedAnnotation<DistributedLock> annotation, Method method, Class<?> namingClass) {
		String name = text(annotation, "name");
		if (name.isEmpty()) {
			name = namingClass.getSimpleName() + "." + method.getName();
			if (namingClass.getSimpleName().isEmpty()) {
				throw new AnnotationProblem("the class has no name that the lock could take over.",
						"Set name = \"...\" to what the lock protects.");
			}
			Class<?> other = this.defaultNames.putIfAbsent(name, namingClass);
			if (other != null && other != namingClass) {
				throw new AnnotationProblem(
						"the lock would be named '" + name + "', but so is one of " + other.getName()
								+ ", and the two would exclude each other.",
						"Set name = \"...\" on both, to what each lock protects.");
			}
		}
		try {
			LockKey.of(name);
		}
		catch (IllegalArgumentException ex) {
			throw new AnnotationProblem("the name cannot be used.", String.valueOf(ex.getMessage()));
		}
		return name;
	}

	/**
	 * Finds the class that gives the default name. Classes that are made at run time have
	 * names that differ from one JVM to the next, so there it is the interface.
	 */
	private static Class<?> namingClass(MergedAnnotation<DistributedLock> annotation, Method declared,
			Class<?> targetClass) {
		if (!Proxy.isProxyClass(targetClass) && !targetClass.isHidden()) {
			return targetClass;
		}
		Object source = annotation.getSource();
		if (source instanceof Method annotated) {
			return annotated.getDeclaringClass();
		}
		return (source instanceof Class<?> type) ? type : declared.getDeclaringClass();
	}

	private static MethodVariables variables(MergedAnnotation<DistributedLock> annotation, Method method,
			Method declared) {
		Set<Method> methods = new LinkedHashSet<>();
		methods.add(method);
		methods.add(declared);
		if (annotation.getSource() instanceof Method annotated
				&& annotated.getParameterCount() == method.getParameterCount()) {
			methods.add(annotated);
		}
		return new MethodVariables(List.copyOf(methods));
	}

	private LockSettings settings(MergedAnnotation<DistributedLock> annotation, String name) {
		Duration ttl = duration(annotation, "ttl");
		Duration waitTime = duration(annotation, "waitTime");
		Boolean renew = bool(annotation, "renew");
		Duration minHold = duration(annotation, "minHold");
		Duration maxHold = duration(annotation, "maxHold");
		Boolean keep = bool(annotation, "keep");
		Boolean fair = bool(annotation, "fair");
		Integer permits = number(annotation, "permits");
		String store = text(annotation, "store");
		AspectSettings aspect = this.settings.get();
		try {
			LockSettings own = new LockSettings(ttl, waitTime, renew, minHold, maxHold, keep, fair, permits, null,
					store.isEmpty() ? null : store);
			return aspect.byName().apply(name).orElse(own).orElse(aspect.defaults());
		}
		catch (IllegalArgumentException ex) {
			throw new AnnotationProblem("its settings, together with those of the configuration, cannot be used.",
					String.valueOf(ex.getMessage()));
		}
	}

	private @Nullable Duration duration(MergedAnnotation<DistributedLock> annotation, String attribute) {
		String text = text(annotation, attribute);
		if (text.isEmpty()) {
			return null;
		}
		String advice = "Write a number and a unit, such as 10s, 500ms or PT1M.";
		if (BARE_NUMBER.matcher(text).matches()) {
			throw new AnnotationProblem(attribute + " = \"" + text + "\" has no unit.", advice);
		}
		try {
			return DurationFormatterUtils.detectAndParse(text);
		}
		catch (IllegalArgumentException ex) {
			throw new AnnotationProblem(attribute + " = \"" + text + "\" is no duration.", advice);
		}
	}

	private @Nullable Boolean bool(MergedAnnotation<DistributedLock> annotation, String attribute) {
		return switch (text(annotation, attribute)) {
			case "" -> null;
			case "true" -> true;
			case "false" -> false;
			default -> throw new AnnotationProblem(
					attribute + " = \"" + text(annotation, attribute) + "\" is neither true nor false.",
					"Write \"true\" or \"false\", or leave it out.");
		};
	}

	private @Nullable Integer number(MergedAnnotation<DistributedLock> annotation, String attribute) {
		String text = text(annotation, attribute);
		try {
			return text.isEmpty() ? null : Integer.valueOf(text);
		}
		catch (NumberFormatException ex) {
			throw new AnnotationProblem(attribute + " = \"" + text + "\" is no whole number.",
					"Write a number such as 3, or leave it out.");
		}
	}

	private String text(MergedAnnotation<DistributedLock> annotation, String attribute) {
		String text = annotation.getString(attribute);
		try {
			String resolved = this.placeholders.resolveStringValue(text);
			return (resolved != null) ? resolved.trim() : "";
		}
		catch (IllegalArgumentException ex) {
			throw new AnnotationProblem(attribute + " = \"" + text + "\" has a placeholder that is not set.",
					String.valueOf(ex.getMessage()) + ". Set the property, or give a default as in ${name:10s}.");
		}
	}

}
