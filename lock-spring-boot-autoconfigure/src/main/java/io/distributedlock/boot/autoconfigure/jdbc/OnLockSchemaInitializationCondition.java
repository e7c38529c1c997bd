package io.distributedlock.boot.autoconfigure.jdbc;

import org.springframework.boot.sql.autoconfigure.init.OnDatabaseInitializationCondition;

/**
 * Matches unless {@code distributed-lock.jdbc.initialize-schema} is {@code never}.
 */
class OnLockSchemaInitializationCondition extends OnDatabaseInitializationCondition {

	OnLockSchemaInitializationCondition() {
		super("Distributed lock", "distributed-lock.jdbc.initialize-schema");
	}

}
