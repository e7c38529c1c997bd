package io.distributedlock.spring;

import java.io.IOException;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

import io.distributedlock.LockContext;
import io.distributedlock.LockException;
import io.distributedlock.LockKey;
import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockSettings;
import io.distributedlock.LockStoreException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import org.springframework.aop.framework.ProxyFactory;
import org.springframework.core.annotation.AliasFor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * Tests for {@link DistributedLockInterceptor}, through a proxy as applications see it.
 */
class DistributedLockInterceptorTests {

	private final FakeLocks locks = new FakeLocks();

	private final Shop target = new Shop();

	private Function<String, LockSettings> byName = (name) -> LockSettings.NONE;

	private boolean enabled = true;

	@AfterEach
	void interruptFlagIsClear() {
		assertThat(Thread.interrupted()).isFalse();
		assertThat(LockContext.leases()).isEmpty();
	}

	private Shop shop() {
		return proxy(this.target);
	}

	private <T> T proxy(T object) {
		AspectSettings settings = new AspectSettings(this.enabled, LockSettings.DEFAULTS, this.byName,
				OnActiveTransaction.DEFER);
		return proxy(object, settings);
	}

	@SuppressWarnings("unchecked")
	private <T> T proxy(T object, AspectSettings settings) {
		ProxyFactory factory = new ProxyFactory(object);
		factory.setProxyTargetClass(true);
		factory.addAdvisor(new DistributedLockAdvisor(() -> this.locks, () -> settings, (text) -> text));
		return (T) factory.getProxy();
	}

	@Test
	void lockIsHeldWhileTheMethodRunsAndReleasedAfterwards() {
		assertThat(shop().buy("42", "me")).isEqualTo("sold 42 under stock:42");
		assertThat(this.locks.journal).containsExactly("acquired stock:42", "released stock:42");
	}

	@Test
	void settingsOfTheAnnotationReachTheRequest() {
		shop().buy("42", "me");
		LockSettings settings = this.locks.request().settings();
		assertThat(settings.ttl()).isEqualTo(Duration.ofSeconds(10));
		assertThat(settings.waitTime()).isEqualTo(Duration.ofSeconds(2));
		assertThat(settings.renew()).isTrue();
		assertThat(settings.maxHold()).isEqualTo(Duration.ofHours(1));
	}

	@Test
	void entryOfTheNameWinsOverTheAnnotation() {
		this.byName = (name) -> name.equals("stock")
				? LockSettings.NONE.withTtl(Duration.ofSeconds(7)).withRenew(false).withStore("other")
				: LockSettings.NONE;
		shop().buy("42", "me");
		LockSettings settings = this.locks.request().settings();
		assertThat(settings.ttl()).isEqualTo(Duration.ofSeconds(7));
		assertThat(settings.waitTime()).isEqualTo(Duration.ofSeconds(2));
		assertThat(settings.renew()).isFalse();
		assertThat(settings.store()).isEqualTo("other");
	}

	@Test
	void lockIsKeptAfterANormalReturnOnly() {
		Payment target = new Payment();
		Payment payment = proxy(target);
		payment.pay("1");
		assertThat(this.locks.journal).containsExactly("acquired pay:1", "kept pay:1", "released pay:1");
		this.locks.journal.clear();
		target.fails = true;
		assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> payment.pay("2"));
		assertThat(this.locks.journal).containsExactly("acquired pay:2", "released pay:2");
	}

	@Test
	void lockThatWasLostIsNotKept() {
		Payment target = new Payment();
		target.task = () -> this.locks.lease().lose();
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> proxy(target).pay("1"));
		assertThat(this.locks.journal).containsExactly("acquired pay:1", "released pay:1");
	}

	@Test
	void entryOfTheNameSwitchesKeepOnAndOff() {
		this.byName = (name) -> LockSettings.NONE.withKeep(!name.equals("pay"));
		proxy(new Payment()).pay("1");
		shop().buy("42", "me");
		assertThat(this.locks.journal).containsExactly("acquired pay:1", "released pay:1", "acquired stock:42",
				"kept stock:42", "released stock:42");
	}

	@Test
	void disabledAspectRunsTheMethodWithoutLock() {
		this.enabled = false;
		assertThat(shop().buy("42", "me")).isEqualTo("sold 42 under nothing");
		assertThat(this.locks.requests).isEmpty();
	}

	@Test
	void falseConditionRunsTheMethodWithoutLock() {
		assertThat(shop().conditional("42", false)).isEqualTo("nothing");
		assertThat(shop().conditional("42", true)).isEqualTo("Shop.conditional:42");
	}

	@Test
	void conditionThatIsNoBooleanIsAnErrorThatNamesTheMethod() {
		assertThatIllegalArgumentException().isThrownBy(() -> shop().oddCondition("maybe"))
			.withMessageContaining("Shop.oddCondition(Object)")
			.withMessageContaining("gave a java.lang.String instead");
	}

	@Test
	void partsFormOneKeyWithoutCollision() {
		shop().parts("a", "b:c");
		shop().parts("a:b", "c");
		assertThat(this.locks.requests).extracting((request) -> request.key().id())
			.containsExactly("Shop.parts:a:b%3Ac", "Shop.parts:a%3Ab:c");
	}

	@Test
	void expressionsReachPropertiesPositionsAndTheRoot() {
		Order order = new Order(17, "me");
		shop().expressions(order, "x");
		assertThat(this.locks.request().key())
			.isEqualTo(LockKey.of("Shop.expressions", 17L, "x", "x", "expressions", "Shop", "x", "me/17"));
	}

	@Test
	void propertyIsReadAsTheTypeOfEachCallNeedsIt() {
		for (int i = 0; i < 3; i++) {
			shop().document(new Invoice("i" + i));
			shop().document(new Note(i));
		}
		assertThat(this.locks.requests).extracting((request) -> request.key().id())
			.containsExactly("Shop.document:i0", "Shop.document:0", "Shop.document:i1", "Shop.document:1",
					"Shop.document:i2", "Shop.document:2");
	}

	@Test
	void nullKeyIsAnErrorThatNamesTheMethodAndTakesNoLock() {
		assertThatIllegalArgumentException().isThrownBy(() -> shop().buy(null, "me"))
			.withMessageContaining("Shop.buy(String, String)")
			.withMessageContaining("is null");
		assertThatIllegalArgumentException().isThrownBy(() -> shop().buy(" ", "me")).withMessageContaining("is blank");
		assertThatIllegalArgumentException().isThrownBy(() -> shop().expressions(null, "x"))
			.withMessageContaining("Shop.expressions")
			.withMessageContaining("#order.id");
		assertThat(this.locks.requests).isEmpty();
	}

	@Test
	void valuesAreNeverEvaluated() {
		shop().buy("#{1+1} ${x} T(java.lang.Runtime)", "me");
		assertThat(this.locks.request().key().parts()).containsExactly("#{1+1} ${x} T(java.lang.Runtime)");
	}

	@Test
	void contentionReachesTheCaller() {
		LockNotAcquiredException busy = busy();
		this.locks.failWith(busy);
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> shop().buy("42", "me"))
			.isSameAs(busy);
		assertThat(this.target.calls).isZero();
	}

	@Test
	void skipReturnsNothing() {
		this.locks.failWith(busy());
		shop().skippedVoid();
		assertThat(shop().skipped()).isNull();
		assertThat(shop().skippedOptional()).isEmpty();
		assertThat(this.target.calls).isZero();
	}

	@Test
	void skipDoesNotHideAnOutage() {
		this.locks.failWith(outage());
		assertThatExceptionOfType(LockStoreException.class).isThrownBy(() -> shop().skipped());
	}

	@Test
	void skipDoesNotHideWhatTheMethodItselfThrows() {
		LockNotAcquiredException inner = busy();
		this.target.failure = inner;
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> shop().skipped()).isSameAs(inner);
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> shop().withFallback("42"))
			.isSameAs(inner);
		assertThat(this.locks.lease().isHeld()).isFalse();
	}

	@Test
	void fallbackAnswersContention() {
		this.locks.failWith(busy());
		assertThat(shop().withFallback("42")).isEqualTo("later: 42");
	}

	@Test
	void fallbackWithoutExceptionDoesNotAnswerAnOutage() {
		this.locks.failWith(outage());
		assertThatExceptionOfType(LockStoreException.class).isThrownBy(() -> shop().withFallback("42"));
	}

	@Test
	void fallbackForLockExceptionsAnswersBoth() {
		this.locks.failWith(busy());
		assertThat(shop().withFallbackForAll("42")).isEqualTo("42: LockNotAcquiredException");
		this.locks.failWith(outage());
		assertThat(shop().withFallbackForAll("42")).isEqualTo("42: LockStoreException");
	}

	@Test
	void fallbackForOutagesLeavesContentionAlone() {
		this.locks.failWith(outage());
		assertThat(shop().withFallbackForOutage("42")).isEqualTo("42: outage");
		this.locks.failWith(busy());
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> shop().withFallbackForOutage("42"));
	}

	@Test
	void whatTheFallbackThrowsReachesTheCallerUnwrapped() {
		this.locks.failWith(busy());
		assertThatExceptionOfType(IOException.class).isThrownBy(() -> shop().withFailingFallback());
	}

	@Test
	void lossIsThrownAfterTheMethodAndNeverFallsBack() {
		this.target.work = () -> this.locks.lease().lose();
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> shop().withFallbackForAll("42"));
		assertThat(this.target.calls).isOne();
	}

	@Test
	void lossIsSuppressedInWhatTheMethodThrows() {
		this.target.work = () -> this.locks.lease().lose();
		this.target.failure = new IllegalStateException("mine");
		assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> shop().withFallbackForAll("42"))
			.withMessage("mine")
			.satisfies((ex) -> assertThat(ex.getSuppressed()).singleElement().isInstanceOf(LockLostException.class));
	}

	@Test
	void lossThatTheMethodThrowsItselfIsNotSuppressedInItself() {
		this.target.work = () -> {
			this.locks.lease().lose();
			this.locks.lease().assertHeld();
		};
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> shop().withFallbackForAll("42"))
			.satisfies((ex) -> assertThat(ex.getSuppressed()).isEmpty());
	}

	@Test
	void lossInterruptsTheMethodAndTheFlagIsClearedOnExit() {
		AtomicReference<Throwable> seen = new AtomicReference<>();
		this.target.work = () -> {
			loseFromElsewhere();
			try {
				new CountDownLatch(1).await();
			}
			catch (InterruptedException ex) {
				seen.set(ex);
				Thread.currentThread().interrupt();
			}
		};
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> shop().interrupted());
		assertThat(seen.get()).isInstanceOf(InterruptedException.class);
		assertThat(Thread.currentThread().isInterrupted()).isFalse();
	}

	@Test
	void lossAfterTheMethodInterruptsNobody() {
		shop().interrupted();
		this.locks.lease().lose();
		assertThat(Thread.currentThread().isInterrupted()).isFalse();
	}

	@Test
	void interruptOfSomebodyElseIsKept() {
		this.target.work = () -> {
			Thread.currentThread().interrupt();
			loseFromElsewhere();
		};
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> shop().interrupted());
		assertThat(Thread.interrupted()).isTrue();
	}

	@Test
	void lossInterruptsNobodyUnlessAskedTo() {
		this.target.work = this::loseFromElsewhere;
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> shop().buy("42", "me"));
	}

	@Test
	void annotationOfAnInterfaceIsFoundAndItsParameterNamesWork() {
		assertThat(proxy(new Depot()).take("7")).isEqualTo("depot:7");
	}

	@Test
	void annotationOfATypeAppliesToItsPublicMethods() {
		Ledger ledger = proxy(new Ledger());
		assertThat(ledger.book("7")).isEqualTo("ledger:7");
		assertThat(ledger.close("8")).isEqualTo("closing:8");
		assertThat(ledger.inner("9")).isEqualTo("nothing");
	}

	@Test
	void metaAnnotationPassesItsAttributesOn() {
		assertThat(proxy(new Market()).trade("7")).isEqualTo("market:7");
		assertThat(this.locks.request().settings().ttl()).isEqualTo(Duration.ofSeconds(5));
	}

	private void loseFromElsewhere() {
		Thread thread = new Thread(() -> this.locks.lease().lose());
		thread.start();
		// Not join(), which would need a clear interrupt flag.
		while (thread.isAlive()) {
			Thread.onSpinWait();
		}
	}

	private static LockNotAcquiredException busy() {
		return new LockNotAcquiredException(LockKey.of("stock"), Reason.BUSY, Duration.ZERO, "");
	}

	private static LockStoreException outage() {
		return new LockStoreException(LockKey.of("stock"), "down", null);
	}

	static String held() {
		return LockContext.current().map((lease) -> lease.key().id()).orElse("nothing");
	}

	record Order(long id, String user) {

	}

	interface Document {

	}

	record Invoice(String id) implements Document {

	}

	static class Note implements Document {

		private final int id;

		Note(int id) {
			this.id = id;
		}

		public int getId() {
			return this.id;
		}

	}

	static class Shop {

		int calls;

		Runnable work = () -> {
		};

		RuntimeException failure;

		@DistributedLock(name = "stock", key = "#productId", ttl = "10s", waitTime = "2s")
		public String buy(String productId, String userId) {
			return work("sold " + productId + " under " + held());
		}

		@DistributedLock(key = "#id", condition = "#locked")
		public String conditional(String id, boolean locked) {
			return held();
		}

		@DistributedLock(condition = "#answer")
		public void oddCondition(Object answer) {
		}

		@DistributedLock({ "#first", "#second" })
		public void parts(String first, String second) {
		}

		@DistributedLock({ "#order.id", "#p1", "#a1", "#root.methodName", "#root.targetClass", "#root.args[1]",
				"#order.user + '/' + #order.id" })
		public void expressions(Order order, String text) {
		}

		@DistributedLock(key = "#document.id")
		public void document(Document document) {
		}

		@DistributedLock(onFailure = OnFailure.SKIP)
		public void skippedVoid() {
			work("");
		}

		@DistributedLock(onFailure = OnFailure.SKIP)
		public String skipped() {
			return work("done");
		}

		@DistributedLock(onFailure = OnFailure.SKIP)
		public Optional<String> skippedOptional() {
			return Optional.of(work("done"));
		}

		@DistributedLock(key = "#id", fallback = "later")
		public String withFallback(String id) {
			return work(id);
		}

		@SuppressWarnings("unused")
		private String later(String id) {
			return "later: " + id;
		}

		@DistributedLock(key = "#id", fallback = "whatever")
		public String withFallbackForAll(String id) {
			return work(id);
		}

		String whatever(String id, LockException exception) {
			return id + ": " + exception.getClass().getSimpleName();
		}

		@DistributedLock(key = "#id", fallback = "outage")
		public String withFallbackForOutage(String id) {
			return work(id);
		}

		static String outage(String id, LockStoreException exception) {
			return id + ": outage";
		}

		@DistributedLock(fallback = "failing")
		public void withFailingFallback() throws IOException {
		}

		void failing() throws IOException {
			throw new IOException("fallback");
		}

		@DistributedLock(onLost = OnLost.INTERRUPT)
		public void interrupted() {
			work("");
		}

		private String work(String result) {
			this.calls++;
			this.work.run();
			if (this.failure != null) {
				throw this.failure;
			}
			return result;
		}

	}

	interface Storage {

		@DistributedLock(name = "depot", key = "#articleId")
		String take(String articleId);

	}

	static class Depot implements Storage {

		@Override
		public String take(String id) {
			return held();
		}

	}

	@DistributedLock(name = "ledger", key = "#account")
	static class Ledger {

		public String book(String account) {
			return held();
		}

		@DistributedLock(name = "closing", key = "#account")
		public String close(String account) {
			return held();
		}

		String inner(String account) {
			return held();
		}

	}

	@Retention(RetentionPolicy.RUNTIME)
	@DistributedLock(name = "market", ttl = "5s")
	@interface MarketLock {

		@AliasFor(annotation = DistributedLock.class, attribute = "key")
		String[] by();

	}

	static class Market {

		@MarketLock(by = "#id")
		public String trade(String id) {
			return held();
		}

	}

	static class Payment {

		boolean fails;

		Runnable task = () -> {
		};

		@DistributedLock(name = "pay", key = "#id", keep = "true")
		public void pay(String id) {
			this.task.run();
			if (this.fails) {
				throw new IllegalStateException("declined");
			}
		}

	}

}
