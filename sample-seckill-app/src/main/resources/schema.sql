-- Several instances may start at the same moment.
SELECT pg_advisory_xact_lock(7325453);

-- No CHECK (stock >= 0) and no UNIQUE (product_id, user_id): nothing here may hide what a
-- missing lock does. Only the fence column guards, and only writers that show a token.
CREATE TABLE IF NOT EXISTS product (
  id            text    PRIMARY KEY,
  stock         integer NOT NULL,
  initial_stock integer NOT NULL,
  fence         bigint  NOT NULL DEFAULT 0
);

CREATE TABLE IF NOT EXISTS purchase (
  id         bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  product_id text        NOT NULL,
  user_id    text        NOT NULL,
  token      bigint,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE INDEX IF NOT EXISTS purchase_by_buyer ON purchase (product_id, user_id);

-- A fencing token rises with every lease of the lock. Whoever writes with a lower one than
-- the row has seen held the lock too long ago. LF001 is no class 40 ("rollback, try the
-- same again"): a retry with the same token can never succeed.
CREATE OR REPLACE FUNCTION refuse_stale_fence() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.fence < OLD.fence THEN
    RAISE EXCEPTION 'Stale fencing token % for product %: % has been seen', NEW.fence, OLD.id, OLD.fence
      USING ERRCODE = 'LF001';
  END IF;
  RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER product_fence BEFORE UPDATE ON product
  FOR EACH ROW EXECUTE FUNCTION refuse_stale_fence();
