package io.distributedlock.spring;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockNotAcquiredException;
import io.reactivex.rxjava3.core.Completable;
import io.reactivex.rxjava3.core.Flowable;
import io.reactivex.rxjava3.core.Maybe;
import io.reactivex.rxjava3.core.Observable;
import io.reactivex.rxjava3.core.Single;
import io.reactivex.rxjava3.disposables.Disposable;
import io.reactivex.rxjava3.subjects.SingleSubject;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Methods that return a type of RxJava are locked while their work runs, not while they
 * put it together.
 */
class RxJavaMethodTests extends LockedProxies {

	private static final Duration PATIENCE = Duration.ofSeconds(10);

	private final Shop target = new Shop();

	private final Shop shop = proxy(this.target);

	@Test
	void lockIsHeldUntilTheSingleHasSucceeded() {
		Single<String> buy = this.shop.buy();
		assertThat(held()).isZero();
		CompletableFuture<String> result = buy.toCompletionStage().toCompletableFuture();
		eventually().until(this.target.sale::hasObservers);
		assertThat(held()).isEqualTo(1);
		this.target.sale.onSuccess("sold");
		assertThat(result).succeedsWithin(PATIENCE).isEqualTo("sold");
		assertThat(held()).isZero();
	}

	@Test
	void disposingReleasesTheLock() {
		Disposable running = this.shop.buy().subscribe();
		eventually().until(this.target.sale::hasObservers);
		running.dispose();
		eventually().until(() -> held() == 0);
		assertThat(this.target.sale.hasObservers()).isFalse();
	}

	@Test
	void refusalReachesTheObserver() {
		try (Lease lease = hold("stock")) {
			assertThat(lease.isHeld()).isTrue();
			assertThatExceptionOfType(LockNotAcquiredException.class)
				.isThrownBy(() -> this.shop.atOnce().blockingGet());
			assertThat(this.shop.skipped().blockingGet()).isNull();
		}
	}

	@Test
	void allTypesAreLocked() {
		assertThat(this.shop.atOnce().blockingGet()).isEqualTo("stock");
		assertThat(this.shop.skipped().blockingGet()).isEqualTo("stock");
		assertThat(this.shop.flowable().blockingFirst()).isEqualTo("stock");
		assertThat(this.shop.observable().blockingFirst()).isEqualTo("stock");
		this.shop.completable().blockingAwait();
		assertThat(this.target.completed).isEqualTo("stock");
	}

	static class Shop {

		final SingleSubject<String> sale = SingleSubject.create();

		volatile String completed;

		@DistributedLock(name = "stock")
		public Single<String> buy() {
			return this.sale;
		}

		@DistributedLock(name = "stock", waitTime = "0s")
		public Single<String> atOnce() {
			return Single.just(lock());
		}

		@DistributedLock(name = "stock", waitTime = "0s", onFailure = OnFailure.SKIP)
		public Maybe<String> skipped() {
			return Maybe.just(lock());
		}

		@DistributedLock(name = "stock")
		public Flowable<String> flowable() {
			return Flowable.just(lock());
		}

		@DistributedLock(name = "stock")
		public Observable<String> observable() {
			return Observable.just(lock());
		}

		@DistributedLock(name = "stock")
		public Completable completable() {
			this.completed = lock();
			return Completable.complete();
		}

		private static String lock() {
			return LockContext.current().map((lease) -> lease.key().toString()).orElse("nothing");
		}

	}

}
