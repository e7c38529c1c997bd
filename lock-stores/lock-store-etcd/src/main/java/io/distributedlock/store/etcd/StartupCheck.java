package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import io.etcd.jetcd.Client;
import io.etcd.jetcd.maintenance.AlarmMember;
import io.etcd.jetcd.maintenance.AlarmType;
import org.jspecify.annotations.Nullable;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;

/**
 * Tries at start-up what locks need, so that what is wrong is said then.
 */
final class StartupCheck {

	private static final Duration TTL = Duration.ofSeconds(1);

	/**
	 * The first call of a JVM also resolves names, connects and loads a thousand classes,
	 * which takes longer than any command later.
	 */
	private static final int FIRST_CALL = 5;

	private final Client client;

	private final Context context;

	private final Duration timeout;

	StartupCheck(Client client, Context context, Duration timeout) {
		this.client = client;
		this.context = context;
		this.timeout = timeout;
	}

	List<String> run() {
		List<String> advice = new ArrayList<>();
		LockKey probe = LockKey.of("startup-check", this.context.instance());
		AttemptId attempt = AttemptId.random();
		get(this.client.getKVClient().get(this.context.layout().record(probe.id())),
				this.timeout.multipliedBy(FIRST_CALL));
		try {
			get(new AcquireOperation(this.context, new AcquireCommand(probe, attempt, TTL, 1, false, this.timeout),
					false)
				.start());
		}
		finally {
			new EndOperation(this.context, probe, attempt, this.timeout).start();
		}
		String trouble = this.context.mailbox().trouble();
		if (trouble != null) {
			advice.add(trouble);
		}
		String alarms = alarms();
		if (alarms != null) {
			advice.add(alarms);
		}
		return advice;
	}

	/**
	 * Looks for alarms, as far as the user may.
	 */
	private @Nullable String alarms() {
		try {
			for (AlarmMember alarm : get(this.client.getMaintenanceClient().listAlarms()).getAlarms()) {
				if (alarm.getAlarmType() == AlarmType.NOSPACE) {
					return "A member of etcd has used up its space quota. Compact and defragment it, then"
							+ " `etcdctl alarm disarm`. [etcd " + this.context.errors().servers() + "]";
				}
			}
		}
		catch (StoreException ex) {
			// Only an administrator may ask; locks do not need it.
		}
		return null;
	}

	private <T> T get(CompletableFuture<T> reply) {
		return get(reply, this.timeout);
	}

	private <T> T get(CompletableFuture<T> reply, Duration patience) {
		try {
			return reply.get(patience.toNanos(), TimeUnit.NANOSECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw this.context.errors().timedOut(false);
		}
		catch (TimeoutException ex) {
			throw this.context.errors().timedOut(false);
		}
		catch (ExecutionException ex) {
			throw this.context.errors().translateUnsent(ex.getCause());
		}
	}

}
