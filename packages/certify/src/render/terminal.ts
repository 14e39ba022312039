import { groups } from "../check.ts";
import type { Grade } from "../grade.ts";
import type { CertifyReport, CheckResult } from "../report.ts";
import { type Alike, alikeIn } from "./alike.ts";
import { latencyHead, latencyRows } from "./latency-rows.ts";

type Paint = (style: Style, text: string) => string;
type Style = "bold" | "dim" | "red" | "green" | "yellow";

const codes: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
};

const gradeStyle: Readonly<Record<Grade, Style>> = { A: "green", B: "green", C: "yellow", D: "red", F: "red" };

/** The report as text of at most about 110 columns; failures with what was seen and how to mend it. */
export function renderTerminal(report: CertifyReport, { color }: { readonly color: boolean }): string {
  const paint: Paint = (style, text) => (color ? `\u001b[${codes[style][0]}m${text}\u001b[${codes[style][1]}m` : text);
  return [
    ...headLines(report, paint),
    ...groups.flatMap((group) => {
      const checks = report.checks.filter((check) => check.group === group);
      return checks.length === 0
        ? []
        : [paint("bold", group), ...alikeIn(checks).flatMap((alike) => linesOf(alike, paint)), ""];
    }),
    ...latencyLines(report, paint),
  ].join("\n");
}

function headLines(report: CertifyReport, paint: Paint): readonly string[] {
  const { grade, passed, failed, skipped, url, mode, seed, tookMs, requests, leftOpen } = report;
  const open = `${leftOpen} purchases of this run could not be reversed; their money is still held on the test card`;
  return [
    `${paint("bold", "Cardwright certify")}  ${printable(url)}`,
    paint("dim", `${mode}, seed ${seed}, ${requests} requests in ${(tookMs / 1000).toFixed(1)} s`),
    "",
    `Grade ${paint(gradeStyle[grade], paint("bold", grade))}   ${passed} passed, ${failed} failed, ${skipped} skipped`,
    ...(leftOpen === 0 ? [] : [paint("yellow", open)]),
    "",
  ];
}

function linesOf(alike: Alike, paint: Paint): readonly string[] {
  if (alike.length === 1) {
    return checkLines(alike[0], paint);
  }
  return [paint("dim", `  skip  ${`${alike.length} checks`.padEnd(idWidth)}  ${printable(alike[0].saw)}`)];
}

function checkLines(check: CheckResult, paint: Paint): readonly string[] {
  const id = check.id.padEnd(idWidth);
  if (check.ok === true) {
    return [`  ${paint("green", "pass")}  ${id}  ${check.title}`];
  }
  if (check.ok === null) {
    return [paint("dim", `  skip  ${id}  ${printable(check.saw)}`)];
  }
  return [
    `  ${paint("red", "FAIL")}  ${id}  ${check.title}`,
    `        ${paint("dim", "proves")}  ${check.proves}`,
    `        ${paint("dim", "saw   ")}  ${printable(check.saw)}`,
    `        ${paint("dim", "mend  ")}  ${check.mend}`,
  ];
}

const idWidth = 36;

function latencyLines({ latency }: CertifyReport, paint: Paint): readonly string[] {
  const rows = latencyRows(latency, { timeText: (ms) => `${ms} ms` });
  if (rows.length === 0) {
    return [];
  }
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, column) => (column === 0 ? cell.padEnd(8) : cell.padStart(11))).join("")}`;
  return [
    paint("bold", `latency, with ${latency.deadlineMs} ms as the deadline`),
    paint("dim", line(latencyHead)),
    ...rows.map(line),
    "",
  ];
}

/** What a merchant's server says must not steer the terminal. */
function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what this takes out
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/gu, "\u00b7");
}
