-- The locks, the instances that wait for them, and claims: shares of locks, and callers that wait for one or in strict
-- order. Times are microseconds since 1970 on the clock of this database.
-- Oracle before 23ai has no CREATE TABLE IF NOT EXISTS: ORA-00955 says that the table is there.
BEGIN
	EXECUTE IMMEDIATE 'CREATE TABLE @@table@@ (
		lock_key VARCHAR2(512 CHAR) NOT NULL PRIMARY KEY,
		lock_state CHAR(1 CHAR) NOT NULL,
		attempt VARCHAR2(22 CHAR),
		instance VARCHAR2(128 CHAR),
		first_token NUMBER(19) NOT NULL,
		last_token NUMBER(19) NOT NULL,
		expires_at NUMBER(19) NOT NULL,
		waited NUMBER(5) NOT NULL
	)';
EXCEPTION
	WHEN OTHERS THEN
		IF SQLCODE != -955 THEN
			RAISE;
		END IF;
END;
/
BEGIN
	EXECUTE IMMEDIATE 'CREATE TABLE @@table@@_waiter (
		lock_key VARCHAR2(512 CHAR) NOT NULL,
		instance VARCHAR2(128 CHAR) NOT NULL,
		attempt VARCHAR2(22 CHAR) NOT NULL,
		since NUMBER(19) NOT NULL,
		expires_at NUMBER(19) NOT NULL,
		PRIMARY KEY (lock_key, instance)
	)';
EXCEPTION
	WHEN OTHERS THEN
		IF SQLCODE != -955 THEN
			RAISE;
		END IF;
END;
/
BEGIN
	EXECUTE IMMEDIATE 'CREATE TABLE @@table@@_claim (
		lock_key VARCHAR2(512 CHAR) NOT NULL,
		attempt VARCHAR2(22 CHAR) NOT NULL,
		instance VARCHAR2(128 CHAR) NOT NULL,
		claim_kind CHAR(1 CHAR) NOT NULL,
		claim_state CHAR(1 CHAR) NOT NULL,
		permits NUMBER(10) NOT NULL,
		token NUMBER(19) NOT NULL,
		since NUMBER(19) NOT NULL,
		expires_at NUMBER(19) NOT NULL,
		PRIMARY KEY (lock_key, attempt)
	)';
EXCEPTION
	WHEN OTHERS THEN
		IF SQLCODE != -955 THEN
			RAISE;
		END IF;
END;
/
