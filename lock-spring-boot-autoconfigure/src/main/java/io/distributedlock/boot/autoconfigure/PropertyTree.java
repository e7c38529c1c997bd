package io.distributedlock.boot.autoconfigure;

import java.beans.PropertyDescriptor;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

import org.springframework.beans.BeanUtils;
import org.springframework.boot.context.properties.bind.DataObjectPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName.Form;
import org.springframework.core.ResolvableType;

/**
 * Which names there are below a property, read from the class that it is bound to: a
 * record, a bean with setters, or a map of them. Names are compared as Spring Boot does,
 * so that {@code waitTime} is {@code wait-time}.
 */
final class PropertyTree {

	/** Nothing can stand below. */
	private static final PropertyTree LEAF = new PropertyTree(Map.of(), null, false);

	/** What stands below is not known, and so nothing is wrong. */
	static final PropertyTree ANYTHING = new PropertyTree(Map.of(), null, true);

	/** By uniform name, each with the name as one should type it. */
	private final Map<String, Child> children;

	/** What stands below each entry of a map, null if this is none. */
	private final @Nullable PropertyTree entries;

	private final boolean open;

	private PropertyTree(Map<String, Child> children, @Nullable PropertyTree entries, boolean open) {
		this.children = children;
		this.entries = entries;
		this.open = open;
	}

	private record Child(String name, PropertyTree below) {
	}

	/**
	 * A name that nothing is bound to.
	 *
	 * @param index which element of the name is the wrong one
	 * @param nearest the name that was probably meant there, or null
	 * @param candidates all that there are
	 */
	record Unknown(int index, @Nullable String nearest, List<String> candidates) {
	}

	static PropertyTree of(Class<?> type) {
		return of(ResolvableType.forClass(type));
	}

	private static PropertyTree of(ResolvableType type) {
		Class<?> raw = type.toClass();
		if (Map.class.isAssignableFrom(raw)) {
			PropertyTree each = of(type.asMap().getGeneric(1));
			return (each == LEAF) ? ANYTHING : new PropertyTree(Map.of(), each, false);
		}
		if (Collection.class.isAssignableFrom(raw) || raw.isArray()) {
			return ANYTHING;
		}
		if (raw.isRecord()) {
			Map<String, Child> children = new LinkedHashMap<>();
			for (RecordComponent component : raw.getRecordComponents()) {
				add(children, component.getName(), of(ResolvableType.forMethodReturnType(component.getAccessor())));
			}
			return new PropertyTree(children, null, false);
		}
		return LEAF;
	}

	/** Returns the tree of a bean, whose setters are its properties. */
	static PropertyTree ofBean(Class<?> type) {
		Map<String, Child> children = new LinkedHashMap<>();
		for (PropertyDescriptor property : BeanUtils.getPropertyDescriptors(type)) {
			if (property.getWriteMethod() != null) {
				add(children, property.getName(), of(ResolvableType.forMethodParameter(property.getWriteMethod(), 0)));
			}
		}
		return new PropertyTree(children, null, false);
	}

	private static void add(Map<String, Child> children, String name, PropertyTree below) {
		children.put(uniform(name), new Child(DataObjectPropertyName.toDashedForm(name), below));
	}

	private static String uniform(String name) {
		return name.replace("-", "").replace("_", "").toLowerCase(Locale.ROOT);
	}

	/** Returns this tree with one more name. */
	PropertyTree with(String name, PropertyTree below) {
		Map<String, Child> more = new LinkedHashMap<>(this.children);
		add(more, name, below);
		return new PropertyTree(more, this.entries, this.open);
	}

	/**
	 * Returns the names of all single values.
	 * @param root where this tree stands
	 * @param entries which entries each map has
	 */
	List<ConfigurationPropertyName> below(ConfigurationPropertyName root, Collection<String> entries) {
		List<ConfigurationPropertyName> names = new ArrayList<>();
		collect(root, entries, false, names);
		return names;
	}

	/**
	 * Returns the names below which anything may stand, like {@link #below}.
	 */
	List<ConfigurationPropertyName> openBelow(ConfigurationPropertyName root, Collection<String> entries) {
		List<ConfigurationPropertyName> names = new ArrayList<>();
		collect(root, entries, true, names);
		return names;
	}

	private void collect(ConfigurationPropertyName at, Collection<String> mapEntries, boolean whatIsOpen,
			List<ConfigurationPropertyName> names) {
		PropertyTree each = this.entries;
		if (each != null) {
			mapEntries.forEach((entry) -> each.collect(at.append("[" + entry + "]"), mapEntries, whatIsOpen, names));
		}
		else if (!this.children.isEmpty()) {
			this.children.values()
				.forEach((child) -> child.below.collect(at.append(child.name), mapEntries, whatIsOpen, names));
		}
		else if (this.open == whatIsOpen) {
			names.add(at);
		}
	}

	/**
	 * Looks for what is wrong with a name.
	 * @param from the element that stands directly below this tree's root
	 * @return what is wrong, if anything
	 */
	Optional<Unknown> unknown(ConfigurationPropertyName name, int from) {
		if (this.open || from == name.getNumberOfElements()) {
			return Optional.empty();
		}
		if (this.entries != null) {
			return this.entries.unknown(name, from + 1);
		}
		Child child = this.children.get(name.getElement(from, Form.UNIFORM));
		if (child != null) {
			return child.below.unknown(name, from + 1);
		}
		List<String> candidates = this.children.values().stream().map(Child::name).sorted().toList();
		String nearest = LockNames.nearest(name.getElement(from, Form.ORIGINAL), candidates).orElse(null);
		return Optional.of(new Unknown(from, nearest, candidates));
	}

}
