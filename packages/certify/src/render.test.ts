import { expect, test } from "vitest";
import { type CertifyReport, renderHtml, renderTerminal } from "./index.ts";
import { latencyReport } from "./latency.ts";
import type { CheckResult } from "./report.ts";

const hostile = `"><script>alert(1)</script>\u001b[2J\u202e'&`;

function check(over: Partial<CheckResult>): CheckResult {
  return {
    id: "text.cjk",
    group: "text",
    title: "Takes shop names",
    weight: "contract",
    ok: true,
    skipped: null,
    proves: "What a pass proves.",
    saw: "HTTP 200",
    mend: "How to mend it.",
    tookMs: 3,
    ...over,
  };
}

const load = { answered: 4, inTime: 3, ownDelayP99Ms: 0, p50Ms: 5, p95Ms: 900, p99Ms: 900, p999Ms: 900, maxMs: 900 };
const report: CertifyReport = {
  grade: "D",
  passed: 1,
  failed: 1,
  skipped: 1,
  checks: [
    check({}),
    check({ id: "signature.wrong", group: "signature", ok: false, saw: hostile }),
    check({ id: "load.books", group: "load", ok: null, skipped: "need", saw: hostile }),
  ],
  latency: latencyReport(
    { burst: { ...load, rate: 0, asked: 4 }, rates: [{ ...load, rate: 50, asked: 4 }], all: [4, 5, 6, 900] },
    800,
  ),
  seed: 42,
  url: `http://merchant.example/${hostile}`,
  mode: "AUTHORIZATION",
  startedAt: "2026-05-22T12:00:00.000Z",
  tookMs: 44_120,
  requests: 4_626,
  leftOpen: 2,
};

test("the terminal's report shows grade, failures with their three sentences, reasons of skips and the latency", () => {
  const text = renderTerminal(report, { color: false });
  for (const shown of [
    "Grade D",
    "1 passed, 1 failed, 1 skipped",
    "FAIL  signature.wrong",
    "What a pass proves.",
    "How to mend it.",
  ]) {
    expect(text).toContain(shown);
  }
  expect(text).toMatch(/50\/s +4 +3 +5 ms +900 ms/u);
  expect(text).toContain("2 purchases of this run could not be reversed");
});

test("what the merchant's server says cannot steer the terminal", () => {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  const controls = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/u;
  expect(renderTerminal(report, { color: false })).not.toMatch(controls);
  // oxlint-disable-next-line no-control-regex -- the colours' own sequences are taken out first
  const uncoloured = renderTerminal(report, { color: true }).replaceAll(/\u001b\[\d+m/gu, "");
  expect(uncoloured).toBe(renderTerminal(report, { color: false }));
});

test("the page loads nothing, runs nothing, and no text of the merchant becomes markup", () => {
  const html = renderHtml(report);
  expect(html).not.toMatch(/<(?:script|link|img|iframe)\b/u);
  expect(html).not.toMatch(/<[^>]+\s(?:src|href|on[a-z]+)=/u);
  expect(html).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  expect(html).toContain("default-src 'none'");
});

test("the page has the histogram as inline SVG with late answers marked, dark colours and colours for paper", () => {
  const html = renderHtml(report);
  const svg = /<svg[\s\S]*<\/svg>/u.exec(html)?.[0] ?? "";
  expect([...svg.matchAll(/<rect class="bar"/gu)]).toHaveLength(10);
  expect(svg).toMatch(/<rect class="late"[^>]*width="(?!0\.0)/u);
  expect(svg).toContain("800 ms – 1.6 s");
  expect(html).toContain("prefers-color-scheme: dark");
  expect(html).toContain("@media print");
});

test("failures come first on the page and are open; every check is there", () => {
  const html = renderHtml(report);
  expect(html.indexOf("What to mend")).toBeLessThan(html.indexOf("Latency"));
  expect([...html.matchAll(/<details class="check " open>/gu)]).toHaveLength(1);
  for (const { id } of report.checks) {
    expect(html).toContain(`<code>${id}</code>`);
  }
});

test("a run without a load has neither table nor histogram", () => {
  const bare = { ...report, latency: latencyReport({ burst: null, rates: [], all: [] }, 800) };
  expect(renderHtml(bare)).not.toContain("<svg");
  expect(renderTerminal(bare, { color: false })).not.toContain("latency");
});
