-- bin: a range of card numbers that an issuing bank lends to the platform. Written by the operator, a handful of rows, never
-- removed; `Off` stops new cards. offered_to: the merchants that may use it, NULL for all.
CREATE TABLE bin (
  card_bin_no            text COLLATE "C" PRIMARY KEY,
  bin                    text COLLATE "C" NOT NULL CHECK (bin ~ '^[0-9]{6,11}$'),
  pan_length             smallint NOT NULL DEFAULT 16 CHECK (pan_length BETWEEN 13 AND 19),
  organization           text NOT NULL,
  support_virtual        boolean NOT NULL,
  support_physical       boolean NOT NULL,
  currencies             text[] NOT NULL DEFAULT '{USD}',
  valid_months           smallint NOT NULL DEFAULT 36 CHECK (valid_months BETWEEN 1 AND 120),
  cards_per_cardholder_max integer NOT NULL DEFAULT 10 CHECK (cards_per_cardholder_max > 0),
  status                 text NOT NULL DEFAULT 'On' CHECK (status IN ('On', 'Off')),
  offered_to             integer[],
  terms_version          integer NOT NULL DEFAULT 1,
  created_at             bigint NOT NULL
);

-- package: what a credit-mode merchant opens cards on: a BIN with names, fees and limits. Same life as a BIN.
CREATE TABLE package (
  package_no             text COLLATE "C" PRIMARY KEY,
  card_bin_no            text COLLATE "C" NOT NULL REFERENCES bin,
  en_name                text NOT NULL,
  cn_name                text NOT NULL,
  en_desc                text NOT NULL DEFAULT '',
  cn_desc                text NOT NULL DEFAULT '',
  en_tag_list            text[] NOT NULL DEFAULT '{}',
  cn_tag_list            text[] NOT NULL DEFAULT '{}',
  support_virtual        boolean NOT NULL,
  support_physical       boolean NOT NULL,
  cards_per_cardholder_max integer NOT NULL DEFAULT 10 CHECK (cards_per_cardholder_max > 0),
  status                 text NOT NULL DEFAULT 'On' CHECK (status IN ('On', 'Off')),
  offered_to             integer[],
  terms_version          integer NOT NULL DEFAULT 1,
  created_at             bigint NOT NULL
);

-- product_terms: limits and rates of a BIN or package, one row per version and never changed: a card keeps the version that it
-- was opened with. rates has the wire names of contract section 3.1, decimal texts; of a BIN it is the side charged to the
-- reserve, of a package the side charged to the cardholder. Limits are minor units of USD.
CREATE TABLE product_terms (
  product_no             text COLLATE "C" NOT NULL,
  terms_version          integer NOT NULL,
  limit_balance          bigint NOT NULL CHECK (limit_balance >= 0),
  limit_week_balance     bigint NOT NULL CHECK (limit_week_balance >= 0),
  limit_atm_day_balance  bigint NOT NULL CHECK (limit_atm_day_balance >= 0),
  limit_atm_month_balance bigint NOT NULL CHECK (limit_atm_month_balance >= 0),
  rates                  jsonb NOT NULL,
  created_at             bigint NOT NULL,
  PRIMARY KEY (product_no, terms_version)
);

GRANT SELECT, INSERT, UPDATE ON bin, package TO cardwright_app;
GRANT SELECT, INSERT ON product_terms TO cardwright_app;
