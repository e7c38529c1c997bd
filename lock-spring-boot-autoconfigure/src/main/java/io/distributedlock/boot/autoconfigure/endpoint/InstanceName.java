package io.distributedlock.boot.autoconfigure.endpoint;

import java.net.InetAddress;
import java.net.UnknownHostException;

import org.springframework.core.env.Environment;

/**
 * What this instance is called: {@code distributed-lock.instance-id}, or else host and
 * process.
 */
final class InstanceName {

	private InstanceName() {
	}

	static String of(Environment environment) {
		String configured = environment.getProperty("distributed-lock.instance-id");
		return (configured != null && !configured.isBlank()) ? configured
				: host() + ":" + ProcessHandle.current().pid();
	}

	private static String host() {
		try {
			return InetAddress.getLocalHost().getHostName();
		}
		catch (UnknownHostException ex) {
			return "localhost";
		}
	}

}
