/** The reference page's one style element. */
export const STYLE = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --panel: #f6f7f9; --ink: #1b2230; --soft: #5a6475; --line: #dfe3ea; --accent: #2f5fd0;
  --code-ground: #11172a; --code-ink: #dbe4ff; --get: #0b7a4b; --post: #2f5fd0; --push: #8a4bb8; --mark: #eef2fd;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #10141d; --panel: #171c28; --ink: #e4e8f0; --soft: #98a3b8; --line: #2a3142; --accent: #8fb0ff;
    --code-ground: #0a0d15; --code-ink: #d4defa; --get: #4cc38a; --post: #8fb0ff; --push: #cf9df2; --mark: #1d2740;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1rem; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.6 system-ui, "Segoe UI", Roboto, sans-serif; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: 0.875em; }
:not(pre) > code { background: var(--mark); border-radius: 4px; padding: 0.1em 0.35em; overflow-wrap: anywhere; }
.page { display: grid; grid-template-columns: 17rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow-y: auto; padding: 1.5rem 1rem; background: var(--panel); border-right: 1px solid var(--line); }
nav .brand { font-weight: 700; font-size: 1.05rem; color: var(--ink); display: block; margin-bottom: 1rem; }
nav input { width: 100%; padding: 0.5rem 0.7rem; border: 1px solid var(--line); border-radius: 8px; background: var(--paper); color: var(--ink); font: inherit; }
nav h2 { margin: 1.4rem 0 0.3rem; font-size: 0.72rem; letter-spacing: 0.08em; text-transform: uppercase; color: var(--soft); }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li a { display: flex; gap: 0.5rem; align-items: baseline; padding: 0.25rem 0.5rem; border-radius: 6px; color: var(--ink); font-size: 0.9rem; }
nav li a:hover, nav li a[aria-current] { background: var(--mark); text-decoration: none; }
main { padding: 2.5rem clamp(1rem, 4vw, 4rem) 6rem; max-width: 92rem; }
h1 { font-size: 2rem; line-height: 1.2; margin: 0 0 0.75rem; letter-spacing: -0.01em; }
main section { border-top: 1px solid var(--line); padding: 2.25rem 0 1rem; }
main section:first-of-type { border-top: 0; padding-top: 0; }
section h2 { font-size: 1.35rem; margin: 0 0 0.4rem; letter-spacing: -0.01em; }
section h3 { font-size: 0.95rem; margin: 1.6rem 0 0.5rem; }
.lead { color: var(--soft); max-width: 46rem; }
.columns { display: grid; grid-template-columns: minmax(0, 1.15fr) minmax(0, 1fr); gap: 2.5rem; align-items: start; }
.samples { position: sticky; top: 1.5rem; }
.badge { font: 700 0.68rem/1 ui-monospace, Menlo, Consolas, monospace; letter-spacing: 0.04em; color: var(--post); min-width: 2.4rem; }
.badge.get { color: var(--get); } .badge.push { color: var(--push); }
.route { display: flex; flex-wrap: wrap; align-items: center; gap: 0.6rem; margin: 0 0 0.8rem; }
.route .badge { border: 1px solid currentColor; border-radius: 5px; padding: 0.3rem 0.45rem; text-align: center; }
.route code { background: none; padding: 0; font-size: 0.95rem; }
.mode { font-size: 0.75rem; color: var(--soft); border: 1px solid var(--line); border-radius: 99px; padding: 0.1rem 0.6rem; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-size: 0.875rem; }
th { text-align: left; font-weight: 600; color: var(--soft); background: var(--panel); }
th, td { padding: 0.45rem 0.75rem; border-bottom: 1px solid var(--line); vertical-align: top; }
tbody tr:last-child td { border-bottom: 0; }
td:first-child { white-space: nowrap; }
.required { color: #c0392b; font-size: 0.75rem; font-weight: 600; }
@media (prefers-color-scheme: dark) { .required { color: #ff8f80; } }
.optional { color: var(--soft); font-size: 0.75rem; }
details { margin-top: 1rem; }
summary { cursor: pointer; font-weight: 600; font-size: 0.95rem; margin-bottom: 0.5rem; }
.sample { margin: 0 0 1rem; border-radius: 10px; overflow: hidden; background: var(--code-ground); border: 1px solid var(--line); }
.sample figcaption { display: flex; justify-content: space-between; padding: 0.45rem 0.9rem; color: #9fb0d8; font-size: 0.78rem; border-bottom: 1px solid #26304a; }
.sample button { background: none; border: 0; color: inherit; font: inherit; cursor: pointer; }
.sample button:hover { color: #ffffff; }
.sample pre { margin: 0; padding: 0.9rem; color: var(--code-ink); overflow: auto; max-height: 30rem; line-height: 1.5; }
[hidden] { display: none !important; }
#nothing { color: var(--soft); }
@media (max-width: 1100px) { .columns { grid-template-columns: minmax(0, 1fr); gap: 1rem; } .samples { position: static; } }
@media (max-width: 760px) { .page { display: block; } nav { position: static; height: auto; max-height: 45vh; border-right: 0; border-bottom: 1px solid var(--line); } }
@media print { nav, .copy { display: none; } .page { display: block; } }
`;
