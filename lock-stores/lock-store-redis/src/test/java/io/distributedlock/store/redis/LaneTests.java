package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.Test;

import io.distributedlock.LockKey;
import io.distributedlock.spi.StoreException;

import static org.assertj.core.api.Assertions.assertThat;

class LaneTests {

	private final List<List<Operation<?>>> sent = new ArrayList<>();

	private final List<Runnable> ends = new ArrayList<>();

	private Lane lane(int window) {
		return lane(window, Integer.MAX_VALUE);
	}

	private Lane lane(int window, int large) {
		return new Lane(window, large, (operations, ended) -> {
			this.sent.add(operations);
			this.ends.add(ended);
		});
	}

	@Test
	void loneOperationIsSentAtOnceAndAlone() {
		Lane lane = lane(1);
		lane.submit(new Nothing());
		assertThat(this.sent).hasSize(1);
		this.ends.get(0).run();
		lane.submit(new Nothing());
		assertThat(this.sent).hasSize(2).allMatch((call) -> call.size() == 1);
	}

	@Test
	void whatComesMeanwhileGoesTogetherAtMostSixtyFour() {
		Lane lane = lane(1);
		for (int i = 0; i < 101; i++) {
			lane.submit(new Nothing());
		}
		assertThat(this.sent).hasSize(1);
		this.ends.get(0).run();
		this.ends.get(1).run();
		assertThat(this.sent).extracting(List::size).containsExactly(1, 64, 36);
		this.ends.get(2).run();
		assertThat(lane.isIdle()).isTrue();
	}

	@Test
	void asManyCallsAreUnderWayAsTheWindowAllows() {
		Lane lane = lane(3);
		lane.submit(java.util.stream.Stream.generate(Nothing::new).limit(300).toList());
		assertThat(this.sent).extracting(List::size).containsExactly(64, 64, 64);
	}

	@Test
	void smallCallsGoSideBySideAndALargeOneGoesAlone() {
		Lane lane = lane(2, 4);
		for (int i = 0; i < 12; i++) {
			lane.submit(new Nothing());
		}
		assertThat(this.sent).extracting(List::size).containsExactly(1, 1);
		this.ends.get(0).run();
		assertThat(this.sent).extracting(List::size).containsExactly(1, 1, 10);
		this.ends.get(1).run();
		lane.submit(new Nothing());
		lane.submit(new Nothing());
		assertThat(this.sent).hasSize(3);
		this.ends.get(2).run();
		assertThat(this.sent).extracting(List::size).containsExactly(1, 1, 10, 2);
		lane.submit(new Nothing());
		assertThat(this.sent).hasSize(5);
	}

	@Test
	void operationThatEndedWhileItWaitedIsNotSent() {
		Lane lane = lane(1);
		lane.submit(new Nothing());
		Nothing expired = new Nothing();
		lane.submit(expired);
		expired.fail(new StoreException("too late", false, true, null));
		this.ends.get(0).run();
		assertThat(this.sent).hasSize(1);
		lane.submit(new Nothing());
		assertThat(this.sent).hasSize(2);
	}

	@Test
	void callsThatFailAtOnceDoNotPileUpOnTheStack() {
		AtomicInteger count = new AtomicInteger();
		Lane lane = new Lane(16, 4, (operations, ended) -> {
			count.addAndGet(operations.size());
			ended.run();
		});
		lane.submit(java.util.stream.Stream.generate(Nothing::new).limit(1_000_000).toList());
		assertThat(count).hasValue(1_000_000);
	}

	private static final class Nothing extends Operation<String> {

		Nothing() {
			super(LockScript.LEASE, LockKey.of("any"), 0, System.nanoTime() + Duration.ofSeconds(1).toNanos());
		}

		@Override
		void header(List<? extends Operation<?>> all, List<byte[]> keys, List<byte[]> arguments) {
			throw new UnsupportedOperationException();
		}

		@Override
		void body(List<byte[]> keys, List<byte[]> arguments) {
			throw new UnsupportedOperationException();
		}

		@Override
		void answered(Answer answer, long sentAt, long receivedAt) {
			throw new UnsupportedOperationException();
		}

	}

}
