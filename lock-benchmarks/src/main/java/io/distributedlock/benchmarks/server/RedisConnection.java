package io.distributedlock.benchmarks.server;

import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;

import io.distributedlock.benchmarks.peer.Address;

/**
 * A plain connection to Redis: one command, one answer.
 */
final class RedisConnection implements AutoCloseable {

	private static final int TIMEOUT_MILLIS = 10_000;

	private final Socket socket;

	private final InputStream in;

	private final OutputStream out;

	RedisConnection(Address address) throws IOException {
		this(address, TIMEOUT_MILLIS);
	}

	RedisConnection(Address address, int timeoutMillis) throws IOException {
		this.socket = new Socket();
		this.socket.setTcpNoDelay(true);
		this.socket.setSoTimeout(timeoutMillis);
		this.socket.connect(new InetSocketAddress(address.host(), address.port()), TIMEOUT_MILLIS);
		this.in = new BufferedInputStream(this.socket.getInputStream(), 1 << 16);
		this.out = this.socket.getOutputStream();
	}

	String command(String... words) throws IOException {
		StringBuilder request = new StringBuilder("*").append(words.length).append("\r\n");
		for (String word : words) {
			request.append('$').append(word.length()).append("\r\n").append(word).append("\r\n");
		}
		this.out.write(request.toString().getBytes(StandardCharsets.US_ASCII));
		String answer = line();
		if (answer.startsWith("-")) {
			throw new IOException("Redis answered " + answer + " to " + String.join(" ", words));
		}
		if (!answer.startsWith("$")) {
			return answer;
		}
		int length = Integer.parseInt(answer.substring(1));
		byte[] bytes = this.in.readNBytes(length);
		if (bytes.length < length) {
			throw new EOFException("Redis closed the connection");
		}
		line();
		return new String(bytes, StandardCharsets.UTF_8);
	}

	/** Reads a line that the server sends. */
	String line() throws IOException {
		StringBuilder line = new StringBuilder();
		int next = this.in.read();
		while (next != '\n') {
			if (next < 0) {
				throw new EOFException("Redis closed the connection");
			}
			if (next != '\r') {
				line.append((char) next);
			}
			next = this.in.read();
		}
		return line.toString();
	}

	@Override
	public void close() throws IOException {
		this.socket.close();
	}

}
