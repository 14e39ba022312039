export { createManagement, type Management, type ManagementDeps } from "./management.ts";
export type { ExemptionChange, ExemptionRefusal, ManagementExemption } from "./management-exemption.ts";
