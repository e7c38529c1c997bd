package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.HashMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;

/**
 * Looks at a server before the first lock is taken.
 */
final class StartupChecks {

	private static final Logger logger = LoggerFactory.getLogger(StartupChecks.class);

	private final RedisTransport transport;

	private final KeyLayout layout;

	private final String instanceId;

	private final Duration timeout;

	StartupChecks(RedisTransport transport, KeyLayout layout, String instanceId, Duration timeout) {
		this.transport = transport;
		this.layout = layout;
		this.instanceId = instanceId;
		this.timeout = timeout;
	}

	List<String> run(ReplicaRule replicas) {
		List<String> advice = new ArrayList<>();
		checkVersion(info("server"));
		checkPermissions();
		if (replicas.isOn()) {
			checkReplicas(replicas, advice);
		}
		checkMemory(info("memory"), advice);
		return advice;
	}

	/**
	 * Returns a section of INFO, empty if the user may not read it: nobody has to grant
	 * that for locks to work.
	 */
	private Map<String, String> info(String section) {
		Map<String, String> values = new HashMap<>();
		try {
			for (String line : this.transport.info(section).split("\\r?\\n")) {
				int colon = line.indexOf(':');
				if (colon > 0) {
					values.put(line.substring(0, colon), line.substring(colon + 1).trim());
				}
			}
		}
		catch (StoreException ex) {
			logger.debug("INFO {} could not be read, so some checks were left out", section, ex);
		}
		return values;
	}

	private void checkVersion(Map<String, String> server) {
		String version = server.get("redis_version");
		if (version == null || server.containsKey("valkey_version")) {
			return;
		}
		String[] parts = version.split("\\.");
		try {
			int major = Integer.parseInt(parts[0]);
			int minor = (parts.length > 1) ? Integer.parseInt(parts[1]) : 0;
			if (major < 6 || (major == 6 && minor < 2)) {
				throw new StoreException(
						"Redis " + version + " at " + this.transport.address()
								+ " is too old for locks. Use Redis 6.2 or later, or Valkey 7.2 or later.",
						false, false, null);
			}
		}
		catch (NumberFormatException ex) {
			logger.debug("Redis version {} is not a number", version, ex);
		}
	}

	private void checkPermissions() {
		String id = "~probe:" + AttemptId.random();
		List<byte[]> keys = List.of(this.layout.record(id), this.layout.queue(id), this.layout.entries(id));
		List<byte[]> arguments = List.of(this.layout.channel(this.instanceId));
		List<byte[]> denied = runProbe(keys, arguments);
		for (int i = 0; i + 1 < denied.size(); i += 2) {
			String command = Ascii.text(denied.get(i)).toUpperCase(Locale.ROOT);
			String said = Ascii.text(denied.get(i + 1));
			RedisErrors kind = RedisErrors.of(said);
			if (kind == RedisErrors.NOPERM || kind == RedisErrors.UNKNOWN_COMMAND) {
				throw RedisErrors.reported(said + ": " + command + ", " + names(), this.transport.address());
			}
			logger.debug("Probe of {}: {}", command, said);
		}
	}

	private String names() {
		return "on keys like " + Ascii.text(this.layout.record("*")) + " and channels like " + this.layout.channels()
				+ "*";
	}

	private List<byte[]> runProbe(List<byte[]> keys, List<byte[]> arguments) {
		try {
			return runProbe(false, keys, arguments);
		}
		catch (StoreException ex) {
			if (ex.getCause() == null || RedisErrors.of(ex.getCause()) != RedisErrors.NOSCRIPT) {
				throw naming(ex);
			}
		}
		try {
			return runProbe(true, keys, arguments);
		}
		catch (StoreException ex) {
			throw naming(ex);
		}
	}

	private StoreException naming(StoreException ex) {
		return (ex.getCause() != null && RedisErrors.of(ex.getCause()) == RedisErrors.NOPERM)
				? new StoreException(ex.getMessage() + " Locks run EVALSHA and EVAL " + names() + ".",
						ex.mayHaveExecuted(), ex.isRetryable(), ex.getCause())
				: ex;
	}

	private List<byte[]> runProbe(boolean withSource, List<byte[]> keys, List<byte[]> arguments) {
		CompletableFuture<List<byte[]>> future = new CompletableFuture<>();
		this.transport.run(LockScript.PROBE, withSource, keys, arguments, () -> true, (answer, error) -> {
			if (answer != null) {
				future.complete(answer);
			}
			else {
				future.completeExceptionally((error != null) ? error : new IllegalStateException("no answer"));
			}
		});
		return await(future);
	}

	private <T> T await(CompletableFuture<T> future) {
		try {
			return future.get(this.timeout.toMillis(), TimeUnit.MILLISECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new StoreException("Interrupted while waiting for Redis", true, true, ex);
		}
		catch (ExecutionException ex) {
			throw RedisErrors.translate((ex.getCause() != null) ? ex.getCause() : ex, this.transport.address());
		}
		catch (TimeoutException ex) {
			throw RedisErrors.timedOut(this.transport.address(), true);
		}
	}

	/**
	 * Makes and gives back a grant as an acquire would, so that a missing permission or
	 * replica is found now and not by the first caller.
	 */
	private void checkReplicas(ReplicaRule rule, List<String> advice) {
		String id = "~probe:" + AttemptId.random();
		List<byte[]> keys = List.of(this.layout.record(id), this.layout.queue(id), this.layout.entries(id));
		ReplicaProbe probe = new ReplicaProbe(rule, this.transport.address(),
				this.layout.replicas(this.layout.bucket(id)), System.nanoTime() + this.timeout.toNanos());
		this.transport.runAndWait(LockScript.PROBE, true, keys, List.of(this.layout.channel(this.instanceId)), probe);
		try {
			StoreException tooFew = await(probe.outcome());
			if (tooFew != null) {
				advice.add("As it is now, no lock can be taken. " + tooFew.getMessage());
			}
		}
		catch (StoreException ex) {
			if (!ex.isRetryable()) {
				throw ex;
			}
			advice.add("Whether replicas have what is written could not be found out, so no lock may be taken. "
					+ ex.getMessage());
		}
	}

	private void checkMemory(Map<String, String> memory, List<String> advice) {
		String policy = memory.get("maxmemory_policy");
		if (policy == null || policy.equals("noeviction")) {
			return;
		}
		String limit = memory.get("maxmemory");
		String when = isZero(limit) ? "As soon as maxmemory is set, it" : "At maxmemory (" + limit + " bytes) it";
		advice.add("Redis at " + this.transport.address() + " has maxmemory-policy " + policy + ". " + when
				+ " drops locks that are held, and two holders run at once. Use noeviction, or a Redis of its own for"
				+ " locks.");
	}

	private static boolean isZero(@Nullable String limit) {
		return limit == null || limit.equals("0");
	}

}
