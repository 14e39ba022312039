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

/** The attribute of each element of a class. */
function attributes(svg: string, className: string, name: string): readonly string[] {
  return [...svg.matchAll(new RegExp(`class="${className}"[^>]* ${name}="([^"]*)"`, "gu"))].map(
    ([, value = ""]) => value,
  );
}

const svgOf = (html: string): string => /<svg[\s\S]*<\/svg>/u.exec(html)?.[0] ?? "";

test("the histogram has named axes, a column for each time that was seen, late ones marked, and the deadline's line between", () => {
  const svg = svgOf(renderHtml(report));
  const heights = (kind: string): readonly number[] => attributes(svg, kind, "height").map(Number);
  expect(heights("bar")).toEqual([100, 200]);
  expect(heights("late")).toEqual([100]);
  expect(svg.match(/<text class="count"[^>]*>\d+/gu)).toHaveLength(3);
  for (const label of [">answers<", ">milliseconds", ">3200<", ">deadline 800 ms<"]) {
    expect(svg).toContain(label);
  }
  const [late = "", line = ""] = [attributes(svg, "late", "x")[0], attributes(svg, "deadline", "x1")[0]];
  expect(Number.parseFloat(line)).toBeLessThan(Number.parseFloat(late));
  expect(Number.parseFloat(line)).toBeGreaterThan(Number.parseFloat(attributes(svg, "bar", "x")[1] ?? ""));
});

test("a deadline beyond the last edge of the histogram has its line, and one answer among thousands its column", () => {
  const all = [...Array.from({ length: 4_000 }, () => 3), 250];
  const svg = svgOf(
    renderHtml({
      ...report,
      latency: {
        ...report.latency,
        ...latencyReport({ burst: null, rates: [{ ...load, rate: 50, asked: 4 }], all }, 5_000),
      },
    }),
  );
  expect(attributes(svg, "deadline", "x1")[0]).toBe("96.63%");
  expect(attributes(svg, "bar", "height").map(Number)).toEqual([200, 3]);
});

test("the page has colours for the dark and for paper, and its style fits a telephone", () => {
  const html = renderHtml(report);
  for (const query of ["prefers-color-scheme: dark", "@media print", "@media (max-width"]) {
    expect(html).toContain(query);
  }
});

test("failures come first on the page, the gravest before the others and open; every check is there", () => {
  const more = [...report.checks, check({ id: "load.steady", group: "load", weight: "vital", ok: false })];
  const html = renderHtml({ ...report, checks: more });
  const places = ["What to mend", "load.steady", "signature.wrong", "Latency", "All checks"].map((text) =>
    html.indexOf(text),
  );
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(places[0]).toBeGreaterThan(0);
  expect(html).toContain("vital: best grade F");
  expect(html).not.toContain("<details open");
  for (const { id } of more) {
    expect(html.slice(html.indexOf("All checks"))).toContain(`<code>${id}</code>`);
  }
});

test("checks of a group that were skipped for one reason are told of together, each by its id on the page", () => {
  const skips = ["books", "burst", "steady"].map((name) =>
    check({ id: `load.${name}`, group: "load", ok: null, skipped: "choice", saw: "left out by choice" }),
  );
  const other = check({ id: "load.card-as-before", group: "load", ok: null, skipped: "need", saw: "needs another" });
  const checks = [...skips, other];
  const text = renderTerminal({ ...report, checks }, { color: false });
  expect(text.match(/^ {2}skip .*$/gmu)).toEqual([
    expect.stringMatching(/3 checks +left out by choice$/u),
    expect.stringMatching(/load\.card-as-before +needs another$/u),
  ]);
  const html = renderHtml({ ...report, checks });
  expect(html).toContain("3 checks<small>left out by choice</small>");
  expect(checks.filter(({ id }) => !html.includes(`<code>${id}</code>`))).toEqual([]);
});

test("a run without a load has neither table nor histogram", () => {
  const bare = { ...report, latency: latencyReport({ burst: null, rates: [], all: [] }, 800) };
  expect(renderHtml(bare)).not.toContain("<svg");
  expect(renderTerminal(bare, { color: false })).not.toContain("latency");
});
