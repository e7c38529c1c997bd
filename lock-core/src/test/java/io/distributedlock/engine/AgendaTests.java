package io.distributedlock.engine;

import java.util.concurrent.CompletableFuture;

import io.distributedlock.LockOwner;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * When waiting seats are asked for.
 */
class AgendaTests {

	private static final Terms TERMS = new Terms(10_000_000_000L, true, 0, 3_600_000_000_000L, 0);

	private final Agenda agenda = new Agenda();

	private final Seat first = seat(1_000_000_000);

	private final Seat once = seat(0);

	private final Seat third = seat(1_000_000_000);

	private static Seat seat(long waitTime) {
		return new Seat(Waiter.asynchronous(LockOwner.create("test"), true, new Profile(TERMS, waitTime), 0,
				1_000_000_000, new CompletableFuture<>()));
	}

	private void allAsked() {
		this.agenda.add(this.first);
		this.agenda.add(this.once);
		this.agenda.add(this.third);
		assertThat(this.agenda.takeAll()).containsExactly(this.first, this.once, this.third);
	}

	@Test
	void newSeatsAreTakenInTheOrderInWhichTheyCameAndOnlyOnce() {
		allAsked();
		assertThat(this.agenda.takeAll()).isEmpty();
		assertThat(this.agenda.next()).isEqualTo(Long.MAX_VALUE);
	}

	@Test
	void whoDoesNotWaitIsTakenApartFromThoseWhoDo() {
		this.agenda.add(this.first);
		this.agenda.add(this.once);
		this.agenda.add(this.third);
		assertThat(this.agenda.takeImpatient()).containsExactly(this.once);
		assertThat(this.agenda.takePatient()).containsExactly(this.first, this.third);
		assertThat(this.agenda.takeAll()).isEmpty();
	}

	@Test
	void whatComesUpWhileASeatIsAskedForIsDoneAfterTheAnswer() {
		allAsked();
		this.agenda.due(this.first);
		this.agenda.due(this.first);
		assertThat(this.agenda.takeAll()).isEmpty();
		this.agenda.answered(this.first);
		this.agenda.dueAt(this.first, 100);
		assertThat(this.agenda.takeAll()).containsExactly(this.first);
		assertThat(this.agenda.next()).isEqualTo(Long.MAX_VALUE);
	}

	@Test
	void restingSeatsWakeWhenTheirMomentHasCome() {
		allAsked();
		this.agenda.answered(this.third);
		this.agenda.dueAt(this.third, 100);
		this.agenda.answered(this.first);
		this.agenda.dueAt(this.first, 100);
		this.agenda.answered(this.once);
		this.agenda.dueAt(this.once, 300);
		this.agenda.dueAt(this.once, 200);
		assertThat(this.agenda.next()).isEqualTo(100);
		this.agenda.wake(99);
		assertThat(this.agenda.takeAll()).isEmpty();
		this.agenda.wake(100);
		assertThat(this.agenda.next()).isEqualTo(200);
		assertThat(this.agenda.takeAll()).containsExactly(this.first, this.third);
		this.agenda.wake(1_000);
		assertThat(this.agenda.takeAll()).containsExactly(this.once);
	}

	@Test
	void aSignalWakesARestingSeat() {
		allAsked();
		this.agenda.answered(this.first);
		this.agenda.dueAt(this.first, 100);
		this.agenda.due(this.first);
		assertThat(this.agenda.takeAll()).containsExactly(this.first);
		assertThat(this.agenda.next()).isEqualTo(Long.MAX_VALUE);
	}

	@Test
	void aSeatThatHasGoneIsNotAskedForAnyMore() {
		allAsked();
		this.agenda.due(this.first);
		this.agenda.remove(this.first);
		this.agenda.answered(this.first);
		this.agenda.answered(this.third);
		this.agenda.dueAt(this.third, 100);
		this.agenda.remove(this.third);
		this.agenda.answered(this.once);
		this.agenda.due(this.once);
		this.agenda.remove(this.once);
		this.agenda.wake(1_000);
		assertThat(this.agenda.takeAll()).isEmpty();
		assertThat(this.agenda.next()).isEqualTo(Long.MAX_VALUE);
	}

	@Test
	void aSeatWithANewAttemptIsTheLastOneAndWaitsForTheAnswerToTheOldOne() {
		allAsked();
		this.agenda.add(this.first);
		assertThat(this.agenda.takeAll()).isEmpty();
		this.agenda.answered(this.third);
		this.agenda.due(this.third);
		this.agenda.answered(this.first);
		assertThat(this.agenda.takePatient()).containsExactly(this.third, this.first);
	}

}
