/** Pools, transactions, the batcher, migrations and the embedded server: everything the stores stand on. */
export {
  type Batcher,
  type BatcherLoad,
  type BatcherOptions,
  BatcherStopped,
  type BatchFailure,
  createBatcher,
  createLanes,
  type LaneOptions,
  type Lanes,
  QueueFull,
} from "./batcher.ts";
export { embeddedDataDirectory } from "./data-directory.ts";
export { type EmbeddedOptions, type EmbeddedPostgres, startEmbeddedPostgres } from "./embedded.ts";
export {
  constraintOf,
  type DatabaseRefusal,
  DatabaseRefused,
  databaseAddress,
  errorCode,
  explainConnectionFailure,
  isCollision,
  isUnavailable,
  isUniqueViolation,
} from "./errors.ts";
export { type MigrateOptions, type MigrationReport, migrate } from "./migrate.ts";
export { type Listening, type ListenOptions, listen, tell } from "./notices.ts";
export { createPool, type DatabaseRole, type PoolOptions } from "./pool.ts";
export { type Isolation, inTransaction, type Sql, type TransactionOptions } from "./transaction.ts";
