package io.distributedlock.store.redis;

import java.io.IOException;
import java.util.HashSet;
import java.util.Set;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.distributedlock.spi.StoreException;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Rule R11: what servers say, word for word, and what it is taken for.
 */
class RedisErrorsTests {

	@ParameterizedTest
	@CsvSource(delimiter = '|',
			textBlock = """
					NOSCRIPT No matching script. Please use EVAL.|NOSCRIPT
					TRYAGAIN Multiple keys request during rehashing of slot|TRYAGAIN
					READONLY You can't write against a read only replica.|READONLY
					-READONLY You can't write against a read only replica. script: 0a, on @user_script:1.|READONLY
					LOADING Redis is loading the dataset in memory|LOADING
					MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.|MASTERDOWN
					BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.|BUSY
					OOM command not allowed when used memory > 'maxmemory'.|OOM
					ERR Error running script (call to f_0a): @user_script:1: -OOM command not allowed when used memory > 'maxmemory'.|OOM
					NOREPLICAS Not enough good replicas to write.|NOREPLICAS
					MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.|MISCONF
					NOAUTH Authentication required.|NOAUTH
					WRONGPASS invalid username-password pair or user is disabled.|WRONGPASS
					NOPERM this user has no permissions to run the 'evalsha' command|NOPERM
					ERR The user executing the script can't run this command or subcommand script: 0a, on @user_script:1.|NOPERM
					ERR max number of clients reached|MAXCLIENTS
					CLUSTERDOWN The cluster is down|CLUSTERDOWN
					CLUSTERDOWN Hash slot not served|CLUSTERDOWN
					CROSSSLOT Keys in request don't hash to the same slot|CROSSSLOT
					WRONGTYPE Operation against a key holding the wrong kind of value|WRONGTYPE
					ERR unknown command 'EVALSHA', with args beginning with: |UNKNOWN_COMMAND
					ERR user_script:1: attempt to index a nil value script: 0a, on @user_script:1.|SCRIPT
					Currently not connected. Commands are rejected.|REJECTED
					Connection disconnected|CONNECTION
					""")
	void messageIsRecognised(String message, RedisErrors kind) {
		assertThat(RedisErrors.of(message)).isEqualTo(kind);
		assertThat(RedisErrors.of(new IllegalStateException("wrapped", new IllegalStateException(message))))
			.isEqualTo(kind);
	}

	@Test
	void failureOfTheNetworkIsNoAnswer() {
		assertThat(RedisErrors.of(new RuntimeException("x", new IOException("Connection reset by peer"))))
			.isEqualTo(RedisErrors.CONNECTION);
		assertThat(RedisErrors.of(new RuntimeException("x", new java.net.SocketTimeoutException("Read timed out"))))
			.isEqualTo(RedisErrors.TIMEOUT);
		assertThat(RedisErrors.CONNECTION.isAnswer()).isFalse();
		assertThat(RedisErrors.TIMEOUT.isAnswer()).isFalse();
		assertThat(RedisErrors.OOM.isAnswer()).isTrue();
		assertThat(RedisErrors.SCRIPT.isAnswer()).isTrue();
	}

	@Test
	void aConnectionThatCouldNotBeOpenedIsNotOneThatWasLost() {
		Throwable refused = new IllegalStateException("Failed to connect to 127.0.0.1:1.",
				new java.net.ConnectException("Connection refused"));
		assertThat(RedisErrors.of(refused)).isEqualTo(RedisErrors.UNREACHABLE);
		assertThat(RedisErrors.of(new RuntimeException(new IOException("Unable to connect to redis/127.0.0.1:1"))))
			.isEqualTo(RedisErrors.UNREACHABLE);
		assertThat(RedisErrors.translate(refused, "a")).hasMessageContaining("could be opened")
			.hasMessageNotContaining("lost");
		assertThat(RedisErrors.UNREACHABLE.isAnswer()).isFalse();
		assertThat(RedisErrors.of(new IllegalStateException("Unable to connect to a:1",
				new IllegalStateException("NOAUTH Authentication required."))))
			.isEqualTo(RedisErrors.NOAUTH);
		assertThat(RedisErrors.notSent(refused, "a").mayHaveExecuted()).isFalse();
	}

	@Test
	void everyFailureHasAMessageOfItsOwnThatNamesTheServer() {
		Set<String> messages = new HashSet<>();
		for (RedisErrors kind : RedisErrors.values()) {
			String said = (kind == RedisErrors.MAXCLIENTS) ? "ERR max number of clients reached"
					: kind.name() + " detail";
			StoreException failure = RedisErrors.translate(new IllegalStateException(said), "redis:6379");
			assertThat(failure).hasMessageContaining("redis:6379");
			messages.add(failure.getMessage().substring(0, 25));
		}
		assertThat(messages).hasSizeGreaterThanOrEqualTo(17);
	}

	@Test
	void onlyWhatRedisRefusedForSureHasNotBeenExecuted() {
		assertThat(RedisErrors.translate(new IllegalStateException("OOM command not allowed"), "a").mayHaveExecuted())
			.isFalse();
		assertThat(RedisErrors.translate(new IllegalStateException("Connection disconnected"), "a").mayHaveExecuted())
			.isTrue();
		assertThat(RedisErrors.translate(new IllegalStateException("ERR whatever"), "a").mayHaveExecuted()).isTrue();
		assertThat(RedisErrors.timedOut("a", false).mayHaveExecuted()).isFalse();
		assertThat(RedisErrors.timedOut("a", true).mayHaveExecuted()).isTrue();
	}

}
