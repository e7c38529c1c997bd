package io.distributedlock.boot.autoconfigure.logging;

import java.time.Duration;
import java.util.List;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LossReason;
import io.distributedlock.boot.autoconfigure.support.LockEvents;
import io.distributedlock.boot.autoconfigure.support.StubLease;
import io.distributedlock.test.ManualTicker;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.slf4j.event.KeyValuePair;

import static org.assertj.core.api.Assertions.assertThat;

class LockLogTests {

	private final Logger logger = (Logger) LoggerFactory.getLogger(LockLog.class);

	private final ListAppender<ILoggingEvent> appender = new ListAppender<>();

	private final ManualTicker ticker = new ManualTicker();

	private final LockLog log = new LockLog(this.ticker);

	private final LockEvents events = new LockEvents(this.log);

	private final StubLease lease = StubLease.of("stock", 42);

	private Level before;

	@BeforeEach
	void listen() {
		this.before = this.logger.getLevel();
		this.logger.setLevel(Level.INFO);
		this.appender.start();
		this.logger.addAppender(this.appender);
	}

	@AfterEach
	void stopListening() {
		this.logger.detachAppender(this.appender);
		this.logger.setLevel(this.before);
	}

	@Test
	void aLostLeaseIsAWarningWithKeyValuePairs() {
		this.events.lost(this.lease, LossReason.EXPIRED);
		ILoggingEvent event = only();
		assertThat(event.getLevel()).isEqualTo(Level.WARN);
		assertThat(event.getFormattedMessage()).contains("stock:42", "token 17", "300ms", "worker");
		assertThat(event.getKeyValuePairs()).extracting((pair) -> pair.key)
			.contains("lock.name", "lock.key", "lock.store", "lock.token", "lock.reason", "lock.held");
		assertThat(event.getKeyValuePairs()).contains(new KeyValuePair("lock.key", "stock:42"));
	}

	@Test
	void aLongHoldIsAWarningThatSaysWhatToType() {
		this.log.onLongHold(this.lease, Duration.ofMinutes(30));
		assertThat(only().getLevel()).isEqualTo(Level.WARN);
		assertThat(only().getFormattedMessage()).contains("1800s", "distributed-lock.locks.stock.max-hold");
	}

	@Test
	void anOutageThatTakesAThousandLeasesIsTwentyMessagesAndACount() {
		for (int i = 0; i < 1000; i++) {
			this.events.lost(StubLease.of("stock", i), LossReason.EXPIRED);
		}
		assertThat(messages()).hasSize(20);
		this.ticker.advance(Duration.ofSeconds(31));
		this.events.lost(this.lease, LossReason.EXPIRED);
		assertThat(messages()).hasSize(21);
		assertThat(messages().get(20)).contains("980 more of this kind were not logged");
	}

	@Test
	void failingRenewalsAreLoggedWhenTheyBeginEveryHalfMinuteAndWhenTheyEnd() {
		this.log.onRenewals("redis", 5, 0, 0);
		assertThat(messages()).isEmpty();
		for (int second = 0; second < 40; second++) {
			this.log.onRenewals("redis", 2, 0, 3);
			this.ticker.advance(Duration.ofSeconds(1));
		}
		assertThat(messages()).hasSize(2);
		assertThat(messages().get(0)).contains("'redis'", "3 of 5").doesNotContain("failing for");
		assertThat(messages().get(1)).contains("failing for 30000ms");
		this.log.onRenewals("redis", 5, 0, 0);
		this.log.onRenewals("redis", 5, 0, 0);
		assertThat(messages()).hasSize(3);
		assertThat(messages().get(2)).contains("again", "40000ms");
	}

	@Test
	void aStoreThatFailsDoesNotSilenceAnother() {
		this.log.onRenewals("redis", 0, 0, 3);
		this.log.onRenewals("jdbc", 0, 0, 3);
		assertThat(messages()).hasSize(2);
	}

	@Test
	void everydayEventsAreLoggedAtDebugOnly() {
		this.events.acquired(this.lease);
		this.events.released(this.lease);
		this.events.refused(this.lease.key(), Reason.BUSY);
		this.events.failed(this.lease.key());
		assertThat(messages()).isEmpty();
		this.logger.setLevel(Level.DEBUG);
		this.events.acquired(this.lease);
		this.events.released(this.lease);
		this.events.refused(this.lease.key(), Reason.BUSY);
		this.events.failed(this.lease.key());
		assertThat(this.appender.list).hasSize(4)
			.allSatisfy((event) -> assertThat(event.getLevel()).isEqualTo(Level.DEBUG));
	}

	@Test
	void aKeyThatHoldsALineBreakCannotForgeALogLine() {
		this.events.lost(StubLease.of("stock", "42\nWARN all is well"), LossReason.EXPIRED);
		assertThat(only().getFormattedMessage()).doesNotContain("\n");
	}

	private ILoggingEvent only() {
		assertThat(this.appender.list).hasSize(1);
		return this.appender.list.get(0);
	}

	private List<String> messages() {
		return this.appender.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
	}

}
