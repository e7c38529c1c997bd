package io.distributedlock.boot.autoconfigure;

import java.util.List;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link LockNames}.
 */
class LockNamesTests {

	@Test
	void namesMatchAsPropertyNamesDo() {
		assertThat(LockNames.matches("OrderService.buy", "order-service-buy")).isTrue();
		assertThat(LockNames.matches("stock_item", "stockItem")).isTrue();
		assertThat(LockNames.matches("stock", "stocks")).isFalse();
		assertThat(LockNames.matches("---", "...")).isFalse();
	}

	@Test
	void exactEntryWinsOverARelaxedOne() {
		assertThat(LockNames.entryFor("stock-item", List.of("stockitem", "stock-item"))).contains("stock-item");
		assertThat(LockNames.entryFor("stockItem", List.of("stock-item"))).contains("stock-item");
		assertThat(LockNames.entryFor("stock", List.of("order"))).isEmpty();
	}

	@Test
	void nearestNameHasFewestLettersToChange() {
		assertThat(LockNames.nearest("stcok", List.of("order", "stock", "stick"))).contains("stock");
		assertThat(LockNames.nearest("ordr-service-by", List.of("OrderService.buy", "Order")))
			.contains("OrderService.buy");
		assertThat(LockNames.nearest("elephant", List.of("stock"))).isEmpty();
		assertThat(LockNames.nearest("elephant", List.of())).isEmpty();
	}

}
