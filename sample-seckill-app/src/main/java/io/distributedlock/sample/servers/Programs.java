package io.distributedlock.sample.servers;

import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Finds programs as a shell does.
 */
final class Programs {

	private Programs() {
	}

	/**
	 * Finds a program on the PATH.
	 * @param name its name
	 * @return where it is
	 */
	static Optional<Path> find(String name) {
		return find(name, Objects.requireNonNullElse(System.getenv("PATH"), ""));
	}

	static Optional<Path> find(String name, String path) {
		return Stream.of(path.split(File.pathSeparator))
			.filter((directory) -> !directory.isEmpty())
			.map((directory) -> Path.of(directory, name))
			.filter(Files::isExecutable)
			.findFirst();
	}

}
