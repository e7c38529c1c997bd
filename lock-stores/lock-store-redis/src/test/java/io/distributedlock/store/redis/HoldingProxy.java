package io.distributedlock.store.redis;

import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;

/**
 * Stands between a client and a server. Answers on connections that exist when it is told
 * to hold them come later; new connections are not slowed down.
 */
final class HoldingProxy implements AutoCloseable {

	private final int target;

	private final ServerSocket listening;

	private final List<Relay> relays = new CopyOnWriteArrayList<>();

	HoldingProxy(int target) {
		this.target = target;
		try {
			this.listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		start(() -> {
			while (true) {
				Relay relay = new Relay(this.listening.accept(),
						new Socket(InetAddress.getLoopbackAddress(), this.target));
				this.relays.add(relay);
				start(() -> relay.client.getInputStream().transferTo(relay.server.getOutputStream()));
				start(relay::answer);
			}
		});
	}

	int port() {
		return this.listening.getLocalPort();
	}

	int connections() {
		return this.relays.size();
	}

	void hold() {
		this.relays.forEach((relay) -> relay.gate = new CountDownLatch(1));
	}

	void letGo() {
		this.relays.forEach((relay) -> relay.gate.countDown());
	}

	private static void start(Work work) {
		Thread thread = new Thread(() -> {
			try {
				work.run();
			}
			catch (IOException | InterruptedException ex) {
				// A side has closed its connection, and close() closes the other.
			}
		}, "holding-proxy");
		thread.setDaemon(true);
		thread.start();
	}

	@Override
	public void close() throws IOException {
		letGo();
		this.listening.close();
		for (Relay relay : this.relays) {
			relay.close();
		}
	}

	private static final class Relay implements Closeable {

		private final Socket client;

		private final Socket server;

		private volatile CountDownLatch gate = new CountDownLatch(0);

		Relay(Socket client, Socket server) throws IOException {
			this.client = client;
			this.server = server;
			client.setTcpNoDelay(true);
			server.setTcpNoDelay(true);
		}

		void answer() throws IOException, InterruptedException {
			byte[] buffer = new byte[8192];
			for (int read = this.server.getInputStream().read(buffer); read >= 0; read = this.server.getInputStream()
				.read(buffer)) {
				this.gate.await();
				this.client.getOutputStream().write(buffer, 0, read);
			}
		}

		@Override
		public void close() throws IOException {
			this.client.close();
			this.server.close();
		}

	}

	private interface Work {

		void run() throws IOException, InterruptedException;

	}

}
