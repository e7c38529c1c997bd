package io.distributedlock.sample.servers;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

import io.distributedlock.sample.servers.ServerProgram.Occupant;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Membership of this instance in a server that several instances share. The first
 * instance starts the server, further ones join it, and the last one that ends in an
 * orderly way stops it.
 * <p>
 * Members hold a shared lock on a file, which the operating system takes away when a
 * process dies, however it dies. So {@code kill -9} of an instance leaves the server to
 * the others; and if nobody is left, the next start joins what still runs.
 */
final class SharedServer implements AutoCloseable {

	private static final Logger logger = LoggerFactory.getLogger(SharedServer.class);

	// Closing any channel of a file drops all locks that this process has on it, so there
	// is one channel for each file and JVM, counted.
	private static final Map<Path, Members> MEMBERS = new HashMap<>();

	private static final ReentrantLock mutex = new ReentrantLock();

	private final ServerProgram program;

	private final ServerSite site;

	private boolean closed;

	private SharedServer(ServerProgram program, ServerSite site) {
		this.program = program;
		this.site = site;
	}

	/**
	 * Joins the server, and starts it if it does not run.
	 * @param program what kind of server
	 * @param directory where it lives; absolute
	 * @param port its port, or 0 for a free one
	 * @return the membership; close it to leave
	 * @throws ServerException if the server cannot be started, or the port is a
	 * stranger's
	 */
	static SharedServer join(ServerProgram program, Path directory, int port) {
		if (System.getProperty("os.name").startsWith("Windows")) {
			throw new ServerException("The embedded " + program.name() + " runs on Linux and macOS only.", null);
		}
		mutex.lock();
		try {
			Files.createDirectories(directory);
			Members members = MEMBERS.get(directory);
			if (members == null) {
				members = new Members(directory);
			}
			FileLock change = members.lockForChange();
			try {
				ServerSite site = ServerSite.open(directory, port);
				ensureRunning(program, site);
				members.enter();
				MEMBERS.put(directory, members);
				return new SharedServer(program, site);
			}
			finally {
				change.release();
				members.closeIfEmpty();
			}
		}
		catch (IOException ex) {
			throw new ServerException("The embedded " + program.name() + " in " + directory + " does not start: "
					+ ex.getMessage() + " If its files are damaged, delete the directory.", ex);
		}
		finally {
			mutex.unlock();
		}
	}

	private static void ensureRunning(ServerProgram program, ServerSite site) throws IOException {
		Occupant occupant = program.occupant(site);
		if (occupant == Occupant.STRANGER) {
			site.endLeftOvers();
			occupant = program.occupant(site);
		}
		switch (occupant) {
			case OURS -> logger.info("Joined the {} that runs on {}:{}", program.name(), ServerSite.HOST, site.port());
			case NOBODY -> {
				long start = System.nanoTime();
				program.start(site);
				logger.info("Started {} on {}:{} in {} ms; password and data are in {}", program.name(),
						ServerSite.HOST, site.port(), (System.nanoTime() - start) / 1_000_000, site.directory());
			}
			case STRANGER -> throw new ServerException("Port " + site.port() + " of " + ServerSite.HOST
					+ " is taken by something that is not this project's " + program.name()
					+ ". Choose another port with --" + program.portProperty() + "=..., or end what runs there.", null);
		}
	}

	ServerSite site() {
		return this.site;
	}

	@Override
	public void close() {
		mutex.lock();
		try {
			if (this.closed) {
				return;
			}
			this.closed = true;
			Members members = MEMBERS.get(this.site.directory());
			if (members == null) {
				return;
			}
			FileLock change = members.lockForChange();
			try {
				if (members.leave()) {
					stop();
					logger.info("Stopped {}: this was the last instance", this.program.name());
				}
			}
			finally {
				change.release();
				if (members.closeIfEmpty()) {
					MEMBERS.remove(this.site.directory());
				}
			}
		}
		catch (IOException ex) {
			logger.warn("The embedded {} was not stopped; the next start joins it", this.program.name(), ex);
		}
		finally {
			mutex.unlock();
		}
	}

	private void stop() throws IOException {
		try {
			this.program.stop(this.site);
		}
		catch (IOException ex) {
			// Its files may have been wiped under it.
			this.site.endLeftOvers();
			if (this.program.occupant(this.site) != Occupant.NOBODY) {
				throw ex;
			}
		}
	}

	/**
	 * The members of one server: those of this JVM by count, those of other JVMs by file
	 * lock.
	 */
	private static final class Members {

		private static final long CHANGE = 0;

		private static final long MEMBERSHIP = 1;

		private final FileChannel channel;

		private @Nullable FileLock membership;

		private int count;

		Members(Path directory) throws IOException {
			this.channel = FileChannel.open(directory.resolve("instances.lock"), StandardOpenOption.CREATE,
					StandardOpenOption.READ, StandardOpenOption.WRITE);
		}

		FileLock lockForChange() throws IOException {
			return this.channel.lock(CHANGE, 1, false);
		}

		void enter() throws IOException {
			if (this.count == 0) {
				this.membership = this.channel.lock(MEMBERSHIP, 1, true);
			}
			this.count++;
		}

		/**
		 * Leaves.
		 * @return true if no instance is left, in this JVM or another
		 * @throws IOException if the lock file cannot be read
		 */
		boolean leave() throws IOException {
			this.count--;
			if (this.count > 0) {
				return false;
			}
			if (this.membership != null) {
				this.membership.release();
			}
			try (FileLock all = this.channel.tryLock(MEMBERSHIP, 1, false)) {
				return all != null;
			}
		}

		boolean closeIfEmpty() throws IOException {
			if (this.count == 0) {
				this.channel.close();
				return true;
			}
			return false;
		}

	}

}
