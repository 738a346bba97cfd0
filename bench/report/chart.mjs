// Bars, drawn as SVG text. A library would be larger than what it draws.
import { short } from "./summary.mjs";

const ROW_HEIGHT = 24;
const LABEL_WIDTH = 140;
const BAR_WIDTH = 230;
const VALUE_WIDTH = 110;

/** Colours by peer are CSS variables of page.css: `--peer-NAME`, grey for what has none. @param {string} name */
const colour = (name) => `var(--peer-${name}, var(--peer-other))`;

/** Makes any text safe inside HTML. @param {unknown} text */
export const escapeHtml = (text) => String(text).replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/**
 * Horizontal bars on one scale from 0, with the range of the samples as a thin line.
 *
 * @param {string} title Also what a screen reader says.
 * @param {string} unit
 * @param {readonly { label: string, peer?: string, value: number, low?: number, high?: number, note?: string }[]} bars
 * @returns {string} One `<figure>`; empty where there is nothing to show.
 */
export function barChart(title, unit, bars) {
  const shown = bars.filter(({ value }) => Number.isFinite(value));
  if (shown.length === 0) return "";
  const most = Math.max(...shown.map(({ value, high }) => Math.max(value, high ?? 0))) || 1;
  const x = (/** @type {number} */ value) => ((value / most) * BAR_WIDTH).toFixed(1);
  const rows = shown.map(({ label, peer, value, low, high, note }, index) => {
    const y = index * ROW_HEIGHT;
    const range =
      low === undefined || high === undefined || low === high
        ? ""
        : `<line class="range" x1="${LABEL_WIDTH + Number(x(low))}" x2="${LABEL_WIDTH + Number(x(high))}" y1="${y + 12}" y2="${y + 12}"/>`;
    const told = `${short(value)}${note ? ` <tspan class="note">${escapeHtml(note)}</tspan>` : ""}`;
    return `<text class="label" x="${LABEL_WIDTH - 8}" y="${y + 16}">${escapeHtml(label)}</text>
<rect x="${LABEL_WIDTH}" y="${y + 5}" width="${Math.max(1, Number(x(value)))}" height="14" rx="2" fill="${colour(peer ?? label)}"/>${range}
<text class="value" x="${LABEL_WIDTH + Number(x(Math.max(value, high ?? 0))) + 8}" y="${y + 16}">${told}</text>`;
  });
  const width = LABEL_WIDTH + BAR_WIDTH + VALUE_WIDTH;
  return `<figure><figcaption>${escapeHtml(title)} <span class="unit">${escapeHtml(unit)}</span></figcaption>
<svg viewBox="0 0 ${width} ${shown.length * ROW_HEIGHT}" width="${width}" role="img" aria-label="${escapeHtml(title)}">${rows.join("\n")}</svg></figure>`;
}

/**
 * The numbers of bars that have more to say than fits beside them.
 *
 * @template {{ way: string, title: string, low: number, high: number }} Told
 * @param {readonly Told[]} lines @param {(line: Told) => number} medianOf @param {string} unit
 * @returns {string} A table: what it is called in the chart, what it means, its median and range.
 */
export function lineTable(lines, medianOf, unit) {
  const rows = lines.map((line) => {
    const { way, title, low, high } = line;
    return `<tr><td>${escapeHtml(way)}</td><td>${escapeHtml(title)}</td><td class="number">${short(medianOf(line))}</td><td class="number soft">${short(low)}–${short(high)}</td></tr>`;
  });
  return `<div class="scroll"><table><thead><tr><th></th><th></th><th class="number">${escapeHtml(unit)}</th><th class="number">Range</th></tr></thead><tbody>${rows.join("\n")}</tbody></table></div>`;
}

const BULLET_WIDTH = 180;

/**
 * One goal as a bar, with a line where it must stay below and a dotted one for the aim.
 *
 * @param {import('../goals.mjs').Verdict} verdict
 * @returns {string} Inline `<svg>`.
 */
export function bullet({ value, floor, aim, verdict }) {
  if (value === null) return "";
  const most = Math.max(floor * 1.4, Math.min(value, floor * 2.5), 1e-9);
  const x = (/** @type {number} */ number) =>
    Math.max(0, Math.min(BULLET_WIDTH, (number / most) * BULLET_WIDTH)).toFixed(1);
  const mark = (/** @type {string} */ name, /** @type {number} */ number) =>
    `<line class="${name}" x1="${x(number)}" x2="${x(number)}" y1="1" y2="19"/>`;
  return `<svg class="bullet" viewBox="0 0 ${BULLET_WIDTH} 20" width="${BULLET_WIDTH}" height="20" aria-hidden="true">
<rect class="track" width="${BULLET_WIDTH}" height="8" y="6" rx="2"/><rect class="bar ${verdict}" width="${Math.max(2, Number(x(value)))}" height="8" y="6" rx="2"/>
${aim === floor ? "" : mark("aim-mark", aim)}${mark("floor-mark", floor)}</svg>`;
}
