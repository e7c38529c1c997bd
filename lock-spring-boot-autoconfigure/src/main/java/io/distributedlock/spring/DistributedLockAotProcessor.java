package io.distributedlock.spring;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import org.springframework.aot.hint.BindingReflectionHintsRegistrar;
import org.springframework.aot.hint.ExecutableMode;
import org.springframework.aot.hint.MemberCategory;
import org.springframework.aot.hint.ReflectionHints;
import org.springframework.beans.BeanUtils;
import org.springframework.beans.factory.aot.BeanRegistrationAotContribution;
import org.springframework.beans.factory.aot.BeanRegistrationAotProcessor;
import org.springframework.beans.factory.support.RegisteredBean;
import org.springframework.core.MethodIntrospector;
import org.springframework.core.annotation.AnnotationUtils;
import org.springframework.core.annotation.MergedAnnotation;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.core.annotation.MergedAnnotations.SearchStrategy;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/**
 * Tells native images what annotations reach by reflection: fallback methods, and the
 * properties of arguments that expressions read.
 */
final class DistributedLockAotProcessor implements BeanRegistrationAotProcessor {

	// The last parameter of suspend functions, which no expression reads.
	private static final String CONTINUATION = "kotlin.coroutines.Continuation";

	private final BindingReflectionHintsRegistrar binding = new BindingReflectionHintsRegistrar();

	@Override
	public @Nullable BeanRegistrationAotContribution processAheadOfTime(RegisteredBean registeredBean) {
		Class<?> type = ClassUtils.getUserClass(registeredBean.getBeanClass());
		Map<Method, MergedAnnotation<DistributedLock>> annotated = AnnotationUtils.isCandidateClass(type,
				DistributedLock.class) ? annotated(type) : Map.of();
		if (annotated.isEmpty()) {
			return null;
		}
		return (context, code) -> {
			ReflectionHints hints = context.getRuntimeHints().reflection();
			hints.registerType(LockExpressionRoot.class, MemberCategory.INVOKE_PUBLIC_METHODS);
			annotated.forEach((method, annotation) -> {
				fallbacks(type, annotation)
					.forEach((fallback) -> hints.registerMethod(fallback, ExecutableMode.INVOKE));
				for (Class<?> parameter : method.getParameterTypes()) {
					if (!BeanUtils.isSimpleProperty(parameter) && !parameter.getName().equals(CONTINUATION)) {
						this.binding.registerReflectionHints(hints, parameter);
					}
				}
			});
		};
	}

	private static Map<Method, MergedAnnotation<DistributedLock>> annotated(Class<?> type) {
		MergedAnnotation<DistributedLock> ofType = MergedAnnotations.from(type, SearchStrategy.TYPE_HIERARCHY)
			.get(DistributedLock.class);
		return MethodIntrospector.selectMethods(type, (Method method) -> {
			MergedAnnotation<DistributedLock> own = MergedAnnotations.from(method, SearchStrategy.TYPE_HIERARCHY)
				.get(DistributedLock.class);
			return own.isPresent() ? own : (ofType.isPresent() ? ofType : null);
		});
	}

	private static List<Method> fallbacks(Class<?> type, MergedAnnotation<DistributedLock> annotation) {
		String name = annotation.getString("fallback");
		List<Method> found = new ArrayList<>();
		if (!name.isEmpty()) {
			ReflectionUtils.doWithMethods(type, found::add, (method) -> method.getName().equals(name));
		}
		return found;
	}

}
