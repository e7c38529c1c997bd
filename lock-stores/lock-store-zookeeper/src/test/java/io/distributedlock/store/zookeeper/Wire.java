package io.distributedlock.store.zookeeper;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The way from a client to a server. It can be blocked, so that nothing passes and nobody
 * is told, as when a server loses its power; or cut, so that both sides notice.
 */
final class Wire implements AutoCloseable {

	private final int target;

	private final ServerSocket listening;

	private final List<Socket> sockets = new CopyOnWriteArrayList<>();

	private final ReentrantLock mutex = new ReentrantLock();

	private final Condition changed = this.mutex.newCondition();

	private boolean blocked;

	private volatile boolean cut;

	Wire(int target) {
		this.target = target;
		try {
			this.listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		start(this::listen);
	}

	private void listen() throws IOException {
		while (true) {
			Socket client = this.listening.accept();
			if (this.cut) {
				client.close();
				continue;
			}
			Socket server = new Socket(InetAddress.getLoopbackAddress(), this.target);
			this.sockets.addAll(List.of(client, server));
			start(() -> pass(client, server));
			start(() -> pass(server, client));
		}
	}

	private void pass(Socket from, Socket to) throws IOException, InterruptedException {
		try (from; to) {
			InputStream input = from.getInputStream();
			OutputStream output = to.getOutputStream();
			byte[] buffer = new byte[8192];
			for (int count = input.read(buffer); count >= 0; count = input.read(buffer)) {
				awaitPassage();
				output.write(buffer, 0, count);
			}
		}
		finally {
			this.sockets.removeAll(List.of(from, to));
		}
	}

	private void awaitPassage() throws InterruptedException {
		this.mutex.lock();
		try {
			while (this.blocked) {
				this.changed.await();
			}
		}
		finally {
			this.mutex.unlock();
		}
	}

	String connectString() {
		return "127.0.0.1:" + this.listening.getLocalPort();
	}

	boolean isInUse() {
		return !this.sockets.isEmpty();
	}

	void block() {
		set(true);
	}

	void free() {
		set(false);
	}

	private void set(boolean value) {
		this.mutex.lock();
		try {
			this.blocked = value;
			this.changed.signalAll();
		}
		finally {
			this.mutex.unlock();
		}
	}

	void cut() throws IOException {
		this.cut = true;
		for (Socket socket : this.sockets) {
			socket.close();
		}
	}

	void mend() {
		this.cut = false;
	}

	@Override
	public void close() throws IOException {
		free();
		this.listening.close();
		cut();
	}

	private static void start(Work work) {
		Thread thread = new Thread(() -> {
			try {
				work.run();
			}
			catch (IOException ex) {
				// One side has closed its connection, and so the other was closed.
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
			}
		}, "wire");
		thread.setDaemon(true);
		thread.start();
	}

	private interface Work {

		void run() throws IOException, InterruptedException;

	}

}
