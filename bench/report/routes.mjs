// The parts of the page about channel filters.
import { barChart, lineTable } from "./chart.mjs";
import { short } from "./summary.mjs";

/** Ways of the route suite that are drawn together. */
const CHARTS = [
  { title: "An event through a channel filter", ways: /^(none|plain|match|out|in)-/ },
  { title: "An update of one sink's attributes", ways: /^update-/ },
  { title: "A filter that blocks, by itself", ways: /^blocked-/ },
];

/** @param {readonly { way: string, title: string, ns: number, low: number, high: number }[] | undefined} lines @returns {string} */
export function routeSection(lines) {
  if (!lines) return "";
  const charts = CHARTS.map(({ title, ways }) => {
    const bars = lines
      .filter(({ way }) => ways.test(way))
      .map(({ way, ns, low, high }) => {
        const peer = /^(none|plain|match)-|-free$/.test(way) ? "control" : "core";
        return { label: way, peer, value: ns, low, high };
      });
    return barChart(title, "ns", bars);
  });
  return `<h2>Channel filters in the core</h2><p class="soft">Routes in one process, no sockets: an event is taken, decided, and written for whoever is selected. Updates are frames of a session each, with an event after every thousand of them, so that work put off until then is counted. What a filter that blocks costs by itself is publishing with it, less publishing to nobody, after so many blocked events.</p><div class="charts">${charts.join("\n")}</div>${lineTable(lines, ({ ns }) => ns, "ns")}`;
}

/** @param {readonly { way: string, title: string, us: number, low: number, high: number, ratio: number, paper: number | null }[] | undefined} lines @returns {string} */
export function figure7Section(lines) {
  if (!lines) return "";
  const bars = lines.map(({ way, us, low, high, ratio, paper }) => ({
    label: way,
    peer: ratio === 1 ? "control" : "core",
    value: us,
    low,
    high,
    note: paper === null ? short(ratio) : `${short(ratio)}, paper ${paper}`,
  }));
  return `<h2>KECho's Figure 7</h2><p class="soft">Eight sinks, events one at a time: CPU per event that goes to all of them, to one, or to none. As in the paper, OUT is counted where the source is, until the event is written to the sinks' sockets, and IN where the sinks are, the host and their handling (a copy, and the time printed to a file). Each sink is a process of its own. Beside them the host alone, with source and sinks at sockets. The note is the ratio to all, and the paper's (kernel, 200 MHz): 950, 312 and 200 µs on IN, 430, 156 and 56 µs on OUT.</p><div class="charts">${barChart("One event", "µs of CPU", bars)}</div>${lineTable(lines, ({ us }) => us, "µs")}`;
}
