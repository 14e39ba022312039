import { axisWidth } from "./histogram.ts";

/** The report page's one style element. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --panel: #f5f7fa; --ink: #18202e; --soft: #566173; --line: #dde2ea;
  --good: #0b7a4b; --bad: #b3261e; --fair: #8a5d00; --bar: #2f5fd0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0f131b; --panel: #171d28; --ink: #e6eaf2; --soft: #9aa6ba; --line: #2a3243;
    --good: #4cc38a; --bad: #ff8f80; --fair: #e8b84a; --bar: #8fb0ff;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { margin: 0; font-size: 1rem; font-weight: 600; color: var(--soft); }
h2 { margin: 2.5rem 0 0.75rem; font-size: 1.25rem; }
h3 { margin: 1.5rem 0 0.5rem; font-size: 1rem; }
h2 small, h3 small { font-weight: 400; color: var(--soft); font-size: 0.875rem; margin-left: 0.35rem; }
code { font: 0.8125rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; color: var(--soft); }
.good { color: var(--good); } .fair { color: var(--fair); } .bad { color: var(--bad); }
header { display: flex; gap: 1.5rem; align-items: center; margin-top: 1rem; padding: 1.25rem; background: var(--panel); border: 1px solid var(--line); border-radius: 12px; }
header > div:last-child { min-width: 0; }
.grade { flex: none; width: 6rem; height: 6rem; display: grid; place-items: center; border-radius: 12px; border: 3px solid currentColor; font-size: 3.5rem; font-weight: 700; line-height: 1; }
.url { font-size: 1.125rem; font-weight: 600; overflow-wrap: anywhere; }
.counts, .about { margin: 0.35rem 0 0; display: flex; flex-wrap: wrap; gap: 0.1rem 1.1rem; }
.counts { font-weight: 600; }
.about { color: var(--soft); font-size: 0.875rem; }
.warning { margin: 1rem 0 0; padding: 0.75rem 1rem; border-left: 4px solid var(--fair); background: var(--panel); }
.failure { padding: 0.9rem 1.1rem; margin: 0.75rem 0; background: var(--panel); border: 1px solid var(--line); border-left: 4px solid var(--bad); border-radius: 8px; }
.failure h3 { margin: 0; }
.which { margin: 0.1rem 0 0.6rem; display: flex; flex-wrap: wrap; gap: 0 0.9rem; }
.weight { color: var(--bad); font-size: 0.875rem; }
dl { margin: 0; display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.35rem 1rem; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--soft); }
th, td { padding: 0.4rem 0 0.4rem 0.75rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { padding-left: 0; }
.number { text-align: right; }
.scroll { overflow-x: auto; }
svg { display: block; width: calc(100% - ${axisWidth}px); margin: 1.5rem 0 0 ${axisWidth}px; overflow: visible; }
svg text { font: 12px system-ui, "Segoe UI", Roboto, sans-serif; fill: var(--soft); }
svg .count { fill: var(--ink); }
svg .bar { fill: var(--bar); } svg .late { fill: var(--bad); }
svg .grid { stroke: var(--line); } svg .base { stroke: var(--soft); }
svg line.deadline { stroke: var(--bad); stroke-width: 1.5; stroke-dasharray: 5 4; } svg text.deadline { fill: var(--bad); font-weight: 600; }
.rows { border: 1px solid var(--line); border-radius: 8px; }
.check + .check { border-top: 1px solid var(--line); }
summary { display: flex; gap: 0.9rem; padding: 0.45rem 0.9rem; cursor: pointer; align-items: baseline; }
summary::-webkit-details-marker { display: none; }
summary:hover { background: var(--panel); }
summary b { flex: none; width: 2.6rem; font-size: 0.75rem; letter-spacing: 0.05em; text-transform: uppercase; }
.check.skipped summary { color: var(--soft); }
.title { flex: 1; min-width: 0; overflow-wrap: anywhere; } .title small { display: block; color: var(--soft); }
summary code { text-align: right; }
.check dl, .ids { margin: 0; padding: 0.2rem 0.9rem 0.8rem 4.4rem; }
.ids code { display: inline-block; margin-right: 0.9rem; }
@media (max-width: 40rem) {
  main { padding: 1.25rem 0.9rem 3rem; }
  header { gap: 1rem; padding: 1rem; align-items: flex-start; } .grade { width: 4rem; height: 4rem; font-size: 2.5rem; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; } dd + dt { margin-top: 0.5rem; }
  table { font-size: 0.75rem; } th, td { padding-left: 0.4rem; }
  svg .odd { display: none; } svg text { font-size: 11px; } svg .wide { display: none; }
  summary { flex-wrap: wrap; gap: 0 0.6rem; } .title { flex-basis: calc(100% - 3.2rem); } summary code { flex-basis: 100%; padding-left: 3.2rem; text-align: left; }
  .check dl, .ids { padding-left: 4.1rem; }
}
@media print {
  :root { color-scheme: light; --paper: #ffffff; --panel: #ffffff; --ink: #000000; --soft: #444444; --line: #bbbbbb; --good: #0b7a4b; --bad: #b3261e; --fair: #8a5d00; --bar: #2f5fd0; }
  body { font-size: 10pt; } main { max-width: none; padding: 0; }
  header, .failure, .check, tr, svg { break-inside: avoid; } h2, h3 { break-after: avoid; }
  summary { padding-top: 0.2rem; padding-bottom: 0.2rem; }
  svg rect, .grade { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
