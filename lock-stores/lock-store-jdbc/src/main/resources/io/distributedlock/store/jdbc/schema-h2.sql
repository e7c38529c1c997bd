-- The locks, the instances that wait for them, and claims: shares of locks, and callers that wait for one or in strict
-- order. Times are microseconds since 1970 on the clock of this database.
CREATE TABLE IF NOT EXISTS @@table@@ (
	lock_key VARCHAR(512) NOT NULL PRIMARY KEY,
	lock_state CHAR(1) NOT NULL,
	attempt VARCHAR(22),
	instance VARCHAR(128),
	first_token BIGINT NOT NULL,
	last_token BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	waited SMALLINT NOT NULL
);
CREATE TABLE IF NOT EXISTS @@table@@_waiter (
	lock_key VARCHAR(512) NOT NULL,
	instance VARCHAR(128) NOT NULL,
	attempt VARCHAR(22) NOT NULL,
	since BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	PRIMARY KEY (lock_key, instance)
);
CREATE TABLE IF NOT EXISTS @@table@@_claim (
	lock_key VARCHAR(512) NOT NULL,
	attempt VARCHAR(22) NOT NULL,
	instance VARCHAR(128) NOT NULL,
	claim_kind CHAR(1) NOT NULL,
	claim_state CHAR(1) NOT NULL,
	permits INTEGER NOT NULL,
	token BIGINT NOT NULL,
	since BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	PRIMARY KEY (lock_key, attempt)
);
