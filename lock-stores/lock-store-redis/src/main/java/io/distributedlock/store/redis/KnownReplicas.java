package io.distributedlock.store.redis;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

import org.jspecify.annotations.Nullable;

/**
 * How many replicas are "all", where a grant has to reach all of them.
 * <p>
 * A primary tells of the replicas that are connected to it. One that has vanished is in
 * neither of its counts, so both say too little just when it matters: a primary that the
 * others have left behind would need nobody. So what counts is the most that were online
 * under a primary since this JVM first saw it, and never less than one. A replica that
 * still receives its first copy is not online. One that is, but has not acknowledged
 * anything yet, counts: for a moment no grant is possible, rather than one that it lacks.
 * <p>
 * A primary is known by its replication id. After a failover the new one has an id of its
 * own and tells the old one's; it is then expected to have one replica less, since it was
 * one itself. When the old primary has come back, it is counted again.
 */
final class KnownReplicas {

	private static final int MOST_PRIMARIES = 1024;

	private final ReentrantLock mutex = new ReentrantLock();

	private final Map<String, Integer> most = new LinkedHashMap<>(16, 0.75f, true) {

		private static final long serialVersionUID = 1L;

		@Override
		protected boolean removeEldestEntry(Map.Entry<String, Integer> eldest) {
			return size() > MOST_PRIMARIES;
		}

	};

	/**
	 * Takes what a primary says of its replicas.
	 * @param info its INFO replication
	 * @return how many have to acknowledge a grant of this primary
	 */
	int observe(String info) {
		int online = 0;
		String id = "";
		String before = "";
		for (String line : info.split("\\r?\\n")) {
			if (line.startsWith("slave") && line.contains("state=online")) {
				online++;
			}
			else if (line.startsWith("master_replid:")) {
				id = line.substring(line.indexOf(':') + 1);
			}
			else if (line.startsWith("master_replid2:")) {
				before = line.substring(line.indexOf(':') + 1);
			}
		}
		this.mutex.lock();
		try {
			Integer known = this.most.get(id);
			int demanded = Math.max(online, (known != null) ? known : inherited(this.most.get(before)));
			this.most.put(id, demanded);
			return demanded;
		}
		finally {
			this.mutex.unlock();
		}
	}

	private static int inherited(@Nullable Integer ofPredecessor) {
		return (ofPredecessor != null) ? Math.max(1, ofPredecessor - 1) : 1;
	}

}
