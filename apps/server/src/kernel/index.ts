export { type Clock, systemClock } from "./clock.ts";
export { firstOrderNumberAt, type OrderKind, orderNumber, uuid7 } from "./ids.ts";
export { type Ok, ok, type Refused, type Result, refused, unreachable } from "./result.ts";
export { type DueRun, type MayGoOn, nextDueOf, runDueInOrder, type ScheduledWork } from "./scheduled-work.ts";
