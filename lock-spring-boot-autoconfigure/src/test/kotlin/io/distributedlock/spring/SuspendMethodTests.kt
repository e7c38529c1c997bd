package io.distributedlock.spring

import io.distributedlock.LockContext
import io.distributedlock.LockKey
import io.distributedlock.LockLostException
import io.distributedlock.LockNotAcquiredException
import io.distributedlock.LockRequest
import java.time.Duration
import java.util.concurrent.CopyOnWriteArrayList
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout
import kotlinx.coroutines.yield
import org.assertj.core.api.Assertions.assertThat
import org.junit.jupiter.api.Test

/**
 * Tests for annotated suspend functions and functions that return a flow.
 */
internal class SuspendMethodTests : LockedProxies() {

	private val target = CoroutineShop()

	private val shop: CoroutineShop = proxy(target)

	private fun test(block: suspend kotlinx.coroutines.CoroutineScope.() -> Unit) =
		runBlocking(Dispatchers.Default) { withTimeout(20_000, block) }

	@Test
	fun lockIsHeldUntilTheFunctionHasReturned() = test {
		val call = async { shop.buy("42") }
		target.begun.await()
		assertThat(held()).isEqualTo(1)
		target.proceed.complete(Unit)
		assertThat(call.await()).isEqualTo("stock:42")
		assertThat(held()).isZero()
	}

	@Test
	fun leaseFollowsTheCoroutineFromThreadToThread() = test {
		assertThat(shop.wander()).containsExactly("stock", "stock", "stock", "stock")
		assertThat(LockContext.boundOwner()).isNull()
	}

	@Test
	fun functionsWithinReenter() = test {
		target.shop = shop
		assertThat(shop.outer("42")).isEqualTo("stock:42 stock:42")
	}

	@Test
	fun coroutinesExcludeEachOther() = test {
		val section = Section()
		(1..200).map { async { shop.work(section) } }.awaitAll()
		assertThat(section.begun.get()).isEqualTo(200)
		assertThat(section.overlaps.get()).isZero()
	}

	@Test
	fun cancellingWhileItWaitsGivesUp() = test {
		val lease = hold("stock")
		val call = launch { shop.wander() }
		eventually().until { waiting() == 1 }
		call.cancelAndJoin()
		eventually().until { waiting() == 0 }
		lease.close()
		assertThat(target.seen).isEmpty()
	}

	@Test
	fun cancellingWhileItRunsReleasesTheLockAfterItsCleanUp() = test {
		val call = launch { shop.cleaningUp() }
		target.begun.await()
		call.cancelAndJoin()
		target.cleaning.await()
		assertThat(held()).isEqualTo(1)
		target.proceed.complete(Unit)
		eventually().until { held() == 0 }
	}

	@Test
	fun lostLockFailsTheCallerAndCancelsTheCoroutine() = test {
		val call = async { runCatching { shop.cleaningUp() } }
		target.begun.await()
		takeAway("stock")
		assertThat(call.await().exceptionOrNull()).isInstanceOf(LockLostException::class.java)
		target.cleaning.await()
		target.proceed.complete(Unit)
	}

	@Test
	fun failureReachesTheCaller() = test {
		assertThat(runCatching { shop.failing() }.exceptionOrNull()).isInstanceOf(IllegalStateException::class.java)
			.hasMessageContaining("sold out")
		assertThat(held()).isZero()
	}

	@Test
	fun contentionThrowsSkipsOrFallsBack() = test {
		val lease = hold("stock")
		assertThat(runCatching { shop.impatient() }.exceptionOrNull())
			.isInstanceOf(LockNotAcquiredException::class.java)
		assertThat(shop.skipped()).isNull()
		assertThat(shop.withFallback("42")).isEqualTo("later: 42 BUSY")
		lease.close()
	}

	@Test
	fun functionWithoutResultWorks() = test {
		shop.nothing()
		assertThat(target.seen).containsExactly("stock")
	}

	@Test
	fun falseConditionRunsTheFunctionWithoutLock() = test {
		assertThat(shop.conditional(false)).isEqualTo("nothing")
		assertThat(shop.conditional(true)).isEqualTo("stock")
	}

	@Test
	fun lockIsHeldWhileAFlowIsCollected() = test {
		val flow = shop.flowing()
		assertThat(held()).isZero()
		val held = CopyOnWriteArrayList<Int>()
		flow.collect { held.add(held()) }
		assertThat(held).containsExactly(1, 1, 1)
		assertThat(target.seen).containsExactly("stock", "stock", "stock")
		assertThat(held()).isZero()
	}

	@Test
	fun severalLocksAreHeldUntilTheFunctionHasReturned() = test {
		val call = async { shop.transfer("b", "a") }
		target.begun.await()
		assertThat(heldKeys()).containsExactlyInAnyOrder("account:a", "account:b")
		target.proceed.complete(Unit)
		assertThat(call.await()).isEqualTo("account:a account:b")
		assertThat(held()).isZero()
	}

	@Test
	fun severalLocksAreHeldWhileAFlowIsCollected() = test {
		val held = CopyOnWriteArrayList<Int>()
		shop.flowingOver(listOf("b", "a", "b")).collect { held.add(held()) }
		assertThat(held).containsExactly(2, 2)
		assertThat(held()).isZero()
	}

	@Test
	fun cancellingWhileItWaitsForOneOfSeveralLeavesNoneLocked() = test {
		val lease = engine.acquire(LockRequest.of("account", "b"))
		val call = launch { shop.transfer("a", "b") }
		eventually().until { waiting() == 1 }
		call.cancelAndJoin()
		eventually().until { waiting() == 0 && held() == 1 }
		lease.close()
		assertThat(target.seen).isEmpty()
	}

	@Test
	fun lossOfOneOfSeveralCancelsTheCoroutineAndReleasesTheOthers() = test {
		val call = async { runCatching { shop.transfer("a", "b") } }
		target.begun.await()
		val lost = engine.held().first { it.key() == LockKey.of("account", "b") }
		assertThat(engine.forceRelease(lost.key(), null, lost.fencingToken())).isTrue()
		assertThat(call.await().exceptionOrNull()).isInstanceOf(LockLostException::class.java)
		eventually().until { held() == 0 }
	}

	private fun heldKeys(): List<String> = engine.held().map { it.key().toString() }

	@Test
	fun suspendFunctionMayReturnAFlow() = test {
		assertThat(shop.suspendingFlow().toList()).containsExactly(1, 2, 3)
		assertThat(target.seen).containsExactly("stock", "stock", "stock")
		assertThat(held()).isZero()
	}

}

/** What the tests call. */
open class CoroutineShop {

	val begun = CompletableDeferred<Unit>()

	val cleaning = CompletableDeferred<Unit>()

	val proceed = CompletableDeferred<Unit>()

	val seen = CopyOnWriteArrayList<String>()

	var shop: CoroutineShop? = null

	private fun current(): String = LockContext.current().map { it.key().toString() }.orElse("nothing")

	@DistributedLock(name = "stock", key = ["#productId"])
	open suspend fun buy(productId: String): String {
		begun.complete(Unit)
		proceed.await()
		return current()
	}

	@DistributedLock(name = "account", lockAll = ["#from", "#to"])
	open suspend fun transfer(from: String, to: String): String {
		seen.add(current())
		begun.complete(Unit)
		proceed.await()
		return LockContext.leases().map { it.key().toString() }.sorted().joinToString(" ")
	}

	@DistributedLock(name = "account", lockAll = ["#accounts"])
	open fun flowingOver(accounts: List<String>): Flow<Int> = flow {
		emit(1)
		delay(2)
		emit(2)
	}

	@DistributedLock(name = "stock")
	open suspend fun wander(): List<String> {
		seen.add(current())
		delay(2)
		seen.add(current())
		withContext(Dispatchers.IO) { seen.add(current()) }
		yield()
		seen.add(current())
		return seen
	}

	@DistributedLock(name = "stock", key = ["#productId"])
	open suspend fun outer(productId: String): String {
		delay(1)
		return current() + " " + shop!!.inner(productId)
	}

	@DistributedLock(name = "stock", key = ["#productId"], waitTime = "0s")
	open suspend fun inner(productId: String): String {
		delay(1)
		return current()
	}

	@DistributedLock(name = "stock")
	internal open suspend fun work(section: LockedProxies.Section) {
		section.enter()
		delay(1)
		section.leave()
	}

	@DistributedLock(name = "stock")
	open suspend fun cleaningUp() {
		try {
			begun.complete(Unit)
			delay(Duration.ofHours(1).toMillis())
		} finally {
			withContext(NonCancellable) {
				cleaning.complete(Unit)
				proceed.await()
			}
		}
	}

	@DistributedLock(name = "stock")
	open suspend fun failing(): String {
		delay(1)
		throw IllegalStateException("sold out")
	}

	@DistributedLock(name = "stock", waitTime = "0s")
	open suspend fun impatient(): String = current()

	@DistributedLock(name = "stock", waitTime = "0s", onFailure = OnFailure.SKIP)
	open suspend fun skipped(): String? = current()

	@DistributedLock(name = "stock", waitTime = "0s", fallback = "later")
	open suspend fun withFallback(productId: String): String = current() + productId

	suspend fun later(productId: String, ex: LockNotAcquiredException): String {
		delay(1)
		return "later: " + productId + " " + ex.reason()
	}

	@DistributedLock(name = "stock")
	open suspend fun nothing() {
		delay(1)
		seen.add(current())
	}

	@DistributedLock(name = "stock", condition = "#lock")
	open suspend fun conditional(lock: Boolean): String = current()

	@DistributedLock(name = "stock")
	open fun flowing(): Flow<Int> = flow {
		for (i in 1..3) {
			delay(1)
			seen.add(current())
			emit(i)
		}
	}

	@DistributedLock(name = "stock")
	open suspend fun suspendingFlow(): Flow<Int> {
		delay(1)
		return flow {
			for (i in 1..3) {
				seen.add(current())
				emit(i)
			}
		}
	}

}
