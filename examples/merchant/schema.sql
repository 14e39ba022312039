-- The example merchant's own books. Money is INTEGER minor units (cents of USD), times are Unix milliseconds.

-- A row is one of the merchant's users. Written when a user signs up; the balance moves with top-ups and bookings.
-- held is the part of the balance that open purchases have claimed; available = balance - held.
CREATE TABLE IF NOT EXISTS users (
  user_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  email TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('Active', 'Frozen')),
  cardholder_no TEXT UNIQUE,
  cardholder_status TEXT NOT NULL,
  balance INTEGER NOT NULL DEFAULT 0,
  held INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER NOT NULL
) STRICT;

-- A row is money a user paid in. In credit mode its number is also the transfer_unique_no on the platform, so that a
-- top-up interrupted half way is finished later without being granted twice.
CREATE TABLE IF NOT EXISTS topups (
  topup_no TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users,
  amount INTEGER NOT NULL CHECK (amount > 0),
  state TEXT NOT NULL CHECK (state IN ('Pending', 'Done', 'Refused')),
  created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS topups_of_user ON topups (user_id, state);

-- A row is a card. It may be written by a Card_update before the answer to card/apply is here: then it has no user yet.
-- status_time is the time of the news the status came from; 0 = read from the API, any callback is newer.
CREATE TABLE IF NOT EXISTS cards (
  card_no TEXT PRIMARY KEY,
  card_unique_no TEXT,
  user_id TEXT REFERENCES users,
  card_type TEXT,
  last_no TEXT,
  status TEXT NOT NULL,
  status_time INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS cards_of_user ON cards (user_id);

-- A row is a purchase as it weighs on a user's balance now: what is held for it and what was taken. decision is our
-- answer to Auth, '' when we were never asked (credit mode, fees, refunds).
CREATE TABLE IF NOT EXISTS authorizations (
  consume_no TEXT PRIMARY KEY,
  user_id TEXT REFERENCES users,
  decision TEXT NOT NULL,
  held INTEGER NOT NULL,
  posted INTEGER NOT NULL
) STRICT;

-- A row is the newest Consumption news of one consume_no in one status; one purchase has at most three.
-- first_time is when that status was reached, time when it was last told (fees and shop details come later).
CREATE TABLE IF NOT EXISTS bookings (
  consume_no TEXT NOT NULL,
  status TEXT NOT NULL CHECK (status IN ('Pending', 'Success', 'Fail')),
  push_id TEXT NOT NULL,
  relate_no TEXT NOT NULL,
  type TEXT NOT NULL,
  amount INTEGER NOT NULL,
  fee INTEGER NOT NULL,
  remark TEXT NOT NULL,
  shop TEXT NOT NULL,
  first_time INTEGER NOT NULL,
  time INTEGER NOT NULL,
  PRIMARY KEY (consume_no, status)
) STRICT;
CREATE INDEX IF NOT EXISTS bookings_of_original ON bookings (relate_no);

-- A row is an asynchronous push that was dealt with, so that a repeat has no effect. The signature covers data but not
-- the id: with the digest of data in the key, an old push sent again under a future id cannot suppress the real one. Kept for 31 days.
CREATE TABLE IF NOT EXISTS pushes (
  push_id TEXT NOT NULL,
  data_digest TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  PRIMARY KEY (push_id, data_digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS pushes_by_age ON pushes (received_at);

-- A row is a callback with its data as it came, for looking into problems; the newest 10,000 are kept.
CREATE TABLE IF NOT EXISTS callbacks (
  callback_id INTEGER PRIMARY KEY AUTOINCREMENT,
  received_at INTEGER NOT NULL,
  verified INTEGER NOT NULL,
  outcome TEXT NOT NULL,
  raw TEXT NOT NULL
) STRICT;

-- A row counts the callbacks of one outcome since the database was made.
CREATE TABLE IF NOT EXISTS callback_counts (
  outcome TEXT PRIMARY KEY,
  count INTEGER NOT NULL
) STRICT;
