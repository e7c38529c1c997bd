package io.distributedlock.store.redis;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

import org.jspecify.annotations.Nullable;

/**
 * Stands between a client and a server, and loses the server's answers when told to.
 * Commands still come through.
 */
final class MuteProxy implements AutoCloseable {

	private volatile int target;

	private final ServerSocket listening;

	private final List<Closeable> connections = new CopyOnWriteArrayList<>();

	private volatile boolean mute;

	private volatile @Nullable String lastWords;

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
		this.mute = true;
	}

	/**
	 * Loses the answer to a command with this text, and all that come after it.
	 */
	void muteFrom(String text) {
		this.lastWords = text;
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
		this.lastWords = null;
		this.mute = false;
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
				if (!answers) {
					listen(buffer, read);
				}
				if (!answers || !this.mute) {
					out.write(buffer, 0, read);
				}
				read = in.read(buffer);
			}
		}
	}

	/**
	 * Before the server gets to know the command: its answer cannot be quicker.
	 */
	private void listen(byte[] command, int length) {
		String text = this.lastWords;
		if (text != null && new String(command, 0, length, StandardCharsets.ISO_8859_1).contains(text)) {
			this.mute = true;
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
