-- What the loader of the benchmarks needs in the database, beside the platform's tables. Never part of the platform.
CREATE SCHEMA bench;
GRANT USAGE ON SCHEMA bench TO cardwright_app;

-- The time of day in the platform's order numbers (kernel/ids.ts): six characters of five bits. One plain expression, so that
-- the planner takes it into the query: called as a function it cost 8 µs a number.
CREATE FUNCTION bench.time_of_day(value bigint) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((value >> 25) & 31)::int + 1, 1)
    || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((value >> 20) & 31)::int + 1, 1)
    || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((value >> 15) & 31)::int + 1, 1)
    || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((value >> 10) & 31)::int + 1, 1)
    || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((value >> 5) & 31)::int + 1, 1)
    || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', ((value >> 0) & 31)::int + 1, 1)
$$;

-- An order number as the platform makes them: kind, UTC date, time of day, a count, and 8 characters that look random.
CREATE FUNCTION bench.order_number(kind text, ms bigint, n bigint) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT kind || to_char(to_timestamp(ms / 1000) AT TIME ZONE 'UTC', 'YYYYMMDD') || bench.time_of_day(ms % 86400000)
    || '0' || right(n::text, 1) || upper(substr(md5(n::text), 1, 8))
$$;

-- A UUID version 7 of a moment.
CREATE FUNCTION bench.uuid7(ms bigint, n bigint, salt text) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT (lpad(to_hex(ms), 12, '0') || '7' || lpad(to_hex(n & 4095), 3, '0') || '8' || substr(md5(salt || n::text), 1, 15))::uuid
$$;

-- bench.card: the cards of the programme by their index from 0, with what the loader's joins and the benchmarks need to know.
CREATE UNLOGGED TABLE bench.card (
  card_index             bigint PRIMARY KEY,
  merchant_id            integer NOT NULL,
  opened_at              bigint NOT NULL,
  card_no                text COLLATE "C" NOT NULL,
  cardholder_no          text COLLATE "C" NOT NULL,
  credit_account_id      uuid NOT NULL,
  reserve_account_id     uuid NOT NULL
);

-- bench.consumption: the plan of the history, one row per consumption: which card, when, how much.
CREATE UNLOGGED TABLE bench.consumption (
  n                      bigint NOT NULL,
  card_index             bigint NOT NULL,
  merchant_id            integer NOT NULL,
  at                     bigint NOT NULL,
  consume_no             text COLLATE "C" NOT NULL,
  hold_id                uuid NOT NULL,
  post_id                uuid NOT NULL,
  amount                 bigint NOT NULL
);

-- bench.own: the ids of a merchant's own accounts.
CREATE UNLOGGED TABLE bench.own (
  merchant_id            integer PRIMARY KEY,
  reserve                uuid NOT NULL,
  funding                uuid NOT NULL,
  settlement             uuid NOT NULL,
  platform_income        uuid NOT NULL,
  credit_line            uuid NOT NULL,
  spending               uuid NOT NULL,
  merchant_income        uuid NOT NULL
);
GRANT SELECT ON bench.card TO cardwright_app;
