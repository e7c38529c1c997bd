package io.distributedlock.sample.shop;

import java.sql.SQLException;
import java.sql.Types;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

import org.springframework.core.NestedExceptionUtils;
import org.springframework.dao.DataAccessException;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Repository;

/**
 * The shop's SQL. Plain reads and plain writes: no {@code FOR UPDATE}, no condition on
 * the stock. Writers with a token are guarded by the fence in {@code schema.sql}.
 */
@Repository
class ShopRepository {

	/** SQLSTATE with which the database refuses a stale token; see schema.sql. */
	private static final String STALE_TOKEN = "LF001";

	private final JdbcClient jdbc;

	ShopRepository(JdbcClient jdbc) {
		this.jdbc = jdbc;
	}

	Optional<Integer> stock(String productId) {
		return this.jdbc.sql("SELECT stock FROM product WHERE id = ?").param(productId).query(Integer.class).optional();
	}

	boolean hasBought(String productId, String userId) {
		return this.jdbc.sql("SELECT count(*) FROM purchase WHERE product_id = ? AND user_id = ?")
			.params(productId, userId)
			.query(Integer.class)
			.single() > 0;
	}

	void writeStock(String productId, int stock, @Nullable Long token) {
		try {
			if (token == null) {
				this.jdbc.sql("UPDATE product SET stock = ? WHERE id = ?").params(stock, productId).update();
			}
			else {
				this.jdbc.sql("UPDATE product SET stock = ?, fence = ? WHERE id = ?")
					.params(stock, token, productId)
					.update();
			}
		}
		catch (DataAccessException ex) {
			throw refusedByFence(ex);
		}
	}

	private static RuntimeException refusedByFence(DataAccessException ex) {
		return (NestedExceptionUtils.getMostSpecificCause(ex) instanceof SQLException cause
				&& STALE_TOKEN.equals(cause.getSQLState())) ? new ShopException.StaleToken(firstLine(cause)) : ex;
	}

	private static String firstLine(SQLException ex) {
		return String.valueOf(ex.getMessage()).lines().findFirst().orElse("").replaceFirst("^ERROR: ", "");
	}

	Order createOrder(String productId, String userId, @Nullable Long token) {
		long id = this.jdbc.sql("INSERT INTO purchase (product_id, user_id, token) VALUES (?, ?, ?) RETURNING id")
			.param(1, productId)
			.param(2, userId)
			.param(3, token, Types.BIGINT)
			.query(Long.class)
			.single();
		return new Order(id, productId, userId, token);
	}

	/**
	 * Begins a sale anew.
	 * @param productId which product
	 * @param stock units to sell
	 * @param token token of the lock under which this runs
	 */
	void open(String productId, int stock, long token) {
		try {
			this.jdbc.sql("""
					INSERT INTO product (id, stock, initial_stock, fence) VALUES (:id, :stock, :stock, :fence)
					ON CONFLICT (id) DO UPDATE
					SET stock = excluded.stock, initial_stock = excluded.initial_stock, fence = excluded.fence
					""").param("id", productId).param("stock", stock).param("fence", token).update();
		}
		catch (DataAccessException ex) {
			throw refusedByFence(ex);
		}
		this.jdbc.sql("DELETE FROM purchase WHERE product_id = ?").param(productId).update();
	}

	Optional<Product> find(String productId) {
		return this.jdbc.sql("""
				SELECT p.id, p.stock, p.initial_stock, p.fence, coalesce(sum(b.units), 0) AS orders,
				       count(*) FILTER (WHERE b.units > 1) AS buyers_twice
				FROM product p
				LEFT JOIN (SELECT product_id, count(*) AS units FROM purchase GROUP BY product_id, user_id) b
				       ON b.product_id = p.id
				WHERE p.id = ?
				GROUP BY p.id
				""")
			.param(productId)
			.query((row, number) -> new Product(row.getString("id"), row.getInt("stock"), row.getInt("initial_stock"),
					row.getInt("orders"), row.getInt("buyers_twice"), row.getLong("fence")))
			.optional();
	}

}
