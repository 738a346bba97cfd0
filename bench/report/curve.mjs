// Lines over two logarithmic scales, drawn as SVG: what grows with the number of something.
import { escapeHtml } from "./chart.mjs";
import { short } from "./summary.mjs";

const WIDTH = 480;
const HEIGHT = 260;
const LEFT = 56;
const RIGHT = 96;
const TOP = 12;
const BOTTOM = 34;

/**
 * @typedef {object} Curve
 * @property {string} label
 * @property {string} peer Its colour, as of the bars of chart.mjs.
 * @property {readonly { x: number, y: number }[]} points Both above 0.
 */

/**
 * Draws curves on common scales whose lines are powers of ten.
 *
 * @param {string} title @param {string} unit Of y.
 * @param {string} across What x is.
 * @param {readonly Curve[]} curves
 * @returns {string} One `<figure>`; empty where there is no point.
 */
export function curveChart(title, unit, across, curves) {
  const points = curves.flatMap((curve) => curve.points).filter(isShown);
  if (points.length === 0) return "";
  const x = scaleOf(
    points.map((point) => point.x),
    LEFT,
    WIDTH - RIGHT,
  );
  const y = scaleOf(
    points.map((point) => point.y),
    HEIGHT - BOTTOM,
    TOP,
  );
  const grid = [
    ...x.powers.map((power) => {
      const at = x.place(power).toFixed(1);
      return `<line class="grid" x1="${at}" x2="${at}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/><text class="tick" text-anchor="middle" x="${at}" y="${HEIGHT - BOTTOM + 16}">${short(power)}</text>`;
    }),
    ...y.powers.map((power) => {
      const at = y.place(power).toFixed(1);
      return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/><text class="tick" text-anchor="end" x="${LEFT - 6}" y="${Number(at) + 4}">${short(power)}</text>`;
    }),
  ];
  const lines = curves.map((curve) => lineOf(curve, x.place, y.place));
  return `<figure><figcaption>${escapeHtml(title)} <span class="unit">${escapeHtml(unit)}, over ${escapeHtml(across)}</span></figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" role="img" aria-label="${escapeHtml(title)}">${grid.join("")}${lines.join("")}</svg></figure>`;
}

/** @param {{ x: number, y: number }} point */
const isShown = ({ x, y }) => Number.isFinite(x) && Number.isFinite(y) && x > 0 && y > 0;

/**
 * A logarithmic scale over whole powers of ten.
 *
 * @param {readonly number[]} values Above 0. @param {number} from Where the least power lies. @param {number} to
 * @returns {{ powers: number[], place: (value: number) => number }}
 */
export function scaleOf(values, from, to) {
  const least = Math.floor(Math.log10(Math.min(...values)) + 1e-9);
  const most = Math.max(least + 1, Math.ceil(Math.log10(Math.max(...values)) - 1e-9));
  const powers = Array.from({ length: most - least + 1 }, (_, index) => 10 ** (least + index));
  return { powers, place: (value) => from + ((Math.log10(value) - least) / (most - least)) * (to - from) };
}

/** @param {Curve} curve @param {(value: number) => number} x @param {(value: number) => number} y */
function lineOf({ label, peer, points }, x, y) {
  const shown = points.filter(isShown);
  const last = shown.at(-1);
  if (last === undefined) return "";
  const colour = `var(--peer-${peer}, var(--peer-other))`;
  const path = shown.map((point) => `${x(point.x).toFixed(1)},${y(point.y).toFixed(1)}`).join(" ");
  const marks = shown.map((point) => {
    const told = `${label}: ${short(point.y)} at ${short(point.x)}`;
    return `<circle cx="${x(point.x).toFixed(1)}" cy="${y(point.y).toFixed(1)}" r="3" fill="${colour}"><title>${escapeHtml(told)}</title></circle>`;
  });
  const name = `<text x="${(x(last.x) + 8).toFixed(1)}" y="${(y(last.y) + 4).toFixed(1)}">${escapeHtml(label)}</text>`;
  return `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>${marks.join("")}${name}`;
}
