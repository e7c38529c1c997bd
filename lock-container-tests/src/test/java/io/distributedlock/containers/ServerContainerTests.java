package io.distributedlock.containers;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;

import com.github.dockerjava.api.model.Ports;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

/**
 * Whoever runs the tests opens no port to others.
 */
class ServerContainerTests {

	@RegisterExtension
	static final ServerContainer server = ServerContainer.redis(ServerContainer.REDIS_8);

	@Test
	void theServerIsReachedFromThisMachineOnly() throws UnknownHostException {
		assumeThat(InetAddress.getByName(server.host()).isLoopbackAddress()).isTrue();
		List<Ports.Binding> bindings = server.container()
			.getContainerInfo()
			.getNetworkSettings()
			.getPorts()
			.getBindings()
			.values()
			.stream()
			.flatMap(Arrays::stream)
			.toList();
		assertThat(bindings).extracting(Ports.Binding::getHostIp).containsOnly("127.0.0.1");
	}

}
