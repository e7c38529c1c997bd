package io.distributedlock.store.redis;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.jedis.JedisConnectionFactory;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.redis.server.RedisGroup;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * The rules of {@code docs/redis-acl.md}: enough, and none too many.
 */
class RedisAclTests {

	private static final LockKey KEY = LockKey.of("stock", 42);

	private final AttemptId a = AttemptId.random();

	private final AttemptId b = AttemptId.random();

	private final AttemptId c = AttemptId.random();

	private RedisServerProcess redis;

	@BeforeEach
	void start() {
		this.redis = RedisServerProcess.start();
	}

	@AfterEach
	void stop() {
		this.redis.close();
	}

	/**
	 * Reads the rules where users read them.
	 */
	private static List<String> documented() {
		return documented("reset ");
	}

	private static List<String> documentedForReplicas() {
		return documented("\\+wait");
	}

	private static List<String> documented(String first) {
		for (Path folder = Path.of("").toAbsolutePath(); folder != null; folder = folder.getParent()) {
			Path page = folder.resolve("docs/redis-acl.md");
			if (Files.exists(page)) {
				try {
					Matcher line = Pattern.compile("(?m)^ACL SETUSER locks (" + first + ".*)$")
						.matcher(Files.readString(page));
					assertThat(line.find()).isTrue();
					return Arrays.asList(line.group(1).split(" "));
				}
				catch (IOException ex) {
					throw new IllegalStateException(ex);
				}
			}
		}
		throw new IllegalStateException("docs/redis-acl.md not found");
	}

	static Stream<String> lockCommands() {
		List<String> connection = List.of("+hello", "+auth", "+ping", "+info", "+client|setname", "+unsubscribe");
		return documented().stream().filter((rule) -> rule.startsWith("+") && !connection.contains(rule));
	}

	private void permit(List<String> rules) {
		Stream<String> command = Stream.concat(Stream.of("ACL", "SETUSER", "locks"), rules.stream());
		assertThat(this.redis.command(command.toArray(String[]::new))).isEqualTo("+OK");
	}

	private RedisConnectionFactory user(String client, String password) {
		RedisStandaloneConfiguration server = new RedisStandaloneConfiguration("127.0.0.1", this.redis.port());
		server.setUsername("locks");
		server.setPassword(password);
		return client.equals("lettuce") ? new LettuceConnectionFactory(server) : new JedisConnectionFactory(server);
	}

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void allFeaturesWorkWithTheDocumentedRules(String client) {
		permit(documented());
		try (StoreFixture one = StoreFixture.of(user(client, "secret"));
				StoreFixture two = StoreFixture.of(user(client, "secret"))) {
			assertThat(one.store.check()).isEmpty();
			one.awaitSignals("one");
			two.awaitSignals("two");
			Granted granted = (Granted) one.acquire(KEY, this.a);
			assertThat(one.renew(KEY, this.a)).isEqualTo(RenewReply.RENEWED);
			assertThat(one.extend(KEY, this.a, 4)).isInstanceOf(ExtendReply.Extended.class);
			assertThat(((Refused) two.enqueue(KEY, this.b)).queued()).isTrue();
			assertThat(StoreFixture.get(one.store.inspect(KEY, StoreFixture.TIMEOUT))).isPresent();
			assertThat(one.releaseAndEnqueue(KEY, this.a, this.c, 4)).isEqualTo(new ReleaseReply.Queued(true));
			await().until(() -> two.reserved.contains(this.b));
			Granted next = (Granted) two.acquireAgain(KEY, this.b);
			assertThat(next.firstToken()).isGreaterThan(granted.firstToken());
			assertThat(StoreFixture.get(one.store.forceRelease(KEY, next.firstToken(), StoreFixture.TIMEOUT))).isTrue();
			await().until(() -> two.revoked.contains(this.b) && one.reserved.contains(this.c));
			one.abandon(KEY, this.c);
			assertThat(one.acquire(KEY, this.a)).isInstanceOf(Granted.class);
			assertThat(one.release(KEY, this.a)).isInstanceOf(ReleaseReply.Released.class);
		}
	}

	@ParameterizedTest
	@MethodSource("lockCommands")
	void missingCommandIsNamedByTheCheck(String rule) {
		String command = rule.substring(1);
		permit(documented());
		permit(List.of("-" + command));
		try (StoreFixture fixture = StoreFixture.of(user("lettuce", "secret"))) {
			RedisLockStore store = fixture.store;
			if (command.equals("subscribe")) {
				assertThat(store.check()).singleElement().asString().contains("SUBSCRIBE", "docs/redis-acl.md");
				assertThat(fixture.acquire(KEY, this.a)).isInstanceOf(Granted.class);
				assertThat(((Refused) fixture.enqueue(KEY, this.b)).queued()).isFalse();
				return;
			}
			assertThatExceptionOfType(StoreException.class).isThrownBy(store::check)
				.withMessageContaining(command.toUpperCase(java.util.Locale.ROOT))
				.withMessageContaining("docs/redis-acl.md")
				.matches((ex) -> !ex.isRetryable());
		}
	}

	@Test
	void releasesWorkForAUserWhoMayNotReadManyRecordsAtOnce() {
		permit(documented());
		permit(List.of("-mget"));
		try (StoreFixture fixture = StoreFixture.of(user("lettuce", "secret"))) {
			fixture.acquire(KEY, this.a);
			assertThat(fixture.release(KEY, this.a)).isEqualTo(new ReleaseReply.Released(false));
			assertThat(fixture.acquire(KEY, this.b)).isInstanceOf(Granted.class);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void waitingForReplicasNeedsAPermissionMoreThatIsDocumented(String client) {
		// Without these it takes ten seconds until a replica follows.
		this.redis.command("CONFIG", "SET", "repl-ping-replica-period", "1");
		this.redis.command("CONFIG", "SET", "repl-diskless-sync-delay", "0");
		RedisServerProcess replica = RedisServerProcess.start("--replicaof", "127.0.0.1 " + this.redis.port());
		try {
			RedisGroup.awaitFollowers(this.redis, 1);
			permit(documented());
			try (RedisLockStore store = RedisLockStore.builder(user(client, "secret")).waitReplicas(1).build()) {
				assertThatExceptionOfType(StoreException.class).isThrownBy(store::check)
					.withMessageContaining("WAIT")
					.withMessageContaining("docs/redis-acl.md")
					.matches((ex) -> !ex.isRetryable());
			}
			permit(documentedForReplicas());
			try (StoreFixture fixture = new StoreFixture(
					RedisLockStore.builder(user(client, "secret")).waitForAllReplicas().build())) {
				assertThat(fixture.store.check()).isEmpty();
				assertThat(fixture.acquire(KEY, this.a)).isInstanceOf(Granted.class);
				assertThat(fixture.renew(KEY, this.a)).isEqualTo(RenewReply.RENEWED);
				assertThat(fixture.release(KEY, this.a)).isEqualTo(new ReleaseReply.Released(false));
				permit(List.of("-info"));
				assertThatExceptionOfType(StoreException.class).isThrownBy(fixture.store::check)
					.withMessageContaining("INFO");
			}
		}
		finally {
			replica.close();
		}
	}

	@Test
	void keysAndChannelsOfOthersAreNamedByTheCheck() {
		permit(documented());
		try (RedisLockStore store = RedisLockStore.builder(user("lettuce", "secret")).prefix("mine:").build()) {
			assertThatExceptionOfType(StoreException.class).isThrownBy(store::check)
				.withMessageContaining("docs/redis-acl.md")
				.withMessageContaining("mine:");
		}
	}

	@Test
	void checkNeedsNoPermissionToReadSettings() {
		permit(documented());
		permit(List.of("-info"));
		try (RedisLockStore store = RedisLockStore.builder(user("lettuce", "secret")).build()) {
			assertThat(store.check()).isEmpty();
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void wrongPasswordIsToldFromAMissingOneAndNeverShown(String client) {
		permit(documented());
		assertThatExceptionOfType(StoreException.class)
			.isThrownBy(() -> RedisLockStore.builder(user(client, "guessed-pass")).build())
			.withMessageContaining("spring.data.redis.password")
			.matches((ex) -> !ex.isRetryable() && !ex.getMessage().contains("guessed-pass"));
		this.redis.command("CONFIG", "SET", "requirepass", "secret");
		assertThatExceptionOfType(StoreException.class)
			.isThrownBy(() -> StoreFixture.of(client.equals("lettuce") ? StoreFixture.lettuceFactory(this.redis.port())
					: new JedisConnectionFactory(new RedisStandaloneConfiguration("127.0.0.1", this.redis.port()))))
			.withMessageContaining("asks for a password");
	}

}
