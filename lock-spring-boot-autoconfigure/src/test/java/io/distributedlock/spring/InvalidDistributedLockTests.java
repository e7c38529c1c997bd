package io.distributedlock.spring;

import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.SubmissionPublisher;
import java.util.function.Function;

import io.distributedlock.LockSettings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import reactor.core.publisher.ConnectableFlux;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import org.springframework.http.ResponseEntity;
import org.springframework.web.context.request.async.DeferredResult;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;
import org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Tests for what start-up refuses, each with the method, the problem and what to type.
 */
class InvalidDistributedLockTests {

	private final LockOperationSource source = source(LockSettings.DEFAULTS);

	private static LockOperationSource source(LockSettings defaults) {
		Function<String, LockSettings> byName = (name) -> LockSettings.NONE;
		AspectSettings settings = new AspectSettings(true, defaults, byName, OnActiveTransaction.DEFER);
		return new LockOperationSource(new LockOperationParser(() -> settings, (text) -> text));
	}

	private void assertRefused(Class<?> type, String method, String problem, String action) {
		assertThatExceptionOfType(InvalidDistributedLockException.class).isThrownBy(() -> this.source.findAll(type))
			.satisfies((ex) -> {
				assertThat(ex.location()).isEqualTo(type.getName() + "." + method);
				assertThat(ex.problem()).contains(problem);
				assertThat(ex.action()).contains(action);
			});
	}

	@Test
	void unknownVariable() {
		assertRefused(UnknownVariable.class, "buy(String)", "uses #prodId, but the method has no such parameter",
				"Use one of #productId.");
	}

	static class UnknownVariable {

		@DistributedLock(key = "#prodId")
		public void buy(String productId) {
		}

	}

	@Test
	void unknownVariableDeepInAnExpression() {
		assertRefused(DeepVariable.class, "buy(List)", "uses #nobody", "#ids");
	}

	static class DeepVariable {

		@DistributedLock(key = "#ids.?[#this == (#nobody ?: 'x')][0]")
		public void buy(List<String> ids) {
		}

	}

	@Test
	void positionThatDoesNotExist() {
		assertRefused(NoSuchPosition.class, "buy(String)", "uses #p1", "#productId");
	}

	static class NoSuchPosition {

		@DistributedLock(key = "#p1")
		public void buy(String productId) {
		}

	}

	@Test
	void variableWithoutParameters() {
		assertRefused(NoParameters.class, "run()", "uses #id", "The method has no parameters");
	}

	static class NoParameters {

		@DistributedLock(key = "#id")
		public void run() {
		}

	}

	@Test
	void variableInTheCondition() {
		assertRefused(UnknownInCondition.class, "buy(String)", "the condition \"#vip\" uses #vip", "#productId");
	}

	static class UnknownInCondition {

		@DistributedLock(condition = "#vip")
		public void buy(String productId) {
		}

	}

	@Test
	void parameterWithoutHash() {
		assertRefused(NoHash.class, "buy(String)", "uses 'productId', which is no property of #root",
				"Write #productId");
	}

	static class NoHash {

		@DistributedLock(key = "productId")
		public void buy(String productId) {
		}

	}

	@Test
	void unknownPropertyOfTheRoot() {
		assertRefused(UnknownRoot.class, "buy(String)", "uses 'method', which is no property of #root", "#name");
	}

	static class UnknownRoot {

		@DistributedLock(key = "#root.method")
		public void buy(String productId) {
		}

	}

	@Test
	void blankKey() {
		assertRefused(BlankKey.class, "buy(String)", "a part of the key is blank", "#productId");
	}

	static class BlankKey {

		@DistributedLock(key = { "#id", " " })
		public void buy(String id) {
		}

	}

	@Test
	void syntaxError() {
		assertRefused(SyntaxError.class, "buy(String)", "is no valid expression", "#name");
	}

	static class SyntaxError {

		@DistributedLock(key = "#id.")
		public void buy(String id) {
		}

	}

	@ParameterizedTest
	@ValueSource(classes = { TypeReference.class, MethodCall.class, Constructor.class, BeanReference.class,
			Assignment.class })
	void whatDoesMoreThanRead(Class<?> type) {
		assertRefused(type, "buy(String)", "which is not allowed: expressions only read", "compute the value");
	}

	@Test
	void aKeyThatWasMeantAsTheName() {
		assertRefused(NameAsValue.class, "buy(String)", "which is no property of #root",
				"If you meant the lock's name, write name = \"stock\".");
		assertRefused(DashedNameAsValue.class, "buy(String)", "which is no property of #root",
				"write name = \"daily-report\".");
	}

	static class NameAsValue {

		@DistributedLock("stock")
		public void buy(String id) {
		}

	}

	static class DashedNameAsValue {

		@DistributedLock("daily-report")
		public void buy(String id) {
		}

	}

	@Test
	void accessorsThatAreCalled() {
		assertRefused(RecordAccessor.class, "buy(Purchase)", "calls a method", "Write #o.user.");
		assertRefused(RecordAccessorOfAccessor.class, "buy(Purchase)", "calls a method", "Write #o.user.name.");
		assertRefused(Getter.class, "buy(Customer)", "calls a method", "Write #user.name.");
	}

	record Purchase(Customer user) {
	}

	static class Customer {

		public String getName() {
			return "name";
		}

	}

	static class RecordAccessor {

		@DistributedLock(key = "#o.user()")
		public void buy(Purchase o) {
		}

	}

	static class RecordAccessorOfAccessor {

		@DistributedLock(key = "#o.user().getName()")
		public void buy(Purchase o) {
		}

	}

	static class Getter {

		@DistributedLock(key = "#user.getName()")
		public void buy(Customer user) {
		}

	}

	static class TypeReference {

		@DistributedLock(key = "T(java.lang.System).exit(1)")
		public void buy(String id) {
		}

	}

	static class MethodCall {

		@DistributedLock(key = "#id.trim()")
		public void buy(String id) {
		}

	}

	static class Constructor {

		@DistributedLock(key = "new String('x')")
		public void buy(String id) {
		}

	}

	static class BeanReference {

		@DistributedLock(key = "@environment.x")
		public void buy(String id) {
		}

	}

	static class Assignment {

		@DistributedLock(key = "#id = 'x'")
		public void buy(String id) {
		}

	}

	@Test
	void typeThatHasNoStableText() {
		assertRefused(WholeObject.class, "buy(Order)", "is a Order", "#order.id");
		assertRefused(WholeList.class, "buy(List)", "is a List", "#ids.id");
	}

	record Order(String id) {

	}

	static class WholeObject {

		@DistributedLock(key = "#order")
		public void buy(Order order) {
		}

	}

	static class WholeList {

		@DistributedLock(key = "#ids")
		public void buy(List<String> ids) {
		}

	}

	@Test
	void ttlBelowTheMinimum() {
		assertRefused(ShortTtl.class, "buy()", "its settings", "ttl is 100ms, at least 500ms are needed");
	}

	static class ShortTtl {

		@DistributedLock(ttl = "100ms")
		public void buy() {
		}

	}

	@Test
	void durationWithoutUnit() {
		assertRefused(NoUnit.class, "buy()", "waitTime = \"2\" has no unit", "10s");
	}

	static class NoUnit {

		@DistributedLock(waitTime = "2")
		public void buy() {
		}

	}

	@Test
	void zeroNeedsNoUnit() {
		assertThat(this.source.findAll(ZeroWait.class)).hasSize(1);
	}

	static class ZeroWait {

		@DistributedLock(waitTime = "0")
		public void buy() {
		}

	}

	@Test
	void wordThatIsNoDuration() {
		assertRefused(NoDuration.class, "buy()", "ttl = \"soon\" is no duration", "PT1M");
	}

	static class NoDuration {

		@DistributedLock(ttl = "soon")
		public void buy() {
		}

	}

	@Test
	void wordThatIsNoBoolean() {
		assertRefused(NoBoolean.class, "buy()", "renew = \"yes\" is neither true nor false", "\"true\"");
	}

	static class NoBoolean {

		@DistributedLock(renew = "yes")
		public void buy() {
		}

	}

	@Test
	void privateMethod() {
		assertRefused(PrivateMethod.class, "buy()", "the method is private", "Make it a public method");
	}

	static class PrivateMethod {

		@DistributedLock
		private void buy() {
		}

	}

	@Test
	void finalMethod() {
		assertRefused(FinalMethod.class, "buy()", "the method is final", "Make it a public method");
	}

	static class FinalMethod {

		@DistributedLock
		public final void buy() {
		}

	}

	@Test
	void finalMethodOfAnAnnotatedType() {
		assertRefused(FinalInType.class, "buy()", "the method is final", "Make it a public method");
	}

	@DistributedLock(name = "final")
	static class FinalInType {

		public final void buy() {
		}

	}

	@Test
	void staticMethod() {
		assertRefused(StaticMethod.class, "buy()", "the method is static", "Make it a public method");
	}

	static class StaticMethod {

		@DistributedLock
		public static void buy() {
		}

	}

	@Test
	void finalClass() {
		assertRefused(FinalClass.class, "buy()", "the class is final", "Make the class not final");
	}

	static final class FinalClass {

		@DistributedLock
		public void buy() {
		}

	}

	@Test
	void missingFallback() {
		assertRefused(NoFallback.class, "buy(String, int)", "there is no fallback method 'sorry'",
				"Write: String sorry(String, int)");
	}

	static class NoFallback {

		@DistributedLock(fallback = "sorry")
		public String buy(String id, int count) {
			return id;
		}

	}

	@Test
	void fallbackWithOtherParameters() {
		assertRefused(OtherFallback.class, "buy(String)", "has other parameters or another return type",
				"Write: String sorry(String)");
	}

	static class OtherFallback {

		@DistributedLock(fallback = "sorry")
		public String buy(String id) {
			return id;
		}

		String sorry(Long id) {
			return "";
		}

	}

	@Test
	void fallbackWithAnotherReturnType() {
		assertRefused(OtherReturn.class, "buy(String)", "has other parameters or another return type",
				"Write: String sorry(String)");
	}

	static class OtherReturn {

		@DistributedLock(fallback = "sorry")
		public String buy(String id) {
			return id;
		}

		Object sorry(String id) {
			return "";
		}

	}

	@Test
	void fallbackThatIsTheMethodItself() {
		assertRefused(SelfFallback.class, "buy(String)", "has other parameters", "Write: String buy(String)");
	}

	static class SelfFallback {

		@DistributedLock(fallback = "buy")
		public String buy(String id) {
			return id;
		}

	}

	@Test
	void skipOfAPrimitive() {
		assertRefused(PrimitiveSkip.class, "count()", "returns a primitive int", "Return Integer or an Optional");
	}

	static class PrimitiveSkip {

		@DistributedLock(onFailure = OnFailure.SKIP)
		public int count() {
			return 1;
		}

	}

	@Test
	void fallbackMakesSkippingAPrimitiveNeedless() {
		assertThat(this.source.findAll(PrimitiveFallback.class)).hasSize(1);
	}

	static class PrimitiveFallback {

		@DistributedLock(onFailure = OnFailure.SKIP, fallback = "none")
		public int count() {
			return 1;
		}

		int none() {
			return 0;
		}

	}

	@Test
	void twoClassesWithOneDefaultName() {
		this.source.findAll(One.Shop.class);
		assertRefused(Two.Shop.class, "buy()",
				"would be named 'Shop.buy', but so is one of " + One.Shop.class.getName(),
				"Set name = \"...\" on both");
	}

	static class One {

		static class Shop {

			@DistributedLock
			public void buy() {
			}

		}

	}

	static class Two {

		static class Shop {

			@DistributedLock
			public void buy() {
			}

		}

	}

	@ParameterizedTest
	@ValueSource(classes = { ReturnsFuture.class, ReturnsFutureOfItsOwn.class, ReturnsConnectable.class,
			ReturnsDeferredResult.class, ReturnsGenericFuture.class, ReturnsSubmissionPublisher.class,
			ReturnsCallable.class, ReturnsEmitter.class, ReturnsStreamingBody.class, ReturnsEntityOfPublisher.class,
			ReturnsPublisherOfEntityOfPublisher.class, ReturnsFutures.class, ReturnsFutureOfFuture.class,
			ReturnsArrayOfFutures.class })
	void methodsThatGoOnAfterTheyReturn(Class<?> type) {
		assertThatExceptionOfType(InvalidDistributedLockException.class).isThrownBy(() -> this.source.findAll(type))
			.satisfies((ex) -> {
				assertThat(ex.problem()).contains("its work may go on after it has returned");
				assertThat(ex.action()).contains("acquireAsync");
			});
	}

	static class ReturnsCallable {

		@DistributedLock
		public Callable<String> buy() {
			return () -> "";
		}

	}

	static class ReturnsEmitter {

		@DistributedLock
		public SseEmitter buy() {
			return new SseEmitter();
		}

	}

	static class ReturnsStreamingBody {

		@DistributedLock
		public ResponseEntity<StreamingResponseBody> buy() {
			return ResponseEntity.ok((out) -> {
			});
		}

	}

	static class ReturnsEntityOfPublisher {

		@DistributedLock
		public ResponseEntity<Flux<String>> buy() {
			return ResponseEntity.ok(Flux.empty());
		}

	}

	static class ReturnsPublisherOfEntityOfPublisher {

		@DistributedLock
		public Mono<ResponseEntity<Flux<String>>> buy() {
			return Mono.empty();
		}

	}

	static class ReturnsFutures {

		@DistributedLock
		public Map<String, List<CompletableFuture<String>>> buy() {
			return Map.of();
		}

	}

	static class ReturnsFutureOfFuture {

		@DistributedLock
		public CompletableFuture<Optional<CompletableFuture<String>>> buy() {
			return new CompletableFuture<>();
		}

	}

	static class ReturnsArrayOfFutures {

		@DistributedLock
		public CompletableFuture<?>[] buy() {
			return new CompletableFuture<?>[0];
		}

	}

	@Test
	void whatIsCarriedMayBeGenericAsLongAsItsWorkIsOver() {
		assertThat(this.source.findAll(ReturnsEntities.class)).hasSize(3);
	}

	static class ReturnsEntities {

		@DistributedLock(name = "stock")
		public Mono<ResponseEntity<List<String>>> mono() {
			return Mono.empty();
		}

		@DistributedLock(name = "stock")
		public Map<String, Function<String, Mono<String>>> functions() {
			return Map.of();
		}

		@DistributedLock(name = "stock")
		public <T extends List<T>> T boundedByItself(T value) {
			return value;
		}

	}

	static class ReturnsFuture {

		@DistributedLock
		public Future<String> buy() {
			return new CompletableFuture<>();
		}

	}

	static class ReturnsFutureOfItsOwn {

		@DistributedLock
		public Promise buy() {
			return new Promise();
		}

	}

	static class Promise extends CompletableFuture<String> {

	}

	@Test
	void interruptOfAMethodThatReturnsAFuture() {
		assertRefused(InterruptsFuture.class, "buy()", "onLost = INTERRUPT has no thread to interrupt",
				"Leave out onLost");
	}

	static class InterruptsFuture {

		@DistributedLock(name = "stock", onLost = OnLost.INTERRUPT)
		public CompletableFuture<String> buy() {
			return new CompletableFuture<>();
		}

	}

	static class ReturnsConnectable {

		@DistributedLock
		public ConnectableFlux<String> buy() {
			return Flux.<String>empty().publish();
		}

	}

	static class ReturnsDeferredResult {

		@DistributedLock
		public DeferredResult<String> buy() {
			return new DeferredResult<>();
		}

	}

	static class ReturnsGenericFuture implements Callable<Future<String>> {

		@Override
		@DistributedLock
		public Future<String> call() {
			return new CompletableFuture<>();
		}

	}

	static class ReturnsSubmissionPublisher {

		@DistributedLock
		public SubmissionPublisher<String> buy() {
			return new SubmissionPublisher<>();
		}

	}

	@Test
	void unusableName() {
		assertRefused(LongName.class, "buy()", "the name cannot be used", "at most 128 are allowed");
	}

	static class LongName {

		@DistributedLock(name = "0123456789012345678901234567890123456789012345678901234567890123456789"
				+ "0123456789012345678901234567890123456789012345678901234567890123456789")
		public void buy() {
		}

	}

	@Test
	void classWithoutParameterNamesIsToldSo() {
		MethodVariables variables = new MethodVariables(List.of(nameless()));
		assertThat(variables.advice()).contains("compile with -parameters, or use #p0 to #p1");
		assertThat(variables.index("p1")).isEqualTo(1);
	}

	// Interfaces of the JDK carry no parameter names.
	private static Method nameless() {
		try {
			return Map.class.getMethod("put", Object.class, Object.class);
		}
		catch (NoSuchMethodException ex) {
			throw new IllegalStateException(ex);
		}
	}

}
