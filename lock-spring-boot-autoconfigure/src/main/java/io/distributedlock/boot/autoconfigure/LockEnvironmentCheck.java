package io.distributedlock.boot.autoconfigure;

import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.boot.context.properties.source.ConfigurationPropertySource;
import org.springframework.boot.context.properties.source.ConfigurationPropertySources;
import org.springframework.boot.origin.PropertySourceOrigin;
import org.springframework.core.env.ConfigurableEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;

/**
 * Warns of environment variables that look like properties of locks and set none: they
 * are misspelt, or in a form in which Spring Boot does not find them. Above all, it finds
 * an entry of {@code locks} only if the variable begins with
 * {@code DISTRIBUTEDLOCK_LOCKS_} and has no underscore within a name.
 * <p>
 * Whether a variable is used is not guessed: Spring Boot's own property source is asked
 * for each property that there is. That it was meant to be one is guessed, and an
 * application does not choose all of its variables (Kubernetes makes some for each
 * service). So what resembles nothing passes, and nothing fails the start.
 */
final class LockEnvironmentCheck {

	private static final Logger logger = LoggerFactory.getLogger(LockEnvironmentCheck.class);

	private static final Pattern PREFIX = Pattern.compile("DISTRIBUTED_?LOCK_", Pattern.CASE_INSENSITIVE);

	private static final Pattern MADE_BY_KUBERNETES = Pattern
		.compile(".*_(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_\\d+_(TCP|UDP|SCTP)(_.*)?)?)");

	private static final String ROOT_VARIABLE = "DISTRIBUTEDLOCK_";

	private static final ConfigurationPropertyName ROOT = ConfigurationPropertyName.of("distributed-lock");

	private static final ConfigurationPropertyName LOCKS = ROOT.append("locks");

	// What stands for the name of a lock where any will do.
	private static final String ANY = "any";

	private final ConfigurableEnvironment environment;

	private final PropertyTree known;

	LockEnvironmentCheck(ConfigurableEnvironment environment, PropertyTree known) {
		this.environment = environment;
		this.known = known;
	}

	void check() {
		for (ConfigurationPropertySource source : ConfigurationPropertySources
			.from(this.environment.getPropertySources())) {
			if (source.getUnderlyingSource() instanceof SystemEnvironmentPropertySource variables) {
				Set<String> candidates = candidates(variables);
				if (!candidates.isEmpty()) {
					candidates.removeAll(used(source, candidates));
					candidates.forEach(this::warn);
				}
			}
		}
	}

	private static Set<String> candidates(SystemEnvironmentPropertySource variables) {
		Set<String> candidates = new TreeSet<>();
		for (String name : variables.getPropertyNames()) {
			if (PREFIX.matcher(name).lookingAt() && !MADE_BY_KUBERNETES.matcher(name).matches()) {
				candidates.add(name);
			}
		}
		return candidates;
	}

	/**
	 * Asks Spring Boot which of the variables set a property.
	 */
	private Set<String> used(ConfigurationPropertySource source, Set<String> candidates) {
		Set<String> used = new LinkedHashSet<>();
		for (ConfigurationPropertyName name : this.known.below(ROOT, namesOfLocks())) {
			ConfigurationProperty property = source.getConfigurationProperty(name);
			if (property != null && property.getOrigin() instanceof PropertySourceOrigin origin) {
				String asked = origin.getPropertyName();
				String resolved = asked.replace('.', '_').replace('-', '_');
				candidates.stream()
					.filter((candidate) -> candidate.equals(asked) || candidate.equalsIgnoreCase(resolved))
					.forEach(used::add);
			}
		}
		for (ConfigurationPropertyName open : this.known.openBelow(ROOT, List.of(ANY))) {
			String letters = letters(open.toString());
			candidates.stream().filter((candidate) -> letters(candidate).startsWith(letters)).forEach(used::add);
		}
		return used;
	}

	private Collection<String> namesOfLocks() {
		try {
			return Binder.get(this.environment)
				.bind(LOCKS, Bindable.mapOf(String.class, Object.class))
				.map(Map::keySet)
				.orElse(Set.of());
		}
		catch (BindException ex) {
			// Whoever needs the properties will say so better.
			logger.debug("Names of locks are not known", ex);
			return Set.of();
		}
	}

	private void warn(String variable) {
		String[] words = PREFIX.matcher(variable).replaceFirst("").split("_");
		boolean ofOneLock = words.length > 2 && words[0].equalsIgnoreCase("locks");
		String meant = ofOneLock ? nearestOfLock(words) : nearest(letters(String.join("", words)));
		if (meant != null) {
			logger.warn("The environment variable {} sets nothing. Did you mean {}?", variable, meant);
		}
		else if (ofOneLock) {
			logger.warn(
					"The environment variable {} sets nothing. For a lock 'stock', write {}LOCKS_STOCK_TTL: the name"
							+ " of the lock and of the property each without dash, dot or underscore.",
					variable, ROOT_VARIABLE);
		}
	}

	private @Nullable String nearest(String letters) {
		return this.known.below(ROOT, List.of())
			.stream()
			.filter((name) -> LockNames.resembles(letters, letters(name.subName(1).toString())))
			.findFirst()
			.map(LockEnvironmentCheck::variable)
			.orElse(null);
	}

	/**
	 * The name of the lock may have several words, and so may the property.
	 */
	private @Nullable String nearestOfLock(String[] words) {
		List<ConfigurationPropertyName> properties = this.known.below(ROOT, List.of(ANY))
			.stream()
			.filter(LOCKS::isAncestorOf)
			.map((name) -> name.subName(LOCKS.getNumberOfElements() + 1))
			.toList();
		for (int end = 2; end < words.length; end++) {
			String lock = letters(String.join("", List.of(words).subList(1, end)));
			String rest = letters(String.join("", List.of(words).subList(end, words.length)));
			Optional<ConfigurationPropertyName> meant = properties.stream()
				.filter((property) -> LockNames.resembles(rest, letters(property.toString())))
				.findFirst();
			if (meant.isPresent()) {
				return variable(LOCKS.append(lock).append(meant.get()));
			}
		}
		return null;
	}

	// The form that Spring Boot reads everywhere: no dashes, and one underscore per dot.
	private static String variable(ConfigurationPropertyName name) {
		StringBuilder variable = new StringBuilder();
		for (int i = 0; i < name.getNumberOfElements(); i++) {
			variable.append((i > 0) ? "_" : "").append(name.getElement(i, Form.UNIFORM).toUpperCase(Locale.ROOT));
		}
		return variable.toString();
	}

	private static String letters(String name) {
		return name.replaceAll("[^A-Za-z0-9]", "").toLowerCase(Locale.ROOT);
	}

}
