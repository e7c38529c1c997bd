package io.distributedlock.engine;

import java.util.Collections;
import java.util.List;
import java.util.Random;

import io.distributedlock.LockKey;
import io.distributedlock.engine.WaitStep.Kind;
import io.distributedlock.spi.AttemptId;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Messages survive their way, and nothing else is taken for one.
 */
class DeadlockMessageTests {

	private static final String ID = "AAAAAAAAAAAAAAAAAAAAAA";

	private static WaitStep step(String owner) {
		return new WaitStep(AttemptId.random().toString(), "host-1.example", 17, owner,
				LockKey.of("stock", "a b;c,d", "ü").id(), Kind.READING, 1_700_000_000_000_000L);
	}

	@Test
	void aProbeComesOutAsItWentIn() {
		DeadlockMessage probe = DeadlockMessage.probe(List.of(step("http-nio-8080-exec-1"), step("a;b,c d%ü#*")));
		assertThat(DeadlockMessage.parse(probe.text())).isEqualTo(probe);
		assertThat(probe.text()).matches("\\p{Print}+").doesNotContain(" ");
	}

	@Test
	void aConfirmationComesOutAsItWentIn() {
		DeadlockMessage confirmation = new DeadlockMessage(1, 3, List.of(step("a"), step("")));
		assertThat(DeadlockMessage.parse(confirmation.text())).isEqualTo(confirmation);
	}

	@Test
	void longNamesOfOwnersAreCutAndLineBreaksDoNotComeThrough() {
		DeadlockMessage parsed = DeadlockMessage
			.parse(DeadlockMessage.probe(List.of(step("x".repeat(500)), step("a\nERROR forged"))).text());
		assertThat(parsed.steps().get(0).owner()).hasSize(64).endsWith("...");
		assertThat(parsed.steps().get(1).owner()).isEqualTo("a?ERROR forged");
	}

	@Test
	void aPathMayHaveAsManyStepsAsThereAreLocksInALongCycle() {
		List<WaitStep> longest = Collections.nCopies(DeadlockMessage.MAX_STEPS, step("a"));
		assertThat(DeadlockMessage.parse(DeadlockMessage.probe(longest).text())).isNotNull();
		List<WaitStep> longer = Collections.nCopies(DeadlockMessage.MAX_STEPS + 1, step("a"));
		assertThat(DeadlockMessage.parse(DeadlockMessage.probe(longer).text())).isNull();
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "1p", "1p;", "2p;" + ID + ",a,1,o,k,a,1", "1p;" + ID + ",a,1,o,k,a",
			"1p;" + ID + ",a,1,o,k,x,1", "1p;" + ID + ",a,-1,o,k,a,1", "1p;" + ID + ",a,1,o,,a,1",
			"1p;" + ID + ",a,1,o,k k,a,1", "1p;short,a,1,o,k,a,1", "1p;" + ID + ",a,1,%zz,k,a,1",
			"1p;" + ID + ",a,9999999999999999999,o,k,a,1", "1c,1,1;" + ID + ",a,1,o,k,a,1",
			"1c,0,0;" + ID + ",a,1,o,k,a,1", "1c,0,3;" + ID + ",a,1,o,k,a,1", "1c,0;" + ID + ",a,1,o,k,a,1",
			"1c,-1,1;" + ID + ",a,1,o,k,a,1", "1p,0,1;" + ID + ",a,1,o,k,a,1", "1p;" + ID + ",a,1,o,k,a,1;" })
	void whatLooksDifferentIsNoMessage(String text) {
		assertThat(DeadlockMessage.parse(text)).isNull();
	}

	@Test
	void nothingThatIsReadThrows() {
		Random random = new Random(7);
		for (int i = 0; i < 20_000; i++) {
			StringBuilder text = new StringBuilder(DeadlockMessage.probe(List.of(step("a"), step("b"))).text());
			for (int change = 0; change < 1 + random.nextInt(6); change++) {
				text.setCharAt(random.nextInt(text.length()), (char) random.nextInt(300));
			}
			DeadlockMessage parsed = DeadlockMessage.parse(text.toString());
			assertThat(parsed == null || parsed.steps().size() >= 1).isTrue();
		}
	}

}
