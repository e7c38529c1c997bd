package io.distributedlock.sample.shop;

import java.sql.SQLException;

import io.distributedlock.sample.SeckillTest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/**
 * Tests for the fence: the database's own refusal of stale tokens.
 */
@SeckillTest
class ShopRepositoryTests {

	private static final String PRODUCT = "fence";

	@Autowired
	private ShopRepository repository;

	@Autowired
	private JdbcClient jdbc;

	@BeforeEach
	void openSaleUnderToken1000() {
		this.jdbc.sql("DELETE FROM product WHERE id = ?").param(PRODUCT).update();
		this.repository.open(PRODUCT, 10, 1000);
	}

	@Test
	void aStaleTokenIsRefusedAndWritesNothing() {
		this.repository.writeStock(PRODUCT, 9, 1001L);
		assertThatExceptionOfType(ShopException.StaleToken.class)
			.isThrownBy(() -> this.repository.writeStock(PRODUCT, 8, 1000L))
			.withMessageContaining("Stale fencing token 1000 for product fence: 1001 has been seen");
		assertThat(this.repository.stock(PRODUCT)).hasValue(9);
	}

	@Test
	void aStaleTokenCannotBeginASaleEither() {
		assertThatExceptionOfType(ShopException.StaleToken.class)
			.isThrownBy(() -> this.repository.open(PRODUCT, 50, 999));
		assertThat(this.repository.stock(PRODUCT)).hasValue(10);
	}

	@Test
	void theSameHolderMayWriteTwice() {
		this.repository.writeStock(PRODUCT, 9, 1001L);
		this.repository.writeStock(PRODUCT, 8, 1001L);
		assertThat(this.repository.stock(PRODUCT)).hasValue(8);
	}

	@Test
	void aWriterWithoutATokenIsNotGuarded() {
		this.repository.writeStock(PRODUCT, 9, 1001L);
		this.repository.writeStock(PRODUCT, 3, null);
		assertThat(this.repository.stock(PRODUCT)).hasValue(3);
		assertThat(this.repository.find(PRODUCT).orElseThrow().fence()).isEqualTo(1001);
	}

	@Test
	void theRefusalIsNoSerializationFailureThatAFrameworkWouldRetry() {
		DataAccessException refusal = catchThrowableOfType(DataAccessException.class,
				() -> this.jdbc.sql("UPDATE product SET fence = 1 WHERE id = ?").param(PRODUCT).update());
		assertThat(NestedExceptionUtils.getMostSpecificCause(refusal)).isInstanceOfSatisfying(SQLException.class,
				(cause) -> assertThat(cause.getSQLState()).isEqualTo("LF001").doesNotStartWith("40"));
	}

	@Test
	void nothingInTheSchemaHidesAMissingLock() {
		assertThat(this.jdbc.sql("""
				SELECT conname FROM pg_constraint
				WHERE conrelid IN ('product'::regclass, 'purchase'::regclass) AND contype NOT IN ('p', 'n')
				""").query(String.class).list()).isEmpty();
		assertThat(this.jdbc.sql("""
				SELECT count(*) FROM pg_index
				WHERE indrelid IN ('product'::regclass, 'purchase'::regclass) AND indisunique AND NOT indisprimary
				""").query(Integer.class).single()).isZero();
	}

}
