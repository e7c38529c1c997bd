package io.distributedlock.benchmarks.server;

/**
 * What a server has done so far.
 *
 * @param commands commands, those inside of scripts included; of a database transactions
 * @param commandMicros time spent in commands, in microseconds, or NaN if unknown
 * @param cpuMicros processor time, in microseconds
 */
public record Counters(long commands, double commandMicros, double cpuMicros) {

	/**
	 * Returns what was done since an earlier reading.
	 * @param earlier the earlier reading
	 * @return the difference
	 */
	public Counters since(Counters earlier) {
		return new Counters(this.commands - earlier.commands, this.commandMicros - earlier.commandMicros,
				this.cpuMicros - earlier.cpuMicros);
	}

}
