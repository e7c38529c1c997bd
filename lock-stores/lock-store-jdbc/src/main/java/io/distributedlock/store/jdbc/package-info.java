/**
 * A lock store in a relational database: PostgreSQL, MySQL, MariaDB, H2, Oracle or SQL
 * Server, through the application's {@link javax.sql.DataSource}.
 */
@NullMarked
package io.distributedlock.store.jdbc;

import org.jspecify.annotations.NullMarked;
