// The parts of the page about expressions and about finding who wants an event.
import { barChart, escapeHtml, lineTable } from "./chart.mjs";
import { curveChart } from "./curve.mjs";
import { short } from "./summary.mjs";

/** @param {readonly { way: string, title: string, ns: number, low: number, high: number }[] | undefined} lines @returns {string} */
export function expressionSection(lines) {
  if (!lines) return "";
  const bars = lines.map(({ way, ns, low, high }) => ({
    label: way,
    peer: way.startsWith("vm-") ? "core" : "control",
    value: ns,
    low,
    high,
  }));
  return `<h2>One expression</h2><p class="soft"><code>priority &gt;= 3 AND load &lt; 0.8 AND type LIKE 'com.acme.%'</code> on an event that fails at its last operand. In the core: what one sink's filter adds to publishing (from the event's bytes), and what each further one adds to that (in view). By hand: the same in AssemblyScript, without types, casts and errors, once from the bytes and once with the values in a table. The evaluators in JavaScript get an object with the three values: nothing is decoded.</p><div class="charts">${barChart("One evaluation", "ns", bars)}</div>${lineTable(lines, ({ ns }) => ns, "ns")}`;
}

const MIX_TITLES = { mix: "70 % have an equality", equal: "All have an equality", ranges: "Ranges only" };

/** @param {readonly import('../match/run.mjs').Line[] | undefined} lines @returns {string} */
export function matchSection(lines) {
  if (!lines) return "";
  const charts = /** @type {const} */ (["mix", "equal", "ranges"]).map((mix) => {
    const found = lines.filter((line) => line.mix === mix);
    const pointsOf = (/** @type {'indexedUs' | 'scannedUs'} */ measure) =>
      found.map((line) => ({ x: line.subscriptions, y: line[measure] }));
    return curveChart(MIX_TITLES[mix], "µs per event", "subscriptions", [
      { label: "scan", peer: "control", points: pointsOf("scannedUs") },
      { label: "index", peer: "core", points: pointsOf("indexedUs") },
    ]);
  });
  const rows = lines.map((line) => {
    const {
      mix,
      subscriptions,
      matches,
      indexedUs,
      findUs,
      scannedUs,
      ratio,
      publishUs,
      publishRatio,
      bytesPerSubscription,
      addUs,
      removeUs,
    } = line;
    const numbers = [
      subscriptions,
      matches,
      indexedUs,
      findUs,
      scannedUs,
      ratio,
      publishUs,
      publishRatio,
      bytesPerSubscription,
      addUs,
      removeUs,
    ];
    const cells = numbers.map((number) => `<td class="number">${short(number)}</td>`);
    return `<tr><td>${escapeHtml(mix)}</td>${cells.join("")}</tr>`;
  });
  const head = [
    "subscriptions",
    "match",
    "index µs",
    "of it finding µs",
    "scan µs",
    "scan ÷ index",
    "to all µs",
    "scan ÷ index",
    "index B each",
    "add µs",
    "remove µs",
  ];
  return `<h2>Many subscriptions</h2><p class="soft">One event against all subscriptions of a channel, in the core. All who want it are found, and a route keeps it from all of them; of that, finding is what a channel beside it with as many plain sinks does not need. In the table also what it costs where all of them get it, which is mostly putting it into their inboxes. 20 attributes, 4 of them with 1,000 values each, the others numbers; a subscription asks for one to three, a range takes a tenth; an event carries 60 % of them.</p><div class="charts">${charts.join("\n")}</div><div class="scroll"><table><thead><tr><th>Mix</th>${head.map((name) => `<th class="number">${name}</th>`).join("")}</tr></thead><tbody>${rows.join("\n")}</tbody></table></div>`;
}

/** @param {readonly import('./summary.mjs').Line[]} lines @returns {string} */
export function manySinksSection(lines) {
  const measures = lines.find(({ cell }) => cell === "match-10000-sinks")?.measures;
  if (!measures) return "";
  const charts = [
    { title: "An event", unit: "CPU s per million", filtered: "filteredPerMillion", plain: "plainPerMillion" },
    {
      title: "Calls of the host that write",
      unit: "per event",
      filtered: "writesPerEvent",
      plain: "plainWritesPerEvent",
    },
  ].map(({ title, unit, filtered, plain }) => {
    const bar = (/** @type {string} */ label, /** @type {string} */ measure, /** @type {string} */ peer) => {
      const { median = Number.NaN, low = median, high = median } = measures[measure] ?? {};
      return { label, peer, value: median, low, high };
    };
    return barChart(title, unit, [bar("10,000 filters", filtered, "sluice"), bar("10 sinks", plain, "control")]);
  });
  return `<h2>Ten thousand filters</h2><p class="soft">Ten thousand sessions with a filter each, of which an event selects ten, beside a channel with just ten sinks that want everything: batched, and writes counted one event at a time.</p><div class="charts">${charts.join("\n")}</div>`;
}
