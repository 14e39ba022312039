export { type CertifyProgress, certify } from "./certify.ts";
export type { Group, Weight } from "./check.ts";
export { type Grade, grades, isAtLeast } from "./grade.ts";
export { type CheckListing, checkList, withChecksTable } from "./guide.ts";
export type { HistogramBar, LatencyReport, LoadResult, Percentiles } from "./latency.ts";
export type { CertifyOptions, Mode, Pace } from "./options.ts";
export { renderHtml } from "./render/html.ts";
export { renderTerminal } from "./render/terminal.ts";
export type { CertifyReport, CheckResult, SkipReason } from "./report.ts";
