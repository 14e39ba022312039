import type { Grade } from "../grade.ts";
import type { CertifyReport } from "../report.ts";
import { escaped } from "./escaped.ts";
import { histogramSvg } from "./histogram.ts";
import { failuresSection, groupSections } from "./html-checks.ts";
import { latencyHead, latencyRows } from "./latency-rows.ts";
import { style } from "./style.ts";

const gradeClass: Readonly<Record<Grade, string>> = { A: "good", B: "good", C: "fair", D: "bad", F: "bad" };

/** The report as one page that loads nothing and runs no script. */
export function renderHtml(report: CertifyReport): string {
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
${failuresSection(report.checks)}
${latencySection(report)}
${groupSections(report.checks)}
</main>
</body>
</html>
`;
}

function head(report: CertifyReport): string {
  const { grade, passed, failed, skipped, url, mode, seed, requests, startedAt, tookMs, leftOpen } = report;
  const counts = `<span class="good">${passed} passed</span> <span class="${failed === 0 ? "" : "bad"}">${failed} failed</span> <span>${skipped} skipped</span>`;
  const begun = `${startedAt.slice(0, 19).replace("T", " ")} UTC`;
  const about = [mode, begun, `${requests} requests in ${(tookMs / 1000).toFixed(1)} s`, `seed ${seed}`];
  const open = `${leftOpen} purchases of this run could not be reversed; their money is still held on the test card.`;
  return (
    `<header><div class="grade ${gradeClass[grade]}" role="img" aria-label="Grade ${grade}">${grade}</div>` +
    `<div><div class="url">${escaped(url)}</div><p class="counts">${counts}</p>` +
    `<p class="about">${about.map((part) => `<span>${escaped(part)}</span>`).join(" ")}</p></div></header>` +
    (leftOpen === 0 ? "" : `<p class="warning">${open}</p>`)
  );
}

function latencySection({ latency }: CertifyReport): string {
  const rows = latencyRows(latency, { timeText: (ms) => String(ms < 100 ? ms : Math.round(ms)) });
  if (rows.length === 0) {
    return "";
  }
  const cells = (tag: "th" | "td", row: readonly string[]): string =>
    row.map((cell, column) => `<${tag}${column === 0 ? "" : ' class="number"'}>${cell}</${tag}>`).join("");
  return `<section><h2>Latency <small>milliseconds, connecting and TLS included</small></h2>
<div class="scroll"><table><thead><tr>${cells("th", latencyHead)}</tr></thead><tbody>
${rows.map((row) => `<tr>${cells("td", row)}</tr>`).join("\n")}
</tbody></table></div>
${histogramSvg(latency)}</section>`;
}
