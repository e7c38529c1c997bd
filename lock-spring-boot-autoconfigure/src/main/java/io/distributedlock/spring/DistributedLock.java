package io.distributedlock.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import io.distributedlock.LockMode;

import org.springframework.aot.hint.annotation.Reflective;
import org.springframework.core.annotation.AliasFor;

/**
 * Runs a method under a distributed lock: of all callers in the cluster, one at a time
 * runs it for a given key.
 *
 * <pre>{@code
 * &#64;DistributedLock(name = "stock", key = "#productId", ttl = "10s", waitTime = "2s")
 * public Order buy(String productId, String userId) { ... }
 * }</pre>
 * <p>
 * On a type it applies to all public methods that the type declares. It works on
 * interfaces, on abstract methods, and as a meta-annotation whose attributes are set with
 * {@link AliasFor @AliasFor}. Calls from within the same object go past the proxy and are
 * not locked; {@link io.distributedlock.LockContext#assertHeld(String)} finds them.
 * <p>
 * A method may also return a {@code CompletableFuture}, a {@code CompletionStage}, a
 * {@code Mono}, a {@code Flux} or another reactive type, or be a suspend function of
 * Kotlin. The lock is then taken without blocking a thread, held until the work has
 * completed, failed or was cancelled, and belongs to the call instead of the thread.
 * Other kinds of futures are refused.
 * <p>
 * The lock is taken before, and given back after, a transaction or cache operation that
 * is declared on the same method; security checks come before it. What is written here is
 * checked when the application starts; only a misspelt property of a parameter is found
 * at the first call.
 * <p>
 * Text attributes but {@link #key} and {@link #condition} may hold placeholders such as
 * <code>${stock.ttl}</code>. Durations are written as {@code 10s}, {@code 500ms} or
 * {@code PT1M}; left empty, the configuration decides
 * (<code>distributed-lock.locks.&lt;name&gt;.*</code>, then {@code distributed-lock.*}).
 * An entry for the name in the configuration wins over what is written here.
 */
@Target({ ElementType.METHOD, ElementType.TYPE })
@Retention(RetentionPolicy.RUNTIME)
@Inherited
@Documented
@Reflective
public @interface DistributedLock {

	/**
	 * Alias for {@link #key}.
	 * @return the parts of the key
	 */
	@AliasFor("key")
	String[] value() default {};

	/**
	 * What tells one instance of the lock from another, as SpEL expressions; the parts
	 * form one key. Arguments are {@code #productId}, {@code #p0} or {@code #a0}, their
	 * properties {@code #order.id}; {@code #root} has {@code methodName},
	 * {@code targetClass} (its simple name) and {@code args}. Each part must give a text,
	 * number, boolean, character, UUID or enum constant. Without parts there is one lock
	 * for the whole name.
	 * @return the parts of the key
	 */
	@AliasFor("value")
	String[] key() default {};

	/**
	 * The keys of several locks that are taken together, all or none, as SpEL expressions
	 * like those of {@link #key}. Each gives the key of one lock; one that gives a
	 * collection or an array gives as many. They are taken in the same order by all
	 * callers, whatever order they are written in, so that calls of such methods cannot
	 * wait for each other, and a key that comes twice is taken once. It goes neither with
	 * {@link #key} nor with methods whose work goes on after they have returned. A
	 * collection that is empty is an error of the call.
	 *
	 * <pre>{@code
	 * &#64;DistributedLock(name = "account", lockAll = { "#from", "#to" })
	 * public void transfer(String from, String to, BigDecimal amount) { ... }
	 * }</pre>
	 * @return the expressions, empty for one lock
	 */
	String[] lockAll() default {};

	/**
	 * What the lock protects, the same for all keys, such as {@code stock}. It is shown
	 * in meters and names the lock's entry in the configuration. Methods that protect the
	 * same thing use the same name.
	 * @return the name; if empty, {@code SimpleClassName.methodName}
	 */
	String name() default "";

	/**
	 * How long the store keeps the lock if this instance dies or is cut off. It does not
	 * limit how long the method may run, unless {@link #renew} is false.
	 * @return the duration, at least 500 ms
	 */
	String ttl() default "";

	/**
	 * How long a call is willing to wait for the lock; {@code 0} is one try.
	 * @return the duration
	 */
	String waitTime() default "";

	/**
	 * Whether the lock is renewed while the method runs. A text, so that it can be left
	 * open or come from a placeholder.
	 * @return {@code true}, {@code false}, or empty to let the configuration decide
	 */
	String renew() default "";

	/**
	 * How long the lock stays taken at least, also when the method ends sooner: for
	 * scheduled jobs, so that a second instance whose clock is late does not run again.
	 * @return the duration, counted from acquisition
	 */
	String minHold() default "";

	/**
	 * After this time renewal stops, so that a method that hangs loses the lock.
	 * @return the duration, counted from acquisition
	 */
	String maxHold() default "";

	/**
	 * Whether the lock stays taken after the method, until its ttl from the start is
	 * over, so that the same request is not served twice. Only if the method returns
	 * normally: what failed may be tried again at once.
	 * @return {@code true}, {@code false}, or empty to let the configuration decide
	 */
	String keep() default "";

	/**
	 * Whether callers get the lock strictly in the order in which they came, over all
	 * threads of all instances. It costs throughput: without it an instance serves a few
	 * callers of its own at a time.
	 * @return {@code true}, {@code false}, or empty to let the configuration decide
	 */
	String fair() default "";

	/**
	 * How many calls in the cluster may run at once for a key. A text, so that it can
	 * come from a placeholder.
	 * @return a number, or empty to let the configuration decide; the default is 1
	 */
	String permits() default "";

	/**
	 * Whether calls share the lock with others that read.
	 * @return {@link LockMode#WRITE} to be alone, {@link LockMode#READ} to run together
	 * with other readers of the same name and key
	 */
	LockMode mode() default LockMode.WRITE;

	/**
	 * What a call gets when somebody else holds the lock for longer than it waits.
	 * Without effect for failures that the {@link #fallback} answers.
	 * @return the answer
	 */
	OnFailure onFailure() default OnFailure.THROW;

	/**
	 * A method of the same class that answers instead when the lock is not had. It has
	 * the same parameters and a return type that fits, and may take the exception as a
	 * last parameter, which says what it answers: none or
	 * {@link io.distributedlock.LockNotAcquiredException} is contention only,
	 * {@link io.distributedlock.LockStoreException} an outage only,
	 * {@link io.distributedlock.LockException} both. A lock that was lost while the
	 * method ran is never answered by it. It runs without the lock.
	 * @return name of the method, or empty for none
	 */
	String fallback() default "";

	/**
	 * What happens to the running method when its lock is lost. Methods whose work goes
	 * on after they have returned cannot be interrupted; those that are reactive or
	 * suspend are cancelled instead.
	 * @return whether the thread is interrupted as well
	 */
	OnLost onLost() default OnLost.THROW;

	/**
	 * A SpEL expression over the same variables as {@link #key}; if it gives false, the
	 * method runs without the lock.
	 * @return the expression, or empty to lock always
	 */
	String condition() default "";

	/**
	 * The store that keeps the lock, if there are several.
	 * @return name of the store, or empty for the default one
	 */
	String store() default "";

}
