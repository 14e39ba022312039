-- sandbox_clock: how far the sandbox's clock is ahead of the machine's, in milliseconds; it never goes back. One row, made here,
-- moved by the sandbox's API, read by every process of a sandbox. Of no merchant, because time passes for all of them. In
-- production nobody reads it.
CREATE TABLE sandbox_clock (
  only_row               boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  offset_ms              bigint NOT NULL CHECK (offset_ms >= 0)
);
INSERT INTO sandbox_clock (offset_ms) VALUES (0);

-- sandbox_card_order: a physical card at the company that makes cards, as the sandbox plays it. Written when the worker orders a
-- card or its merchant says what becomes of it; one row per physical card of a sandbox, never removed. In production it is empty.
CREATE TABLE sandbox_card_order (
  merchant_id            integer NOT NULL,
  card_no                text COLLATE "C" NOT NULL,
  state                  text NOT NULL CHECK (state IN ('ordered', 'made', 'shipped', 'failed')),
  ordered_at             bigint NOT NULL,
  changed_at             bigint NOT NULL,
  PRIMARY KEY (merchant_id, card_no)
);

GRANT SELECT, UPDATE ON sandbox_clock TO cardwright_app;
GRANT SELECT, INSERT, UPDATE ON sandbox_card_order TO cardwright_app;
