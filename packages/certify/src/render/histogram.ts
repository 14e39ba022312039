import type { HistogramBar, LatencyReport } from "../latency.ts";

/** Pixels; across, everything is in per cent, so that text keeps its size on a narrow screen. */
const top = 44;
const plotHeight = 200;
const bottom = 42;
/** Left of the plot, as the style has it for its margin. */
export const axisWidth = 44;
const base = top + plotHeight;
/** A bar of one answer among thousands must be seen. */
const barHeightMin = 3;
/** Of the room that a bar has: left free at each side. */
const gap = 0.08;

/** How the answers of all loads are spread over the time, as one SVG element; red is what came after the deadline, whose line is drawn. */
export function histogramSvg({ histogram, deadlineMs }: LatencyReport): string {
  const total = histogram.reduce((sum, { count }) => sum + count, 0);
  const most = niceAbove(Math.max(1, ...histogram.map(({ count }) => count)));
  const title = `How long ${total} answers took; the deadline is ${deadlineMs} ms`;
  return (
    `<svg height="${base + bottom}" role="img" aria-labelledby="histogram-title">` +
    `<title id="histogram-title">${title}</title>` +
    `<text class="axis" x="${-axisWidth}" y="14">answers</text>` +
    gridLines(most) +
    histogram.map((bar, index) => column(bar, { index, of: histogram.length, most, deadlineMs })).join("") +
    `<line class="base" x1="0" y1="${base}" x2="100%" y2="${base}"/>` +
    histogram.map(({ fromMs }, index) => tick(fromMs, { index, of: histogram.length })).join("") +
    `<text class="axis" x="50%" y="${base + 38}" text-anchor="middle">milliseconds to the last byte<tspan class="wide">, from the planned moment; each column about twice the one before</tspan></text>` +
    deadlineLine(histogram, deadlineMs) +
    `</svg>`
  );
}

function gridLines(most: number): string {
  const shares = most >= 2 ? [0.5, 1] : [1];
  return shares
    .map((share) => {
      const y = base - share * plotHeight;
      return `<line class="grid" x1="0" y1="${y}" x2="100%" y2="${y}"/><text class="value" x="-8" y="${y + 4}" text-anchor="end">${most * share}</text>`;
    })
    .join("");
}

interface Place {
  readonly index: number;
  readonly of: number;
}

function column(
  { fromMs, count }: HistogramBar,
  { index, of, most, deadlineMs }: Place & { readonly most: number; readonly deadlineMs: number },
): string {
  if (count === 0) {
    return "";
  }
  const height = Math.max(barHeightMin, (count / most) * plotHeight);
  const y = (base - height).toFixed(1);
  const kind = fromMs >= deadlineMs ? "late" : "bar";
  return (
    `<rect class="${kind}" x="${percent((index + gap) / of)}" y="${y}" width="${percent((1 - 2 * gap) / of)}" height="${height.toFixed(1)}" rx="2"/>` +
    `<text class="count" x="${percent((index + 0.5) / of)}" y="${(base - height - 5).toFixed(1)}" text-anchor="middle">${count}</text>`
  );
}

/** The lower edge of a bar; every second one has no room on a telephone. */
function tick(fromMs: number, { index, of }: Place): string {
  const x = percent(index / of);
  const anchor = index === 0 ? "start" : "middle";
  return (
    `<line class="base" x1="${x}" y1="${base}" x2="${x}" y2="${base + 4}"/>` +
    `<text class="tick${index % 2 === 1 ? " odd" : ""}" x="${x}" y="${base + 18}" text-anchor="${anchor}">${fromMs}</text>`
  );
}

function deadlineLine(histogram: readonly HistogramBar[], deadlineMs: number): string {
  const share = positionOf(histogram, deadlineMs);
  const x = percent(share);
  const isRight = share > 0.5;
  return (
    `<line class="deadline" x1="${x}" y1="20" x2="${x}" y2="${base}"/>` +
    `<text class="deadline" x="${x}" y="14" text-anchor="${isRight ? "end" : "start"}">deadline ${deadlineMs} ms</text>`
  );
}

/** Where a time lies, from 0 to 1; the last column, which has no end, is drawn as if it ended at twice its beginning. */
function positionOf(histogram: readonly HistogramBar[], ms: number): number {
  const index = histogram.findLastIndex(({ fromMs }) => fromMs <= ms);
  const bar = histogram[index];
  if (bar === undefined) {
    return 0;
  }
  const toMs = bar.toMs ?? 2 * bar.fromMs;
  return (index + Math.min(1, (ms - bar.fromMs) / (toMs - bar.fromMs))) / histogram.length;
}

/** The next round number, whose half is whole: 1, 2, 4, 6, 8, 10, 20, 40, … */
function niceAbove(count: number): number {
  const power = 10 ** Math.floor(Math.log10(count));
  const factor = [1, 2, 4, 6, 8, 10].find((each) => each * power >= count) ?? 10;
  return factor * power;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(2)}%`;
}
