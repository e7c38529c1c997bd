-- The locks, the instances that wait for them, and claims: shares of locks, and callers that wait for one or in strict
-- order. Times are microseconds since 1970 on the clock of this database.
IF OBJECT_ID(N'@@table@@', N'U') IS NULL
CREATE TABLE @@table@@ (
	lock_key VARCHAR(512) COLLATE Latin1_General_BIN2 NOT NULL PRIMARY KEY,
	lock_state CHAR(1) COLLATE Latin1_General_BIN2 NOT NULL,
	attempt VARCHAR(22) COLLATE Latin1_General_BIN2,
	instance VARCHAR(128) COLLATE Latin1_General_BIN2,
	first_token BIGINT NOT NULL,
	last_token BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	waited SMALLINT NOT NULL
);
IF OBJECT_ID(N'@@table@@_waiter', N'U') IS NULL
CREATE TABLE @@table@@_waiter (
	lock_key VARCHAR(512) COLLATE Latin1_General_BIN2 NOT NULL,
	instance VARCHAR(128) COLLATE Latin1_General_BIN2 NOT NULL,
	attempt VARCHAR(22) COLLATE Latin1_General_BIN2 NOT NULL,
	since BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	PRIMARY KEY (lock_key, instance)
);
IF OBJECT_ID(N'@@table@@_claim', N'U') IS NULL
CREATE TABLE @@table@@_claim (
	lock_key VARCHAR(512) COLLATE Latin1_General_BIN2 NOT NULL,
	attempt VARCHAR(22) COLLATE Latin1_General_BIN2 NOT NULL,
	instance VARCHAR(128) COLLATE Latin1_General_BIN2 NOT NULL,
	claim_kind CHAR(1) COLLATE Latin1_General_BIN2 NOT NULL,
	claim_state CHAR(1) COLLATE Latin1_General_BIN2 NOT NULL,
	permits INTEGER NOT NULL,
	token BIGINT NOT NULL,
	since BIGINT NOT NULL,
	expires_at BIGINT NOT NULL,
	PRIMARY KEY (lock_key, attempt)
);
