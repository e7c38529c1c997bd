package io.distributedlock.store.redis.server;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Locale;

/**
 * Finds the Redis 7.0.15 that comes in {@code org.signal:embedded-redis}, and puts it
 * where it can be run. {@code -Dlock.test.redis=/path/to/redis-server} takes another one.
 */
final class RedisBinary {

	private static final Path PATH = unpack();

	private RedisBinary() {
	}

	static Path path() {
		return PATH;
	}

	private static Path unpack() {
		String other = System.getProperty("lock.test.redis");
		if (other != null) {
			return Path.of(other);
		}
		String system = System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("mac") ? "darwin" : "linux";
		String architecture = switch (System.getProperty("os.arch")) {
			case "amd64", "x86_64" -> "amd64";
			case "aarch64", "arm64" -> "arm64";
			default -> throw new IllegalStateException("No Redis for " + System.getProperty("os.arch"));
		};
		String name = "/redis-server-7.0.15-" + system + "-" + architecture;
		try (InputStream in = RedisBinary.class.getResourceAsStream(name)) {
			if (in == null) {
				throw new IllegalStateException(name + " is not on the classpath: add org.signal:embedded-redis");
			}
			Path file = Files.createTempFile("redis-server-", "");
			Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
			if (!file.toFile().setExecutable(true)) {
				throw new IllegalStateException("Cannot make " + file + " executable");
			}
			file.toFile().deleteOnExit();
			return file;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

}
