package io.distributedlock.benchmarks.server;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class CommandSampleTests {

	@Test
	void commandsOfScriptsAreToldFromThoseOfClients() {
		CommandSample sample = new CommandSample();
		sample.add("+1700000000.123456 [0 127.0.0.1:50000] \"EVALSHA\" \"abc\" \"1\" \"key\"");
		sample.add("+1700000000.123457 [0 lua] \"get\" \"key\"");
		sample.add("+1700000000.123458 [0 lua] \"del\" \"key\"");
		sample.add("+1700000000.123459 [0 127.0.0.1:50000] \"DEL\" \"latch\"");
		sample.add("no line of MONITOR");

		assertThat(sample.sentByClients("evalsha")).isEqualTo(1);
		assertThat(sample.sentByClients("get")).isZero();
		assertThat(sample.sentByClients("del")).isEqualTo(0.5);
		assertThat(sample.sentByClients("never-seen")).isEqualTo(1);
	}

}
