package io.distributedlock.boot.autoconfigure;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

import io.distributedlock.boot.autoconfigure.PropertyTree.Unknown;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.config.BeanFactoryPostProcessor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.context.properties.source.IterableConfigurationPropertySource;
import org.springframework.boot.origin.Origin;
import org.springframework.context.EnvironmentAware;
import org.springframework.core.NativeDetector;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.Environment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.util.ClassUtils;

/**
 * Finds properties of locks that nothing is bound to, which the binder ignores. A
 * misspelt {@code permits} would let any number of callers in without anybody noticing,
 * so start-up fails.
 * <p>
 * Environment variables, whose names can be read in several ways, are left to
 * {@link LockEnvironmentCheck}. What stands directly below {@code distributed-lock} and
 * resembles nothing may belong to somebody else, and is only warned of. Runs before any
 * bean is made, so that what follows from a misspelt name does not hide it.
 */
final class LockPropertiesCheck implements BeanFactoryPostProcessor, EnvironmentAware {

	private static final Logger logger = LoggerFactory.getLogger(LockPropertiesCheck.class);

	private static final ConfigurationPropertyName ROOT = ConfigurationPropertyName.of("distributed-lock");

	private static final ConfigurationPropertyName LOCKS = ROOT.append("locks");

	/**
	 * What is bound below the root, but not by {@link DistributedLockProperties}. These
	 * classes may need what an application does not have.
	 */
	private static final Map<String, String> OTHERS = Map.of("cache", "cache.CacheLockProperties", "etcd",
			"etcd.EtcdLockProperties", "events", "event.LockEventsProperties", "health", "health.LockHealthProperties",
			"integration", "integration.IntegrationLockProperties", "jdbc", "jdbc.JdbcLockProperties", "metrics",
			"metrics.LockMetricsProperties", "redlock", "redlock.RedlockProperties", "shedlock",
			"shedlock.ShedLockProperties", "zookeeper", "zookeeper.ZooKeeperLockProperties");

	private @Nullable Environment environment;

	@Override
	public void setEnvironment(Environment environment) {
		this.environment = environment;
	}

	@Override
	public void postProcessBeanFactory(ConfigurableListableBeanFactory beanFactory) {
		// Reflection on records would need hints for each of them there.
		if (this.environment instanceof ConfigurableEnvironment configurable && !NativeDetector.inNativeImage()) {
			check(configurable, beanFactory);
		}
	}

	private static void check(ConfigurableEnvironment environment, ConfigurableListableBeanFactory beanFactory) {
		PropertyTree known = known();
		Map<ConfigurationPropertyName, String> errors = new LinkedHashMap<>();
		for (ConfigurationPropertySource source : ConfigurationPropertySources.from(environment.getPropertySources())) {
			if (source instanceof IterableConfigurationPropertySource names
					&& !(source.getUnderlyingSource() instanceof SystemEnvironmentPropertySource)) {
				for (ConfigurationPropertyName name : names.stream().filter(ROOT::isAncestorOf).toList()) {
					known.unknown(name, ROOT.getNumberOfElements())
						.filter((unknown) -> !belongsToOthers(name, beanFactory))
						.ifPresent((unknown) -> found(name, unknown, names, errors));
				}
			}
		}
		if (!errors.isEmpty()) {
			throw new UnknownLockPropertyException(new ArrayList<>(errors.values()));
		}
		new LockEnvironmentCheck(environment, known).check();
	}

	private static void found(ConfigurationPropertyName name, Unknown unknown, ConfigurationPropertySource source,
			Map<ConfigurationPropertyName, String> errors) {
		String problem = describe(name, unknown, source);
		if (unknown.index() == ROOT.getNumberOfElements() && unknown.nearest() == null) {
			logger.warn("{} It is ignored.", problem);
		}
		else {
			errors.putIfAbsent(name, problem);
		}
	}

	private static String describe(ConfigurationPropertyName name, Unknown unknown,
			ConfigurationPropertySource source) {
		String origin = Optional.ofNullable(Origin.from(source.getConfigurationProperty(name)))
			.map((from) -> " (" + from + ")")
			.orElse("");
		String problem = "There is no property '" + name + "'" + origin + ".";
		ConfigurationPropertyName parent = name.chop(unknown.index());
		if (unknown.nearest() != null) {
			ConfigurationPropertyName meant = parent.append(unknown.nearest())
				.append(name.subName(unknown.index() + 1));
			return problem + " Did you mean '" + meant + "'?";
		}
		if (unknown.candidates().isEmpty()) {
			return problem + " '" + parent + "' is a single value.";
		}
		String last = name.getLastElement(Form.UNIFORM);
		boolean dotted = LOCKS.isAncestorOf(name) && unknown.index() < name.getNumberOfElements() - 1
				&& unknown.candidates().stream().anyMatch((known) -> known.replace("-", "").equals(last));
		if (dotted) {
			String lock = name.getParent().subName(LOCKS.getNumberOfElements()).toString();
			return problem + " If the lock is called '" + lock + "', write '" + LOCKS + "[" + lock + "]."
					+ name.getLastElement(Form.ORIGINAL) + "'; in YAML the key is \"[" + lock + "]\".";
		}
		return problem + " Below '" + parent + "' there are " + String.join(", ", unknown.candidates()) + ".";
	}

	/**
	 * An application may bind a class of its own below the root.
	 */
	private static boolean belongsToOthers(ConfigurationPropertyName name,
			ConfigurableListableBeanFactory beanFactory) {
		for (String bean : beanFactory.getBeanDefinitionNames()) {
			ConfigurationProperties annotation = beanFactory.findAnnotationOnBean(bean, ConfigurationProperties.class,
					false);
			if (annotation != null) {
				ConfigurationPropertyName prefix = ConfigurationPropertyName
					.ofIfValid(annotation.prefix().isEmpty() ? annotation.value() : annotation.prefix());
				if (prefix != null && ROOT.isAncestorOf(prefix) && !isOurs(prefix)
						&& (prefix.equals(name) || prefix.isAncestorOf(name))) {
					return true;
				}
			}
		}
		return false;
	}

	private static boolean isOurs(ConfigurationPropertyName prefix) {
		return prefix.getNumberOfElements() == ROOT.getNumberOfElements() + 1
				&& OTHERS.containsKey(prefix.getLastElement(Form.UNIFORM));
	}

	static PropertyTree known() {
		PropertyTree tree = PropertyTree.of(DistributedLockProperties.class);
		for (Map.Entry<String, String> other : OTHERS.entrySet()) {
			tree = tree.with(other.getKey(), below(other.getValue()));
		}
		return tree;
	}

	private static PropertyTree below(String className) {
		try {
			Class<?> type = ClassUtils.forName(LockPropertiesCheck.class.getPackageName() + "." + className,
					LockPropertiesCheck.class.getClassLoader());
			return type.isRecord() ? PropertyTree.of(type) : PropertyTree.ofBean(type);
		}
		catch (ClassNotFoundException | LinkageError ex) {
			// The application has no use for it.
			return PropertyTree.ANYTHING;
		}
	}

}
