package io.distributedlock.containers;

import java.util.Set;

import com.github.dockerjava.api.command.CreateContainerCmd;
import com.github.dockerjava.api.model.ExposedPort;
import com.github.dockerjava.api.model.HostConfig;
import com.github.dockerjava.api.model.PortBinding;
import com.github.dockerjava.api.model.Ports;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.utility.DockerImageName;

/**
 * A server in a container that lives as long as its test class. Ports are published on
 * the loopback interface if the engine is on this machine.
 *
 * @see RequiredImage
 */
final class ServerContainer implements ExecutionCondition, BeforeAllCallback, AfterAllCallback {

	static final String REDIS_8 = "redis:8.0";

	static final String VALKEY_8 = "valkey/valkey:8.1";

	static final String ETCD_3_5 = "gcr.io/etcd-development/etcd:v3.5.16";

	private static final int REDIS_PORT = 6379;

	private static final int ETCD_PORT = 2379;

	private final RequiredImage image;

	private final GenericContainer<?> container;

	private final int port;

	private ServerContainer(GenericContainer<?> container, int port) {
		this.image = new RequiredImage(container.getDockerImageName());
		this.container = container;
		this.port = port;
	}

	/**
	 * Makes a server for an extension field of a test class.
	 */
	static ServerContainer redis(String image) {
		return new ServerContainer(redisBean(image), REDIS_PORT);
	}

	/**
	 * Makes a server for an extension field of a test class.
	 */
	static ServerContainer etcd() {
		return new ServerContainer(etcdBean(), ETCD_PORT);
	}

	/**
	 * Makes a container for a bean.
	 */
	static GenericContainer<?> redisBean(String image) {
		return published(image, REDIS_PORT);
	}

	/**
	 * Makes a container for a bean. There is no shell in the image that could look
	 * whether the port is open.
	 */
	static GenericContainer<?> etcdBean() {
		return published(ETCD_3_5, ETCD_PORT)
			.withCommand("etcd", "--listen-client-urls", "http://0.0.0.0:" + ETCD_PORT, "--advertise-client-urls",
					"http://0.0.0.0:" + ETCD_PORT)
			.waitingFor(Wait.forHttp("/health").forPort(ETCD_PORT));
	}

	private static GenericContainer<?> published(String image, int port) {
		return new GenericContainer<>(DockerImageName.parse(image)).withExposedPorts(port)
			.withCreateContainerCmdModifier(ServerContainer::publishOnLoopback);
	}

	private static void publishOnLoopback(CreateContainerCmd command) {
		String host = DockerClientFactory.instance().dockerHostIpAddress();
		HostConfig config = command.getHostConfig();
		ExposedPort[] exposed = command.getExposedPorts();
		if (!Set.of("localhost", "127.0.0.1").contains(host) || config == null || exposed == null) {
			return;
		}
		PortBinding[] bindings = new PortBinding[exposed.length];
		for (int i = 0; i < exposed.length; i++) {
			bindings[i] = new PortBinding(Ports.Binding.bindIp("127.0.0.1"), exposed[i]);
		}
		config.withPortBindings(bindings);
	}

	@Override
	public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
		return this.image.evaluateExecutionCondition(context);
	}

	@Override
	public void beforeAll(ExtensionContext context) {
		this.container.start();
	}

	@Override
	public void afterAll(ExtensionContext context) {
		this.container.stop();
	}

	GenericContainer<?> container() {
		return this.container;
	}

	String host() {
		return this.container.getHost();
	}

	int port() {
		return this.container.getMappedPort(this.port);
	}

	String httpUrl() {
		return "http://" + host() + ":" + port();
	}

	void pause() {
		DockerClientFactory.lazyClient().pauseContainerCmd(this.container.getContainerId()).exec();
	}

	void unpause() {
		DockerClientFactory.lazyClient().unpauseContainerCmd(this.container.getContainerId()).exec();
	}

}
