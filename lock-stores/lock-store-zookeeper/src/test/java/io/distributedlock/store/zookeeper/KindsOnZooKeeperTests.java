package io.distributedlock.store.zookeeper;

import java.io.BufferedReader;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import org.apache.zookeeper.ZKUtil;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.Lease;
import io.distributedlock.LockMode;
import io.distributedlock.LockRequest;
import io.distributedlock.MultiLease;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.LockStore;
import io.distributedlock.store.zookeeper.server.ZooKeeperServerProcess;
import io.distributedlock.test.KindsContractTests;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Every kind of lock, of three JVMs over one ZooKeeper.
 */
class KindsOnZooKeeperTests extends KindsContractTests {

	private static final Logger logger = LoggerFactory.getLogger(KindsOnZooKeeperTests.class);

	private static ZooKeeperServerProcess server;

	private ZooKeeperLockStore store;

	@BeforeAll
	static void start() {
		server = ZooKeeperServerProcess.start();
	}

	@AfterAll
	static void stop() {
		server.close();
	}

	@Override
	protected LockStore createStore(String instance) {
		this.store = ZooKeeperLockStore.builder(server.connectString())
			.instanceId(instance)
			.tickTime(Duration.ofSeconds(1))
			.ttl(Duration.ofSeconds(10))
			.build();
		return this.store;
	}

	@Override
	protected void assertNothingLeft() throws Exception {
		ZooKeeper session = this.store.session(Duration.ofSeconds(10)).zk();
		assertThat(ZKUtil.listSubTreeBFS(session, "/distributed-lock"))
			.noneMatch((node) -> node.matches(".*/(kinds|account|a-desk).*"));
	}

	@Test
	void aThousandLocksComeTogetherFasterThanOneByOne() {
		LockEngine jvm = jvm(0);
		List<LockRequest> many = IntStream.range(0, 1000).mapToObj((i) -> request("many", i)).toList();
		jvm.acquireAll(many).close();
		long began = System.nanoTime();
		try (MultiLease leases = jvm.acquireAll(many)) {
			leases.assertHeld();
		}
		Duration together = Duration.ofNanos(System.nanoTime() - began);
		began = System.nanoTime();
		for (LockRequest one : many) {
			jvm.acquire(one).close();
		}
		Duration oneByOne = Duration.ofNanos(System.nanoTime() - began);
		logger.info("1,000 locks acquired and released: together {} ms, one by one {} ms", together.toMillis(),
				oneByOne.toMillis());
		assertThat(together).isLessThan(oneByOne);
	}

	@Test
	void aReaderWhoseJvmDiesLetsTheWriterThatWaitsGoOnSoonAfterItsTtl() throws Exception {
		Duration ttl = Duration.ofSeconds(1);
		LockRequest write = request("book");
		Process reader = new ProcessBuilder(System.getProperty("java.home") + "/bin/java", "-Xmx96m", "-cp",
				System.getProperty("java.class.path"), Reader.class.getName(), server.connectString(),
				write.key().parts().get(0), String.valueOf(ttl.toMillis()))
			.redirectError(ProcessBuilder.Redirect.INHERIT)
			.start();
		try (BufferedReader output = reader.inputReader()) {
			long token = Long.parseLong(output.readLine());
			Lease living = jvm(0).acquire(write.withMode(LockMode.READ));
			Future<Lease> writer = run(() -> jvm(1).acquire(write));
			eventually().until(() -> queued(write) == 1);
			assertThat(jvm(2).find(write.key(), null).orElseThrow().shares()).hasSize(2);
			reader.destroyForcibly().waitFor();
			long died = System.nanoTime();
			living.close();
			try (Lease lease = writer.get(60, TimeUnit.SECONDS)) {
				Duration taken = Duration.ofNanos(System.nanoTime() - died);
				logger.info("A reader's JVM with a ttl of {} ms was killed: the writer went on after {} ms",
						ttl.toMillis(), taken.toMillis());
				// Two ticks of margin, the leader looks once per tick, the writer asks
				// again every 400 ms, and the machine may be busy. Other sessions last
				// for 30 s.
				assertThat(taken).isLessThan(ttl.plusSeconds(9));
				assertThat(lease.fencingToken()).isGreaterThan(token);
			}
			all(List.of());
		}
		finally {
			reader.destroyForcibly().waitFor();
		}
	}

	/**
	 * Reads until it is killed.
	 */
	static final class Reader {

		private Reader() {
		}

		public static void main(String[] arguments) throws InterruptedException {
			ZooKeeperLockStore store = ZooKeeperLockStore.builder(arguments[0]).tickTime(Duration.ofSeconds(1)).build();
			LockEngine engine = LockEngine.builder().store(store).build();
			Lease lease = engine.acquire(LockRequest.of("kinds", arguments[1], "book")
				.withMode(LockMode.READ)
				.withTtl(Duration.ofMillis(Long.parseLong(arguments[2]))));
			System.out.println(lease.fencingToken());
			while (lease.isHeld()) {
				TimeUnit.MILLISECONDS.sleep(20);
			}
			System.out.println("lost");
		}

	}

}
