// The part of the page about filter modules: at the socket, and what their meter costs.
import { barChart, lineTable } from "./chart.mjs";

/** Of the module suite, what is drawn together. */
const CHARTS = Object.freeze([
  { title: "An event through the host", unit: "µs", ways: /^(plain|route|module)-/ },
  { title: "A pair beside a module", unit: "events/s", ways: /^(plain|loops|burns)$/ },
  { title: "The event loop stands still while one is uploaded", unit: "ms", ways: /^admission-/ },
]);
/** Rows of the worst code that are drawn. */
const WORST_SHOWN = 12;

/** @typedef {{ way: string, title: string, unit: string, value: number, low: number, high: number }} ModuleLine */

/** @param {readonly ModuleLine[] | undefined} lines @returns {string} */
export function moduleSection(lines) {
  if (!lines) return "";
  const charts = CHARTS.map(({ title, unit, ways }) => {
    const bars = lines
      .filter((line) => line.unit === unit && ways.test(line.way))
      .map(({ way, value, low, high }) => ({
        label: way,
        peer: way.startsWith("plain") ? "control" : "core",
        value,
        low,
        high,
      }));
    return barChart(title, unit, bars);
  });
  const tables = [...new Set(lines.map(({ unit }) => unit))].map((unit) => {
    const found = lines.filter((line) => line.unit === unit);
    return lineTable(found, ({ value }) => value, unit);
  });
  return `<h2>Filter modules</h2><p class="soft">Uploaded WebAssembly between the queue and the dispatch: 100 B, frames of 64 events, CPU of the host per event. Beside: a pair on a channel of its own, while 16,000 events a second go through another channel, without a filter, by a module that never ends, and by one that uses all its fuel in each call.</p><div class="charts">${charts.join("\n")}</div>${tables.join("\n")}`;
}

/** @param {readonly { way: string, unit: string, value: number }[] | undefined} lines @returns {string} */
export function meterSection(lines) {
  if (!lines) return "";
  const barsOf = (/** @type {string} */ cell) =>
    lines
      .filter(({ way }) => way.startsWith(`${cell} `))
      .map(({ way, value }) => ({ label: way.slice(cell.length + 1), peer: "core", value }));
  const charts = [
    barChart("Sample filters", "counted ÷ as it is", barsOf("meter-sample")),
    barChart("Kernels", "counted ÷ as it is", barsOf("meter-kernel")),
    barChart("Code made to be slow", "ns per fuel", barsOf("meter-worst").slice(0, WORST_SHOWN)),
  ];
  return `<h2>What counting fuel costs</h2><p class="soft">The same code as it is and instrumented, by turns in one process; and of code that is made to be slow, what a stranger gets for one unit of fuel at the very worst.</p><div class="charts">${charts.join("\n")}</div>`;
}
