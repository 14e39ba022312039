import type { Step } from "./story.ts";

const colour = process.stdout.isTTY && (process.env["NO_COLOR"] ?? "") === "";
const paint = (code: number) => (text: string) => (colour ? `\u001b[${code}m${text}\u001b[0m` : text);
export const bold = paint(1);
export const dim = paint(2);
const green = paint(32);
const red = paint(31);

/** One step of the story on two lines: who calls whom with what, then the answer and the milliseconds. */
export function stepLines(step: Step): string {
  const took = step.milliseconds === 0 ? "" : dim(`  ${step.milliseconds.toFixed(1)} ms`);
  const good = !/declined|not all/u.test(step.answer);
  return `  ${bold(step.from)} → ${step.to}: ${step.what}\n      ${(good ? green : red)(step.answer)}${took}`;
}
