-- sandbox_listener: a developer who receives a merchant's callbacks through the sandbox's relay, and where they went before. One row
-- per merchant that is being listened to: written when somebody begins to listen, touched every 5 s while the stream of requests is
-- open, removed when the listener ends or 30 s after its stream was last open, in the transaction that puts the URL back. So a process
-- that was killed leaves a row that the next one clears. The secret stays as long as the row does: a push that was on its way to
-- the listener before comes to the one that replaced it. In production it is empty.
CREATE TABLE sandbox_listener (
  merchant_id            integer NOT NULL,
  listen_id              uuid NOT NULL,
  relay_secret           text COLLATE "C" NOT NULL,
  previous_url           text NOT NULL,
  began_at               bigint NOT NULL,
  streamed_at            bigint NOT NULL,
  PRIMARY KEY (merchant_id)
);

GRANT SELECT, INSERT, UPDATE, DELETE ON sandbox_listener TO cardwright_app;
