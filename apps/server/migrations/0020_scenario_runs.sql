-- sandbox_scenario_run: a scenario that a merchant of a sandbox has started on itself, and how far it came. Written by the sandbox of the process
-- that plays it, after each step; never in production. One row for each start; a merchant's rows beyond its newest 50 are removed when it
-- starts the next.
CREATE TABLE sandbox_scenario_run (
  merchant_id  integer NOT NULL,
  run_id       text COLLATE "C" NOT NULL,
  name         text COLLATE "C" NOT NULL,
  state        text COLLATE "C" NOT NULL CHECK (state IN ('running', 'passed', 'failed')),
  -- Steps that are over, of how many.
  step         integer NOT NULL CHECK (step >= 0),
  steps        integer NOT NULL CHECK (steps >= step),
  -- Sentences about what was not as written.
  differences  jsonb NOT NULL,
  -- Unix ms of real time: a scenario moves the other clock.
  started_at   bigint NOT NULL,
  ended_at     bigint,
  PRIMARY KEY (merchant_id, run_id),
  CHECK ((state = 'running') = (ended_at IS NULL))
);
-- At most one at a time for each merchant, whichever process plays it.
CREATE UNIQUE INDEX sandbox_scenario_run_running ON sandbox_scenario_run (merchant_id) WHERE state = 'running';

GRANT SELECT, INSERT, UPDATE, DELETE ON sandbox_scenario_run TO cardwright_app;
