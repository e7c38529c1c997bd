package io.distributedlock.boot.autoconfigure;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;

import org.junit.jupiter.api.Test;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The page of versions that users import has no parent, so nothing but this keeps it up
 * to date.
 */
class BomTests {

	private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();

	private final Element bom = read("lock-bom");

	private final Element parent = read(".");

	@Test
	void itHasEveryModuleThatIsPublished() {
		List<String> published = modules().stream()
			.map(BomTests::read)
			.filter((module) -> child(module, "parent") != null && !isForThisProjectAlone(module))
			.map((module) -> text(module, "artifactId"))
			.toList();
		assertThat(published).hasSizeGreaterThan(5);
		assertThat(dependencies(this.bom)).containsOnlyKeys(published);
	}

	@Test
	void allHaveItsOwnVersion() {
		assertThat(text(this.bom, "version")).isEqualTo(text(this.parent, "version"));
		assertThat(dependencies(this.bom).values()).allMatch("${project.version}"::equals);
	}

	@Test
	void itsPluginsHaveTheVersionsOfTheOthers() {
		Map<String, String> plugins = children(child(child(child(this.bom, "build"), "pluginManagement"), "plugins"),
				"artifactId");
		assertThat(plugins).isNotEmpty();
		plugins.forEach((plugin, version) -> assertThat(version).as(plugin)
			.isEqualTo(text(child(this.parent, "properties"), plugin + ".version")));
	}

	private List<String> modules() {
		List<String> modules = new ArrayList<>();
		NodeList found = child(this.parent, "modules").getChildNodes();
		for (int i = 0; i < found.getLength(); i++) {
			if (found.item(i) instanceof Element module) {
				modules.add(module.getTextContent());
			}
		}
		return modules;
	}

	private static boolean isForThisProjectAlone(Element module) {
		Element properties = child(module, "properties");
		return properties != null && "true".equals(text(properties, "maven.deploy.skip"));
	}

	private static Map<String, String> dependencies(Element module) {
		return children(child(child(module, "dependencyManagement"), "dependencies"), "artifactId");
	}

	/** Returns the versions of what is listed, by its name. */
	private static Map<String, String> children(Element list, String name) {
		Map<String, String> versions = new TreeMap<>();
		for (Node node = list.getFirstChild(); node != null; node = node.getNextSibling()) {
			if (node instanceof Element entry) {
				versions.put(text(entry, name), text(entry, "version"));
			}
		}
		return versions;
	}

	private static Element child(Element element, String name) {
		for (Node node = element.getFirstChild(); node != null; node = node.getNextSibling()) {
			if (node instanceof Element child && child.getTagName().equals(name)) {
				return child;
			}
		}
		return null;
	}

	private static String text(Element element, String name) {
		Element child = child(element, name);
		return (child != null) ? child.getTextContent() : null;
	}

	private static Element read(String module) {
		Path file = ROOT.resolve(module).resolve("pom.xml");
		try (var in = Files.newInputStream(file)) {
			return DocumentBuilderFactory.newDefaultInstance().newDocumentBuilder().parse(in).getDocumentElement();
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		catch (SAXException | ParserConfigurationException ex) {
			throw new IllegalStateException(file.toString(), ex);
		}
	}

}
