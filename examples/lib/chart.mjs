/**
 * Line charts as SVG text that needs nothing around it. A library would be larger than what it draws here
 * (docs/adr/0025-examples-in-virtual-time.md).
 *
 * @typedef {{ name: string, points: readonly (readonly [number, number])[], isDashed?: boolean }} Series Points by x; those that
 *   are no numbers are left out.
 * @typedef {{ label: string, isLog?: boolean, from?: number, to?: number }} Axis
 * @typedef {{ at: number, label: string }} Mark A horizontal line to compare with.
 * @typedef {{ title: string, x: Axis, y: Axis, series: readonly Series[], marks?: readonly Mark[] }} Chart
 */

const WIDTH = 720;
const HEIGHT = 400;
const LEFT = 64;
const RIGHT = 190;
const TOP = 48;
const BOTTOM = 52;
/** Between the names at the right ends of lines. */
const NAME_GAP = 17;
const TICKS = 6;

/** Okabe and Ito's colours, which colour-blind people tell apart; the yellow one is left out, as it is too pale for a line. */
export const colours = Object.freeze([
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#56b4e9",
  "#e69f00",
  "#7f7f7f",
  "#9467bd",
]);

/**
 * Draws a chart. Lines are named where they end, so that nobody has to match colours with a legend.
 *
 * @param {Chart} chart
 * @returns {string} A whole SVG document.
 */
export function lineChart({ title, x, y, series, marks = [] }) {
  const shown = series.map((one) => ({ ...one, points: one.points.filter((point) => point.every(Number.isFinite)) }));
  const xs = shown.flatMap(({ points }) => points.map(([at]) => at));
  const ys = [...shown.flatMap(({ points }) => points.map(([, value]) => value)), ...marks.map(({ at }) => at)];
  const toX = scale(x, xs, LEFT, WIDTH - RIGHT);
  const toY = scale({ ...(y.isLog ? {} : { from: 0 }), ...y }, ys, HEIGHT - BOTTOM, TOP);
  const names = spread(
    shown.flatMap(({ name, points }, index) => {
      const last = points.at(-1);
      return last === undefined ? [] : [{ name, index, y: toY.at(last[1]) }];
    }),
  );
  const parts = [
    ...toX.ticks.map(
      (tick) =>
        `<line class="grid" x1="${n(toX.at(tick))}" x2="${n(toX.at(tick))}" y1="${TOP}" y2="${HEIGHT - BOTTOM}"/>` +
        `<text class="tick" x="${n(toX.at(tick))}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${shorten(tick)}</text>`,
    ),
    ...toY.ticks.map(
      (tick) =>
        `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${n(toY.at(tick))}" y2="${n(toY.at(tick))}"/>` +
        `<text class="tick" x="${LEFT - 8}" y="${n(toY.at(tick) + 4)}" text-anchor="end">${shorten(tick)}</text>`,
    ),
    ...marks.map(
      ({ at, label }) =>
        `<line class="mark" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${n(toY.at(at))}" y2="${n(toY.at(at))}"/>` +
        `<text class="note" x="${LEFT + 6}" y="${n(toY.at(at) - 5)}">${escapeXml(label)}</text>`,
    ),
    ...shown.map(({ points, isDashed }, index) => {
      const dash = isDashed ? ' stroke-dasharray="6 4"' : "";
      const path = points.map(([at, value]) => `${n(toX.at(at))},${n(toY.at(value))}`).join(" ");
      const dots = points.map(
        ([at, value]) => `<circle cx="${n(toX.at(at))}" cy="${n(toY.at(value))}" r="3" fill="${colourOf(index)}"/>`,
      );
      return `<polyline class="line" points="${path}" stroke="${colourOf(index)}"${dash}/>${dots.join("")}`;
    }),
    ...names.map(
      ({ name, index, y: at }) =>
        `<text class="name" x="${WIDTH - RIGHT + 10}" y="${n(at + 4)}" style="fill:${colourOf(index)}">${escapeXml(name)}</text>`,
    ),
    `<text class="axis" x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 12}" text-anchor="middle">${escapeXml(x.label)}</text>`,
    `<text class="axis" transform="translate(16 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">${escapeXml(y.label)}</text>`,
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${escapeXml(title)}">
<style>
svg { font: 13px system-ui, sans-serif; background: #fff; }
text { fill: #222; } .tick, .note { font-size: 11px; fill: #666; } .title { font-size: 15px; font-weight: 600; }
.name { font-weight: 600; } .grid { stroke: #e8e8e8; } .mark { stroke: #999; stroke-dasharray: 2 3; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
</style>
<text class="title" x="${LEFT}" y="26">${escapeXml(title)}</text>
${parts.join("\n")}
</svg>
`;
}

/** @param {number} index */
function colourOf(index) {
  return colours[index % colours.length];
}

/**
 * @param {Axis} axis
 * @param {readonly number[]} values
 * @param {number} first Place of the least value.
 * @param {number} last Of the greatest.
 */
function scale({ isLog = false, from, to }, values, first, last) {
  const low = from ?? Math.min(...values);
  const high = to ?? Math.max(...values);
  const ticks = isLog ? logTicks(low, high) : niceTicks(low, high);
  const bound = (/** @type {number} */ value) => (isLog ? Math.log(value) : value);
  // Room for the tick above the greatest value, so that no line ends in the air.
  const begin = bound(Math.min(low, ticks[0] ?? low));
  const end = bound(Math.max(high, ticks.at(-1) ?? high));
  const span = end - begin || 1;
  return {
    ticks,
    at: (/** @type {number} */ value) => first + ((bound(value) - begin) / span) * (last - first),
  };
}

/** 1, 2 or 5 times a power of ten apart. @param {number} low @param {number} high */
function niceTicks(low, high) {
  const rough = (high - low || 1) / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const ticks = [];
  for (let tick = Math.floor(low / step); (tick - 1) * step < high - step * 1e-9; tick++) ticks.push(tick * step);
  return ticks;
}

/** @param {number} low @param {number} high */
function logTicks(low, high) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high * 5; power++)
    ticks.push(...[1, 2, 5].map((factor) => factor * 10 ** power));
  const first = ticks.findLastIndex((tick) => tick <= low);
  const last = ticks.findIndex((tick) => tick >= high);
  return ticks.slice(Math.max(0, first), last + 1);
}

/** Moves names apart that would lie upon one another. @template {{ y: number }} Name @param {Name[]} names */
function spread(names) {
  const sorted = names.sort((one, other) => one.y - other.y);
  for (const [index, name] of sorted.entries()) {
    const above = sorted[index - 1];
    if (above !== undefined) name.y = Math.max(name.y, above.y + NAME_GAP);
  }
  // Those at the bottom push the ones above them up again.
  let bound = HEIGHT - BOTTOM;
  for (const name of sorted.reverse()) {
    name.y = Math.min(name.y, bound);
    bound = name.y - NAME_GAP;
  }
  return sorted;
}

/** @param {number} value A place: a tenth of a pixel is enough, and keeps files small and the same everywhere. @returns {string} */
export function n(value) {
  return String(Math.round(value * 10) / 10);
}

/** @param {number} value */
function shorten(value) {
  return String(Number(value.toPrecision(6)));
}

/** @param {string} text @returns {string} */
export function escapeXml(text) {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
