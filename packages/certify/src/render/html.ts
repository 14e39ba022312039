import { groups } from "../check.ts";
import type { Grade } from "../grade.ts";
import type { CertifyReport, CheckResult } from "../report.ts";
import { histogramSvg } from "./histogram.ts";
import { latencyHead, latencyRows } from "./latency-rows.ts";
import { style } from "./style.ts";

const gradeClass: Readonly<Record<Grade, string>> = { A: "good", B: "good", C: "fair", D: "bad", F: "bad" };

/** The report as one page that loads nothing and runs no script. */
export function renderHtml(report: CertifyReport): string {
  const failures = report.checks.filter(({ ok }) => ok === false);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Grade ${report.grade}: ${escaped(report.url)}</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>Cardwright certify</h1>
${head(report)}
${failures.length === 0 ? "" : `<h2>What to mend <small>${failures.length}</small></h2>\n${failures.map((check) => checkBlock(check, { open: true })).join("\n")}`}
${latencySection(report)}
${groups.map((group) => groupSection(group, report.checks)).join("\n")}
</main>
</body>
</html>
`;
}

function head(report: CertifyReport): string {
  const { grade, passed, failed, skipped, url, mode, seed, requests, startedAt, tookMs, leftOpen } = report;
  const counts = `<span class="good">${passed} passed</span>, <span class="${failed === 0 ? "" : "bad"}">${failed} failed</span>, ${skipped} skipped`;
  const about = `${mode}, seed ${seed}, ${requests} requests in ${(tookMs / 1000).toFixed(1)} s, begun ${startedAt}`;
  const open = `${leftOpen} purchases of this run could not be reversed; their money is still held on the test card.`;
  return (
    `<header><div class="grade ${gradeClass[grade]}" role="img" aria-label="Grade ${grade}">${grade}</div>` +
    `<div><div class="url">${escaped(url)}</div><p class="counts">${counts}</p><p class="about">${escaped(about)}</p></div></header>` +
    (leftOpen === 0 ? "" : `<p class="warning">${open}</p>`)
  );
}

function latencySection({ latency }: CertifyReport): string {
  const rows = latencyRows(latency);
  if (rows.length === 0) {
    return "";
  }
  const cells = (tag: "th" | "td", row: readonly string[]): string =>
    row.map((cell, column) => `<${tag}${column === 0 ? "" : ' class="number"'}>${cell}</${tag}>`).join("");
  return `<h2>Latency <small>deadline ${latency.deadlineMs} ms, from the planned moment to the last byte</small></h2>
<div class="scroll"><table><thead><tr>${cells("th", latencyHead)}</tr></thead><tbody>
${rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("\n")}
</tbody></table></div>
${histogramSvg(latency)}`;
}

function groupSection(group: string, all: readonly CheckResult[]): string {
  const checks = all.filter((check) => check.group === group);
  const passed = checks.filter(({ ok }) => ok === true).length;
  return checks.length === 0
    ? ""
    : `<h2>${group} <small>${passed} of ${checks.length}</small></h2>\n${checks.map((check) => checkBlock(check, { open: false })).join("\n")}`;
}

function checkBlock(check: CheckResult, { open }: { readonly open: boolean }): string {
  const [word, kind] =
    check.ok === true ? ["pass", "good"] : check.ok === false ? ["fail", "bad"] : ["skip", "skipped"];
  const saw = check.ok === null ? `skipped: ${check.saw}` : check.saw;
  return (
    `<details class="check ${kind === "skipped" ? kind : ""}"${open ? " open" : ""}>` +
    `<summary><b class="${kind}">${word}</b><span>${escaped(check.title)}</span><code>${check.id}</code></summary>` +
    `<dl><dt>proves</dt><dd>${escaped(check.proves)}</dd><dt>saw</dt><dd>${escaped(saw)}</dd>` +
    `<dt>mend</dt><dd>${escaped(check.mend)}</dd></dl></details>`
  );
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Much of a report was said by the merchant's server. */
function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/gu, (character) => entities[character] ?? character);
}
