package io.distributedlock.benchmarks.several;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Arrays;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.benchmarks.peer.Address;

/**
 * Stands between clients and a server on loopback as a long line would: everything takes
 * the same time to get to the other side, and as much as one likes is under way at once,
 * so that it limits no bandwidth.
 */
final class DelayingProxy implements AutoCloseable {

	private static final int BUFFER = 256 * 1024;

	private final ServerSocket listener;

	private final Address server;

	private final long delay;

	private final Queue<Socket> sockets = new ConcurrentLinkedQueue<>();

	/**
	 * Starts a proxy on a free port.
	 * @param server where to pass everything on to
	 * @param delay nanoseconds each way
	 */
	DelayingProxy(Address server, long delay) throws IOException {
		this.server = server;
		this.delay = delay;
		this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
		start(this::accept);
	}

	Address address() {
		return new Address("127.0.0.1", this.listener.getLocalPort());
	}

	private void accept() {
		while (!this.listener.isClosed()) {
			try {
				Socket client = this.listener.accept();
				Socket upstream = new Socket(this.server.host(), this.server.port());
				connect(client, upstream);
				connect(upstream, client);
			}
			catch (IOException ex) {
				close();
			}
		}
	}

	private void connect(Socket from, Socket to) throws IOException {
		this.sockets.add(from);
		from.setTcpNoDelay(true);
		BlockingQueue<Chunk> underWay = new LinkedBlockingQueue<>();
		start(() -> read(from, underWay));
		start(() -> write(to, underWay));
	}

	private void read(Socket from, BlockingQueue<Chunk> underWay) {
		byte[] buffer = new byte[BUFFER];
		try (InputStream in = from.getInputStream()) {
			for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
				underWay.add(new Chunk(System.nanoTime() + this.delay, Arrays.copyOf(buffer, length)));
			}
		}
		catch (IOException ex) {
			// The other side learns of it by the end below.
		}
		underWay.add(new Chunk(System.nanoTime(), new byte[0]));
	}

	private static void write(Socket to, BlockingQueue<Chunk> underWay) {
		try (OutputStream out = to.getOutputStream()) {
			for (Chunk chunk = underWay.take(); chunk.bytes.length > 0; chunk = underWay.take()) {
				for (long left = chunk.due - System.nanoTime(); left > 0; left = chunk.due - System.nanoTime()) {
					LockSupport.parkNanos(left);
				}
				out.write(chunk.bytes);
			}
		}
		catch (IOException ex) {
			// Closed.
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

	private static void start(Runnable task) {
		Thread thread = new Thread(task, "proxy");
		thread.setDaemon(true);
		thread.start();
	}

	@Override
	public void close() {
		try {
			this.listener.close();
			for (Socket socket : this.sockets) {
				socket.close();
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	private record Chunk(long due, byte[] bytes) {
	}

}
