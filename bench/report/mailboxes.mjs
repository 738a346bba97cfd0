// The parts of the page about mailboxes, and about starting.
import { barChart, lineTable } from "./chart.mjs";
import { curveChart } from "./curve.mjs";

/** What is drawn: label and colour by ordering. */
const CURVES = Object.freeze([
  { ordering: "plain-heap", label: "plain heap", peer: "control" },
  { ordering: "priority_deadline", label: "priority+deadline", peer: "core" },
  { ordering: "deadline", label: "deadline", peer: "client" },
  { ordering: "priority", label: "priority", peer: "nats" },
  { ordering: "fifo", label: "fifo", peer: "relay" },
]);

/** @typedef {readonly { ordering: string, depth: number, ns: number }[]} Lines */

/** @param {Lines | undefined} lines @param {Lines} [streamLines] Of a thousand channels. @returns {string} */
export function mailboxSection(lines, streamLines = []) {
  if (!lines) return "";
  const curves = CURVES.map(({ ordering, label, peer }) => {
    const found = lines.filter((line) => line.ordering === ordering);
    return { label, peer, points: found.map(({ depth, ns }) => ({ x: depth, y: ns })) };
  });
  const streams = streamLines.filter(({ ordering }) => ordering.includes("1000"));
  const each = streams.map(({ ordering, ns }) => `${ordering} ${ns.toFixed(0)} ns`).join(", ");
  const told = each === "" ? "" : ` With 10,000 waiting, of a thousand channels: ${each}.`;
  return `<h2>Ordered inboxes</h2><p class="soft">An event that comes into an inbox and one that leaves it, from the bytes of the socket to the bytes for the socket, by how much waits. The plain heap is an inbox in plain TypeScript that does the same.${told}</p><div class="charts">${curveChart("In and out", "CPU ns per event", "events that wait", curves)}</div>`;
}

/** @param {readonly { way: string, title: string, ms: number, low: number, high: number }[] | undefined} lines @returns {string} */
export function startSection(lines) {
  if (!lines) return "";
  const bars = lines.map(({ way, ms, low, high }) => ({ label: way, peer: way, value: ms, low, high }));
  return `<h2>Starting</h2><p class="soft">From making the process, in turn with Node that does nothing.</p><div class="charts">${barChart("Start", "ms", bars)}</div>${lineTable(lines, ({ ms }) => ms, "ms")}`;
}
