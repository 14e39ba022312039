/** Who did what: one hash chain per merchant, written in the transaction of the change itself. */
export { appendAudit } from "./append.ts";
export type { AuditDetail, AuditValue } from "./canonical-json.ts";
export { changeDetail } from "./change.ts";
export type { AuditEntry, Initiator } from "./entry.ts";
export { type AuditTrail, createAuditTrail } from "./trail.ts";
export { type AuditSummary, type BrokenEntry, verifyAudit } from "./verify.ts";
