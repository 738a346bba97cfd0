/**
 * Groups of stacked bars as SVG text that needs nothing around it: what became of a whole, beside one another.
 *
 * @typedef {{ name: string, parts: readonly number[], note: string }} Bar Parts of 1, in the order of the legend.
 * @typedef {{ name: string, bars: readonly Bar[] }} Group
 * @typedef {{ title: string, legend: readonly string[], groups: readonly Group[] }} BarChart
 */
import { colours, escapeXml, n } from "./chart.mjs";

const WIDTH = 800;
const LEFT = 168;
const RIGHT = 316;
const TOP = 66;
const BAR = 18;
/** From one bar to the next, and from the last of a group to the next group. */
const STEP = 22;
const GAP = 14;

/**
 * Draws a chart; every bar is as long as the others, and says its numbers behind it.
 *
 * @param {BarChart} chart
 * @returns {string} A whole SVG document.
 */
export function stackedBars({ title, legend, groups }) {
  const parts = [];
  let legendAt = LEFT;
  for (const [index, name] of legend.entries()) {
    parts.push(
      `<rect x="${n(legendAt)}" y="40" width="11" height="11" fill="${colourOf(index)}"/>`,
      `<text class="tick" x="${n(legendAt + 16)}" y="50">${escapeXml(name)}</text>`,
    );
    legendAt += 34 + name.length * 6.4;
  }
  let y = TOP;
  for (const { name, bars } of groups) {
    parts.push(`<text class="name" x="8" y="${y + BAR - 5}">${escapeXml(name)}</text>`);
    for (const bar of bars) {
      parts.push(`<text x="${LEFT - 8}" y="${y + BAR - 5}" text-anchor="end">${escapeXml(bar.name)}</text>`);
      let x = LEFT;
      for (const [index, part] of bar.parts.entries()) {
        const width = part * (WIDTH - LEFT - RIGHT);
        if (width > 0)
          parts.push(`<rect x="${n(x)}" y="${y}" width="${n(width)}" height="${BAR - 2}" fill="${colourOf(index)}"/>`);
        x += width;
      }
      parts.push(`<text class="note" x="${WIDTH - RIGHT + 10}" y="${y + BAR - 5}">${escapeXml(bar.note)}</text>`);
      y += STEP;
    }
    y += GAP;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" width="${WIDTH}" height="${y}" role="img" aria-label="${escapeXml(title)}">
<style>
svg { font: 13px system-ui, sans-serif; background: #fff; }
text { fill: #222; } .tick, .note { font-size: 11px; fill: #444; } .title { font-size: 15px; font-weight: 600; }
.name { font-weight: 600; }
</style>
<text class="title" x="8" y="24">${escapeXml(title)}</text>
${parts.join("\n")}
</svg>
`;
}

/** From what is good to what is bad, which colour-blind people tell apart. @param {number} index */
function colourOf(index) {
  return [colours[0], colours[5], colours[1], "#c8c8c8"][index] ?? "#000";
}
