import type { LatencyReport } from "../latency.ts";
import { edge } from "./latency-rows.ts";

const barHeight = 20;
const rowHeight = 28;
const labelWidth = 120;
const barsWidth = 460;
const width = 680;

/** How the answers of all loads are spread over the time, as one SVG element; red is what came after the deadline. */
export function histogramSvg({ histogram, deadlineMs }: LatencyReport): string {
  const total = histogram.reduce((sum, { count }) => sum + count, 0);
  const most = Math.max(1, ...histogram.map(({ count }) => count));
  const height = histogram.length * rowHeight + 8;
  const bars = histogram.map(({ fromMs, toMs, count }, index) => {
    const y = index * rowHeight + 4;
    const length = count === 0 ? 0 : Math.max(2, (count / most) * barsWidth);
    const label = toMs === null ? `${edge(fromMs)} and more` : `${edge(fromMs)} – ${edge(toMs)}`;
    const isLate = fromMs >= deadlineMs;
    return (
      `<text class="label" x="${labelWidth - 10}" y="${y + 15}" text-anchor="end">${label}</text>` +
      `<rect class="${isLate ? "late" : "bar"}" x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}" rx="3"/>` +
      `<text class="count" x="${(labelWidth + length + 8).toFixed(1)}" y="${y + 15}">${count === 0 ? "" : count}</text>`
    );
  });
  return (
    `<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="histogram-title">` +
    `<title id="histogram-title">How long ${total} answers took; the deadline is ${deadlineMs} ms</title>${bars.join("")}</svg>`
  );
}
