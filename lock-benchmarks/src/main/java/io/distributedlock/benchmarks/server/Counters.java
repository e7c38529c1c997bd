package io.distributedlock.benchmarks.server;

/**
 * What a server has done so far.
 *
 * @param commands commands, those inside of scripts included; of a database statements,
 * of etcd and ZooKeeper requests
 * @param commandMicros time spent in commands, in microseconds, or NaN if unknown
 * @param cpuMicros processor time, in microseconds
 * @param syncs how often it waited for a disk to make its log durable
 */
public record Counters(long commands, double commandMicros, double cpuMicros, long syncs) {

	/**
	 * Adds the counters of another server.
	 * @param other its counters
	 * @return the sum
	 */
	public Counters plus(Counters other) {
		return new Counters(this.commands + other.commands, this.commandMicros + other.commandMicros,
				this.cpuMicros + other.cpuMicros, this.syncs + other.syncs);
	}

	/**
	 * Returns what was done since an earlier reading.
	 * @param earlier the earlier reading
	 * @return the difference
	 */
	public Counters since(Counters earlier) {
		return new Counters(this.commands - earlier.commands, this.commandMicros - earlier.commandMicros,
				this.cpuMicros - earlier.cpuMicros, this.syncs - earlier.syncs);
	}

}
