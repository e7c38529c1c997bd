package io.distributedlock.boot.test.autoconfigure;

import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link AutoConfigureDistributedLock} with another store than the one in
 * memory, in a context that has nothing but what it imports.
 */
@SpringBootTest(classes = LockedSlices.Shop.class, webEnvironment = SpringBootTest.WebEnvironment.NONE,
		properties = "distributed-lock.jdbc.initialize-schema=always")
@ImportAutoConfiguration(DataSourceAutoConfiguration.class)
@AutoConfigureDistributedLock(store = "jdbc")
class DatabaseSliceTests {

	@Autowired
	private LockedSlices.Shop shop;

	@Test
	void methodRunsUnderItsLockInTheDatabase() {
		assertThat(this.shop.buy("42")).isEqualTo("jdbc stock:42");
	}

}
