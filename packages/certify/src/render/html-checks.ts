import { groups, type Weight } from "../check.ts";
import { capOf } from "../grade.ts";
import type { CheckResult } from "../report.ts";
import { type Alike, alikeIn } from "./alike.ts";
import { escaped } from "./escaped.ts";

/** From what lowers the grade most. */
const weights: readonly Weight[] = ["vital", "security", "money", "contract", "minor"];

/** Every failure, open, the gravest first; empty when there is none. */
export function failuresSection(checks: readonly CheckResult[]): string {
  const failures = weights.flatMap((weight) => checks.filter((check) => check.ok === false && check.weight === weight));
  return failures.length === 0
    ? ""
    : `<section><h2>What to mend <small>${failures.length}</small></h2>\n<div class="failures">\n${failures.map(failure).join("\n")}\n</div></section>`;
}

function failure(check: CheckResult): string {
  return (
    `<article class="failure"><h3>${escaped(check.title)}</h3>` +
    `<p class="which"><code>${check.id}</code> <span class="weight">${check.weight}: best grade ${capOf[check.weight]}</span></p>${told(check)}</article>`
  );
}

/** All checks in the order of the run, closed. */
export function groupSections(all: readonly CheckResult[]): string {
  const sections = groups.flatMap((group) => {
    const checks = all.filter((check) => check.group === group);
    return checks.length === 0 ? [] : [groupSection(group, checks)];
  });
  return `<section class="all"><h2>All checks <small>${all.length}</small></h2>\n${sections.join("\n")}</section>`;
}

function groupSection(group: string, checks: readonly CheckResult[]): string {
  const passed = checks.filter(({ ok }) => ok === true).length;
  const rows = alikeIn(checks).map((alike) => (alike.length === 1 ? checkRow(alike[0]) : skippedRow(alike)));
  return `<h3>${group} <small>${passed} of ${checks.length} passed</small></h3>\n<div class="rows">\n${rows.join("\n")}\n</div>`;
}

function checkRow(check: CheckResult): string {
  const [word, kind] = check.ok === true ? ["pass", "good"] : check.ok === false ? ["fail", "bad"] : ["skip", ""];
  return (
    `<details class="check${check.ok === null ? " skipped" : ""}"><summary><b class="${kind}">${word}</b>` +
    `<span class="title">${escaped(check.title)}${check.ok === null ? `<small>${escaped(check.saw)}</small>` : ""}</span>` +
    `<code>${check.id}</code></summary>${told(check)}</details>`
  );
}

function skippedRow(alike: Alike): string {
  const ids = alike.map(({ id }) => `<code>${id}</code>`).join(" ");
  return (
    `<details class="check skipped"><summary><b>skip</b>` +
    `<span class="title">${alike.length} checks<small>${escaped(alike[0].saw)}</small></span></summary><p class="ids">${ids}</p></details>`
  );
}

function told({ ok, proves, saw, mend }: CheckResult): string {
  const lines = ok === false ? { saw, mend, proves } : ok === null ? { proves } : { proves, saw };
  return `<dl>${Object.entries(lines)
    .map(
      ([name, text]) =>
        `<dt>${name === "proves" && ok !== true ? "a pass proves" : name}</dt><dd>${escaped(text)}</dd>`,
    )
    .join("")}</dl>`;
}
