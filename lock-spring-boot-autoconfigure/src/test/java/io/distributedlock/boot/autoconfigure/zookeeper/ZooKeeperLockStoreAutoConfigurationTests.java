package io.distributedlock.boot.autoconfigure.zookeeper;

import java.nio.charset.StandardCharsets;

import io.distributedlock.Lease;
import io.distributedlock.LockInspector;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.boot.autoconfigure.DistributedLockAspectAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.memory.MemoryLockStoreAutoConfiguration;
import io.distributedlock.boot.autoconfigure.support.FailureAnalyses;
import io.distributedlock.store.zookeeper.ZooKeeperLockStore;
import io.distributedlock.store.zookeeper.server.ZooKeeperServerProcess;
import org.apache.zookeeper.ClientCnxnSocketNIO;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import org.springframework.aot.hint.MemberCategory;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.predicate.RuntimeHintsPredicates;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.core.NestedExceptionUtils;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link ZooKeeperLockStoreAutoConfiguration}, with a real ZooKeeper.
 */
class ZooKeeperLockStoreAutoConfigurationTests {

	private static ZooKeeperServerProcess server;

	private final ApplicationContextRunner bare = new ApplicationContextRunner().withConfiguration(
			AutoConfigurations.of(ZooKeeperLockStoreAutoConfiguration.class, MemoryLockStoreAutoConfiguration.class,
					DistributedLockAutoConfiguration.class, DistributedLockAspectAutoConfiguration.class));

	private final ApplicationContextRunner runner = this.bare
		.withPropertyValues("distributed-lock.zookeeper.connect-string=" + server.connectString());

	private final ApplicationContextRunner nowhere = this.bare.withPropertyValues(
			"distributed-lock.zookeeper.connect-string=127.0.0.1:1",
			"distributed-lock.zookeeper.connection-timeout=1s");

	@BeforeAll
	static void start() {
		server = ZooKeeperServerProcess.start();
	}

	@AfterAll
	static void stop() {
		server.close();
	}

	@Test
	void locksAreHeldInZooKeeper() {
		this.runner.withPropertyValues("distributed-lock.zookeeper.namespace=acme/locks").run((context) -> {
			LockInspector inspector = context.getBean(LockInspector.class);
			assertThat(inspector.stores()).containsExactly("zookeeper");
			try (Lease lease = context.getBean(LockTemplate.class).acquire(LockRequest.of("stock", "1"))) {
				assertThat(inspector.find(lease.key(), null).orElseThrow().state()).isEqualTo(StoredLock.State.HELD);
				assertThat(acl("/acme/locks")).isNotBlank();
			}
		});
	}

	@Test
	void nodesBelongToTheUserWhoLogsIn() {
		this.runner
			.withPropertyValues("distributed-lock.zookeeper.namespace=guarded",
					"distributed-lock.zookeeper.auth.credentials=ann:secret")
			.run((context) -> {
				context.getBean(LockTemplate.class).acquire(LockRequest.of("stock", "1")).close();
				assertThat(acl("/guarded")).contains("digest").contains("ann:");
			});
	}

	private static String acl(String path) throws Exception {
		ZooKeeper client = new ZooKeeper(server.connectString(), 5000, (event) -> {
		});
		try {
			client.addAuthInfo("digest", "ann:secret".getBytes(StandardCharsets.UTF_8));
			return client.getACL(path, null).stream().map(ACL::toString).toList().toString();
		}
		finally {
			client.close();
		}
	}

	@Test
	void connectionDetailsWinOverProperties() {
		this.nowhere.withBean(ZooKeeperConnectionDetails.class, () -> () -> server.connectString())
			.run((context) -> assertThat(context).hasNotFailed().hasSingleBean(ZooKeeperConnectionDetails.class));
	}

	@Test
	void unreachableZooKeeperIsAnErrorAtStartUpThatNamesTheServer() {
		this.nowhere.run((context) -> {
			FailureAnalysis analysis = FailureAnalyses.of(context.getStartupFailure());
			assertThat(analysis.getDescription()).contains("127.0.0.1:1");
			assertThat(analysis.getAction()).contains("distributed-lock.zookeeper.connect-string")
				.contains("distributed-lock.zookeeper.enabled=false");
		});
	}

	@Test
	void switchedOffLocksNeedNoZooKeeper() {
		this.nowhere.withPropertyValues("distributed-lock.enabled=false")
			.run((context) -> assertThat(context).hasNotFailed());
	}

	@Test
	void memoryStoreInsteadNeedsNoZooKeeper() {
		this.nowhere.withPropertyValues("distributed-lock.store=memory")
			.run((context) -> assertThat(context.getBean(LockInspector.class).stores()).containsExactly("memory"));
	}

	@Test
	void storeIsAbsentWithoutAConnectString() {
		this.bare.withPropertyValues("distributed-lock.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean("zooKeeperLockStore"));
	}

	@Test
	void storeIsAbsentWithoutItsModule() {
		this.runner.withClassLoader(new FilteredClassLoader(ZooKeeperLockStore.class))
			.withPropertyValues("distributed-lock.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean("zooKeeperLockStore"));
	}

	@Test
	void storeCanBeSwitchedOff() {
		this.runner.withPropertyValues("distributed-lock.zookeeper.enabled=false", "distributed-lock.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean("zooKeeperLockStore"));
	}

	@Test
	void storeBacksOff() {
		this.runner
			.withBean("mine", ZooKeeperLockStore.class,
					() -> ZooKeeperLockStore.builder(server.connectString()).name("mine").build())
			.run((context) -> assertThat(context.getBean(LockInspector.class).stores()).containsExactly("mine"));
	}

	@Test
	void unusablePropertiesAreErrorsThatSayWhatToType() {
		assertThat(message("connect-string=")).contains("Use host:port");
		assertThat(message("connect-string=a:1/locks")).contains("distributed-lock.zookeeper.namespace");
		assertThat(message("namespace=/x")).contains("distributed-lock.zookeeper.namespace is '/x'");
		assertThat(message("connection-timeout=0s")).contains("distributed-lock.zookeeper.connection-timeout is 0ms");
		assertThat(message("tick-time=-1s")).contains("distributed-lock.zookeeper.tick-time is -1000ms");
		assertThat(message("auth.credentials=geheim")).contains("must be user:password").doesNotContain("geheim");
	}

	private String message(String property) {
		StringBuilder message = new StringBuilder();
		this.runner.withPropertyValues("distributed-lock.zookeeper." + property)
			.run((context) -> message
				.append(NestedExceptionUtils.getMostSpecificCause(context.getStartupFailure()).getMessage()));
		return message.toString();
	}

	@Test
	void socketsAreInNativeImages() {
		RuntimeHints hints = new RuntimeHints();
		new ZooKeeperLockStoreAutoConfiguration.Sockets().registerHints(hints, getClass().getClassLoader());
		assertThat(RuntimeHintsPredicates.reflection()
			.onType(ClientCnxnSocketNIO.class)
			.withMemberCategory(MemberCategory.INVOKE_DECLARED_CONSTRUCTORS)).accepts(hints);
	}

}
