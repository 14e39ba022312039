/** The report page's one style element. */
export const style = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --panel: #f5f7fa; --ink: #18202e; --soft: #5a6577; --line: #dde2ea;
  --good: #0b7a4b; --bad: #b3261e; --fair: #9a6700; --bar: #2f5fd0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #0f131b; --panel: #171d28; --ink: #e6eaf2; --soft: #9aa6ba; --line: #2a3243;
    --good: #4cc38a; --bad: #ff8f80; --fair: #e8b84a; --bar: #8fb0ff;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.55 system-ui, "Segoe UI", Roboto, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.25rem 4rem; }
h1 { margin: 0; font-size: 1.05rem; font-weight: 600; color: var(--soft); }
h2 { margin: 2.5rem 0 0.75rem; font-size: 1.15rem; }
h2 small { font-weight: 400; color: var(--soft); }
code { font: 0.875em ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
header { display: flex; gap: 1.75rem; align-items: center; margin-top: 1.25rem; padding: 1.5rem; background: var(--panel); border: 1px solid var(--line); border-radius: 14px; }
.grade { flex: none; width: 6.5rem; height: 6.5rem; display: grid; place-items: center; border-radius: 14px; border: 3px solid currentColor; font-size: 3.75rem; font-weight: 700; line-height: 1; }
.good { color: var(--good); } .fair { color: var(--fair); } .bad { color: var(--bad); }
.url { font-size: 1.15rem; font-weight: 600; overflow-wrap: anywhere; }
.counts { margin: 0.35rem 0; font-size: 1.05rem; }
.about { margin: 0; color: var(--soft); font-size: 0.875rem; }
.warning { margin: 1rem 0 0; padding: 0.75rem 1rem; border-left: 4px solid var(--fair); background: var(--panel); }
table { width: 100%; border-collapse: collapse; font-size: 0.9rem; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--soft); }
th, td { padding: 0.45rem 0.75rem 0.45rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; }
.scroll { overflow-x: auto; }
svg { width: 100%; max-width: 42.5rem; height: auto; margin-top: 1rem; }
svg text { font: 13px system-ui, "Segoe UI", Roboto, sans-serif; fill: var(--soft); }
svg .bar { fill: var(--bar); } svg .late { fill: var(--bad); }
.check { border: 1px solid var(--line); border-radius: 10px; margin: 0.5rem 0; background: var(--paper); }
.check summary { display: flex; gap: 0.9rem; padding: 0.6rem 0.9rem; cursor: pointer; align-items: baseline; }
.check summary b { flex: none; width: 3.2rem; font-size: 0.78rem; letter-spacing: 0.05em; text-transform: uppercase; }
.check summary code { margin-left: auto; color: var(--soft); text-align: right; }
.check dl { margin: 0; padding: 0.1rem 0.9rem 0.8rem; display: grid; grid-template-columns: 4.6rem minmax(0, 1fr); gap: 0.3rem 0.5rem; }
.check dt { color: var(--soft); } .check dd { margin: 0; overflow-wrap: anywhere; }
.skipped summary { color: var(--soft); }
@media (max-width: 40rem) { header { flex-direction: column; align-items: flex-start; } .check summary { flex-wrap: wrap; } .check summary code { margin-left: 0; } }
@media print {
  :root { --paper: #ffffff; --panel: #ffffff; --ink: #000000; --soft: #444444; --line: #bbbbbb; --good: #0b7a4b; --bad: #b3261e; --fair: #9a6700; --bar: #2f5fd0; }
  body { font-size: 10.5pt; } main { max-width: none; padding: 0; }
  header, .check, tr, svg { break-inside: avoid; } h2 { break-after: avoid; }
  svg rect, .grade { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`;
