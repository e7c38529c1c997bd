package io.distributedlock.spring;

import java.util.concurrent.CompletableFuture;

import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

/**
 * A method that is declared to return an Object is locked until it returns, and so must
 * not return work that goes on.
 */
class UndeclaredWorkTests extends LockedProxies {

	private final Shop shop = proxy(new Shop());

	@Test
	void workThatGoesOnIsNotPassedOnAsIfItWereLocked() {
		assertThatIllegalStateException().isThrownBy(() -> this.shop.buy(Mono.just("sold")))
			.withMessageContaining("Shop.buy(Object) has returned a reactor.core.publisher.MonoJust")
			.withMessageContaining("without the lock 'stock'");
		assertThatIllegalStateException().isThrownBy(() -> this.shop.buy(new CompletableFuture<String>()));
	}

	@Test
	void workThatIsOverIsPassedOn() {
		assertThat(this.shop.buy("sold")).isEqualTo("sold");
		assertThat(this.shop.buy(null)).isNull();
		CompletableFuture<String> done = CompletableFuture.completedFuture("sold");
		assertThat(this.shop.buy(done)).isSameAs(done);
	}

	static class Shop {

		@DistributedLock(name = "stock")
		public Object buy(Object result) {
			return result;
		}

	}

}
