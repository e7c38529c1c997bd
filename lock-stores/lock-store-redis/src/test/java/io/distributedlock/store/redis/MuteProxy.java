package io.distributedlock.store.redis;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Stands between a client and a server, and loses the server's answers when told to.
 * Commands still come through.
 */
final class MuteProxy implements AutoCloseable {

	private volatile int target;

	private final ServerSocket listening;

	private final List<Closeable> connections = new CopyOnWriteArrayList<>();

	private final AtomicInteger answersLeft = new AtomicInteger(Integer.MAX_VALUE);

	MuteProxy(int target) {
		this(0, target);
	}

	/**
	 * Makes a proxy on a given port.
	 */
	MuteProxy(int port, int target) {
		this.target = target;
		try {
			this.listening = new ServerSocket(port, 50, InetAddress.getLoopbackAddress());
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		start(this::accept);
	}

	int port() {
		return this.listening.getLocalPort();
	}

	void mute() {
		muteAfter(0);
	}

	/**
	 * Lets a few more answers through, each of which has to come by itself.
	 */
	void muteAfter(int answers) {
		this.answersLeft.set(answers);
	}

	/**
	 * Lets new connections lead to another server; the present ones stay.
	 */
	void leadTo(int port) {
		this.target = port;
	}

	/**
	 * Lets answers through again, on new connections: what a connection has lost it never
	 * brings.
	 */
	void speak() {
		closeAll(this.connections);
		muteAfter(Integer.MAX_VALUE);
	}

	private void accept() throws IOException {
		while (true) {
			Socket client = this.listening.accept();
			Socket server = new Socket(InetAddress.getLoopbackAddress(), this.target);
			client.setTcpNoDelay(true);
			server.setTcpNoDelay(true);
			this.connections.add(client);
			this.connections.add(server);
			start(() -> pump(client, server, false));
			start(() -> pump(server, client, true));
		}
	}

	private void pump(Socket from, Socket to, boolean answers) throws IOException {
		byte[] buffer = new byte[8192];
		try (from; to) {
			InputStream in = from.getInputStream();
			OutputStream out = to.getOutputStream();
			int read = in.read(buffer);
			while (read >= 0) {
				if (!answers || this.answersLeft.getAndUpdate((left) -> Math.max(0, left - 1)) > 0) {
					out.write(buffer, 0, read);
				}
				read = in.read(buffer);
			}
		}
	}

	private static void start(Work work) {
		Thread thread = new Thread(() -> {
			try {
				work.run();
			}
			catch (IOException ex) {
				// One side has closed; try-with-resources has closed the other.
			}
		}, "mute-proxy");
		thread.setDaemon(true);
		thread.start();
	}

	private static void closeAll(Iterable<? extends Closeable> resources) {
		for (Closeable resource : resources) {
			try {
				resource.close();
			}
			catch (IOException ex) {
				throw new UncheckedIOException(ex);
			}
		}
	}

	@Override
	public void close() {
		closeAll(List.of(this.listening));
		closeAll(this.connections);
	}

	private interface Work {

		void run() throws IOException;

	}

}
