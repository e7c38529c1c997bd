package io.distributedlock.store.redis;

import java.util.Collections;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class KnownReplicasTests {

	private final KnownReplicas known = new KnownReplicas();

	private static String info(String id, String before, int online, String... others) {
		return "# Replication\r\nrole:master\r\nconnected_slaves:" + (online + others.length) + "\r\n"
				+ String.join("",
						Collections.nCopies(online, "slave0:ip=127.0.0.1,port=1,state=online,offset=9,lag=0\r\n"))
				+ String.join("", others) + "master_failover_state:no-failover\r\nmaster_replid:" + id
				+ "\r\nmaster_replid2:" + before + "\r\nmaster_repl_offset:9\r\n";
	}

	@Test
	void allThatAreOnlineAreDemanded() {
		assertThat(this.known.observe(info("a", "0", 2))).isEqualTo(2);
		assertThat(this.known.observe(info("a", "0", 3))).isEqualTo(3);
	}

	@Test
	void aReplicaThatVanishedIsStillDemanded() {
		this.known.observe(info("a", "0", 2));
		assertThat(this.known.observe(info("a", "0", 1))).isEqualTo(2);
		assertThat(this.known.observe(info("a", "0", 0))).isEqualTo(2);
	}

	@Test
	void aPrimaryWithoutReplicasIsNeverEnough() {
		assertThat(this.known.observe(info("a", "0", 0))).isEqualTo(1);
	}

	@Test
	void aReplicaThatStillLoadsItsFirstCopyIsNotDemanded() {
		assertThat(this.known
			.observe(info("a", "0", 1, "slave1:ip=127.0.0.1,port=2,state=wait_bgsave,offset=0,lag=0\r\n")))
			.isEqualTo(1);
	}

	@Test
	void aReplicaThatHasJustJoinedIsDemandedAlthoughItHasAcknowledgedNothing() {
		assertThat(this.known
			.observe(info("a", "0", 1, "slave1:ip=127.0.0.1,port=2,state=online,offset=0,lag=0,type=replica\r\n")))
			.isEqualTo(2);
	}

	@Test
	void aNewPrimaryNeedsOneReplicaLessThanTheOneBeforeUntilMoreAreOnline() {
		this.known.observe(info("a", "0", 3));
		assertThat(this.known.observe(info("b", "a", 0))).isEqualTo(2);
		assertThat(this.known.observe(info("b", "a", 3))).isEqualTo(3);
	}

	@Test
	void thePrimaryBeforeStillNeedsAllItsReplicas() {
		this.known.observe(info("a", "0", 2));
		this.known.observe(info("b", "a", 1));
		assertThat(this.known.observe(info("a", "0", 0))).isEqualTo(2);
	}

	@Test
	void aNewPrimaryNeverNeedsLessThanOne() {
		this.known.observe(info("a", "0", 1));
		assertThat(this.known.observe(info("b", "a", 0))).isEqualTo(1);
	}

	@Test
	void primariesOfOtherShardsDoNotMatter() {
		this.known.observe(info("a", "0", 2));
		assertThat(this.known.observe(info("x", "0", 1))).isEqualTo(1);
	}

}
