-- What the card network says it has settled, day by day, and where that differs from what its messages had told us.
-- These tables are the platform's own, of no merchant: a file names transactions of all of them, and comes once a day.

-- settlement_turn: one row, made here. Whoever matches a piece of a file, or decides what was not named, holds it until his
-- transaction ends: so every piece sees the whole of every piece before it. last_order counts the files that were received whole.
CREATE TABLE settlement_turn (
  only_row               boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  last_order             integer NOT NULL
);
INSERT INTO settlement_turn (last_order) VALUES (0);

-- settlement_file: one file of the network. Written by its import: `importing` while rows come in, `matching` once the whole of it
-- has come and its trailer was right, `imported` when every row was compared; `rejected` when the whole of it was wrong. One or two
-- rows a day, never removed, except a rejected one that was rejected before with the same content.
CREATE TABLE settlement_file (
  file_key               integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- As the header says.
  file_id                text COLLATE "C" NOT NULL,
  network                text COLLATE "C" NOT NULL,
  settlement_date        date NOT NULL,
  rows_expected          integer NOT NULL CHECK (rows_expected >= 0),
  state                  text NOT NULL CHECK (state IN ('importing', 'matching', 'imported', 'rejected')),
  -- Of a rejected one: why, in one word.
  reason                 text NOT NULL DEFAULT '',
  -- Who imports counts this up when he takes the file over; whoever finds another number has lost it. Until lease_until (Unix ms by
  -- the database's clock) nobody else may take it.
  attempt                integer NOT NULL DEFAULT 1,
  lease_until            bigint NOT NULL,
  -- Rows that lie in settlement_row, good ones; and rows that could not be read.
  rows_read              integer NOT NULL DEFAULT 0,
  malformed              integer NOT NULL DEFAULT 0,
  -- SHA-256 of the content; known when the whole of it was read.
  sha256                 bytea,
  -- Minor units of USD, as the trailer says; unread_amount is what the rows that could not be read must be worth by it.
  debits                 bigint,
  credits                bigint,
  unread_amount          bigint NOT NULL DEFAULT 0,
  -- Files in the order in which they were received whole: of two that name one reference, the earlier one has named it.
  order_no               integer,
  -- The last line that was matched; 0 before the first.
  matched_to             integer NOT NULL DEFAULT 0,
  last_line              integer NOT NULL DEFAULT 0,
  -- What matching found, as of then.
  matched                integer NOT NULL DEFAULT 0,
  amount_differs         integer NOT NULL DEFAULT 0,
  only_theirs            integer NOT NULL DEFAULT 0,
  named_twice            integer NOT NULL DEFAULT 0,
  -- False when the rows of a rejected file were removed.
  has_rows               boolean NOT NULL DEFAULT true,
  begun_by               text NOT NULL,
  begun_at               bigint NOT NULL,
  ended_at               bigint,
  CHECK ((order_no IS NOT NULL) = (state IN ('matching', 'imported'))),
  CHECK ((sha256 IS NOT NULL) = (state <> 'importing'))
);
-- A rejected file does not keep its id from a right one.
CREATE UNIQUE INDEX settlement_file_id ON settlement_file (network, file_id) WHERE state <> 'rejected';
CREATE UNIQUE INDEX settlement_file_rejected ON settlement_file (sha256) WHERE state = 'rejected';
CREATE UNIQUE INDEX settlement_file_order ON settlement_file (order_no) WHERE order_no IS NOT NULL;
CREATE INDEX settlement_file_date ON settlement_file (settlement_date);
-- What the worker looks for: nearly always nothing.
CREATE INDEX settlement_file_unfinished ON settlement_file (file_key) WHERE state = 'matching' OR (state = 'rejected' AND has_rows);

-- settlement_row: one row of a file, exactly as the network said it. Written in batches by the import and never changed: a row
-- without an item has matched. Grows by one row per clearing and refund, 1,000,000 in a large file; kept, because it is what was paid by.
-- Rows of a file that did not become `matching` count for nothing and are removed. No foreign key: it would cost a look per row.
CREATE TABLE settlement_row (
  file_key               integer NOT NULL,
  line_no                integer NOT NULL,
  network_reference      text COLLATE "C" NOT NULL,
  original_reference     text COLLATE "C" NOT NULL,
  kind                   text NOT NULL CHECK (kind IN ('clearing', 'refund', 'reversal')),
  last_four              text NOT NULL,
  -- Minor units of the transaction's currency.
  amount                 bigint NOT NULL,
  currency               text NOT NULL,
  -- Minor units of USD; negative when it is paid to us.
  settled_amount         bigint NOT NULL,
  at                     bigint NOT NULL,
  PRIMARY KEY (file_key, line_no)
);
CREATE INDEX settlement_row_reference ON settlement_row (network_reference);

-- settlement_item: a difference, for an operator to resolve. Written by matching and by the decision of a day; resolving records a
-- decision and moves no money. As many as there are differences, and at most 1,000 malformed rows of a file; never removed.
-- amount_differs: both have it, with other amounts. only_theirs: no message of ours has the reference. only_ours: no file has named
-- our message. named_twice: an earlier row, of this file or of an earlier one, has the reference. malformed: the row cannot be read.
CREATE TABLE settlement_item (
  item_id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  kind                   text NOT NULL CHECK (kind IN ('amount_differs', 'only_theirs', 'only_ours', 'named_twice', 'malformed')),
  settlement_date        date NOT NULL,
  -- The row it is about; null for only_ours.
  file_key               integer,
  line_no                integer,
  -- Empty for a malformed row whose reference cannot be read.
  network_reference      text COLLATE "C" NOT NULL DEFAULT '',
  -- Of our message; null while we have none.
  merchant_id            integer,
  consume_no             text COLLATE "C" NOT NULL DEFAULT '',
  -- Minor units of USD; null where that side has none.
  their_amount           bigint,
  our_amount             bigint,
  -- Of a malformed row: what is wrong with it, in one word.
  reason                 text NOT NULL DEFAULT '',
  state                  text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved')),
  -- The last decision, also of an item that was opened again since.
  resolution             text NOT NULL DEFAULT '',
  note                   text NOT NULL DEFAULT '',
  resolved_by            text NOT NULL DEFAULT '',
  resolved_at            bigint,
  -- How often a later file has opened it again, and the last such file.
  reopened               integer NOT NULL DEFAULT 0,
  reopened_by_file       integer,
  detected_at            bigint NOT NULL,
  CHECK ((file_key IS NULL) = (kind = 'only_ours')),
  CHECK (state = 'open' OR (resolution <> '' AND resolved_at IS NOT NULL))
);
CREATE UNIQUE INDEX settlement_item_line ON settlement_item (file_key, line_no) WHERE file_key IS NOT NULL;
CREATE UNIQUE INDEX settlement_item_only_ours ON settlement_item (merchant_id, network_reference) WHERE kind = 'only_ours';
CREATE INDEX settlement_item_reference ON settlement_item (network_reference);
CREATE INDEX settlement_item_newest ON settlement_item (detected_at, item_id);
CREATE INDEX settlement_item_open ON settlement_item (detected_at, item_id) WHERE state = 'open';
CREATE INDEX settlement_item_date ON settlement_item (settlement_date, detected_at, item_id);
-- Rows that wait for our message to come.
CREATE INDEX settlement_item_awaited ON settlement_item (item_id) WHERE kind = 'only_theirs' AND state = 'open';

-- settlement_day: a day whose messages were held against the files, once. Written when the day is decided; one row a day, never removed.
CREATE TABLE settlement_day (
  settlement_date        date PRIMARY KEY,
  -- Messages of that day that are to be settled, and those of them that no file had named.
  messages               integer NOT NULL,
  only_ours              integer NOT NULL,
  decided_at             bigint NOT NULL
);

-- The file has no merchant: the reference alone must find the message.
CREATE INDEX network_message_reference ON network_message (network_reference);
-- What the network is to settle, by the day of the message.
CREATE INDEX network_message_settled ON network_message (at, merchant_id, network_reference) WHERE settled_amount <> 0;

-- sandbox_network_book: what the sandbox's card network has sent and will settle, as that network's own book has it: the side that
-- plays the network writes it, and its daily settlement file is made of it. One row per clearing, refund and reversal of a sandbox,
-- never removed. In production it is empty.
CREATE TABLE sandbox_network_book (
  merchant_id            integer NOT NULL,
  network_reference      text COLLATE "C" NOT NULL,
  original_reference     text COLLATE "C" NOT NULL,
  kind                   text NOT NULL CHECK (kind IN ('clearing', 'refund', 'reversal')),
  last_four              text NOT NULL,
  -- Minor units of the transaction's currency; of USD for what is settled, negative when it is paid to the platform.
  amount                 bigint NOT NULL,
  currency               text NOT NULL,
  settled_amount         bigint NOT NULL,
  at                     bigint NOT NULL,
  PRIMARY KEY (merchant_id, network_reference)
);
CREATE INDEX sandbox_network_book_at ON sandbox_network_book (at, merchant_id, network_reference);

GRANT SELECT, UPDATE ON settlement_turn TO cardwright_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON settlement_file, settlement_row TO cardwright_app;
GRANT SELECT, INSERT, UPDATE ON settlement_item TO cardwright_app;
GRANT SELECT, INSERT ON settlement_day, sandbox_network_book TO cardwright_app;
