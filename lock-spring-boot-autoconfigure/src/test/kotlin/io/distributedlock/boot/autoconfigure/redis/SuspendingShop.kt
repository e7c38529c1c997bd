package io.distributedlock.boot.autoconfigure.redis

import io.distributedlock.spring.DistributedLock
import java.util.concurrent.CompletableFuture
import java.util.function.Supplier
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.future.await
import kotlinx.coroutines.future.future

/** A suspend function under a lock, and a way to call it from Java. */
open class SuspendingShop {

	@DistributedLock(name = "stock", key = ["#productId"], waitTime = "100s")
	open suspend fun buy(productId: String, work: Supplier<CompletableFuture<String>>): String = work.get().await()

	companion object {

		/** Calls the function in a new coroutine. */
		@JvmStatic
		fun call(shop: SuspendingShop, productId: String, work: Supplier<CompletableFuture<String>>): CompletableFuture<String> =
			CoroutineScope(Dispatchers.Default).future { shop.buy(productId, work) }

	}

}
