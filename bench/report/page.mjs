// The results as one static page: goals first, then a chart per cell, then what a sceptic asks for.
import { writeFileSync } from "node:fs";
import { barChart, bullet, escapeHtml } from "./chart.mjs";
import { mailboxSection, startSection } from "./mailboxes.mjs";
import { expressionSection, manySinksSection, matchSection } from "./matching.mjs";
import { meterSection, moduleSection } from "./modules.mjs";
import { figure7Section, routeSection } from "./routes.mjs";
import { style } from "./style.mjs";
import { short } from "./summary.mjs";

const MIB = 2 ** 20;
const WORDS = { aim: "aim reached", floor: "holds", missed: "missed", "not run": "not run" };

/**
 * @typedef {object} Section
 * @property {string} title
 * @property {string} about
 * @property {RegExp} [cells] One chart per cell, one bar per peer.
 * @property {readonly { title: string, bars: readonly { label: string, cell: string }[] }[]} [together] Cells of Sluice in one chart.
 * @property {string} measure
 * @property {string} unit
 * @property {string} [note] A second measure, told beside the bar as p99.
 */

/** What is drawn, and in which order. @type {readonly Section[]} */
const SECTIONS = [
  {
    title: "Batched",
    about:
      "One publisher, writes of 64 KiB, as fast as the slowest subscriber takes. Broker CPU seconds per million published events; shorter is better. One event at fan-out 8 is eight deliveries.",
    cells: /^tput-/,
    measure: "cpuPerMillion",
    unit: "s per million",
  },
  {
    title: "Unbatched",
    about: "Sixteen publishers, one event per write, at most 64 events under way: the kernel does most of the work.",
    cells: /^conc-/,
    measure: "cpuPerMillion",
    unit: "s per million",
  },
  {
    title: "Keys and deadlines",
    about: "The batched regime with a key, a TTL of a minute, or both on every event.",
    together: [1, 8].map((fanOut) => ({
      title: `100 B, fan-out ${fanOut}, batched`,
      bars: [
        { label: "plain", cell: `tput-100-f${fanOut}` },
        { label: "key", cell: `keyed-100-f${fanOut}` },
        { label: "TTL", cell: `ttl-100-f${fanOut}` },
        { label: "key and TTL", cell: `keyed-ttl-100-f${fanOut}` },
      ],
    })),
    measure: "cpuPerMillion",
    unit: "s per million",
  },
  {
    title: "A sink that cannot keep up",
    about:
      "40,000 events a second to a sink that takes 20,000, one in 200 urgent: how old an urgent event is when it is taken, 99 %. Sluice orders its inbox by priority and sends as far as the sink's credit reaches; the others send in order of arrival.",
    cells: /^overload-urgent/,
    measure: "urgentP99Ms",
    unit: "ms",
  },
  {
    title: "What order costs",
    about:
      "Eight sinks with a filter of two predicates and inboxes ordered by priority and deadline, beside nats that delivers in order of arrival. Broker CPU seconds per million published events.",
    cells: /^overload-ordered/,
    measure: "cpuPerMillion",
    unit: "s per million",
  },
  {
    title: "Filters at the host",
    about:
      "Eight sinks that want one event in a hundred: Sluice filters, nats delivers all and leaves that to its subscribers.",
    cells: /^match-1pc/,
    measure: "cpuPerMillion",
    unit: "s per million",
  },
  {
    title: "Updates of attributes",
    about:
      "A thousand sinks that set a live attribute a hundred times a second, by which a filter has them in order: from as many sessions, one update per write, or from 20 that hold 50 sinks each. Percent of one core, by the CPU time per update at the rate that the driver reached.",
    together: [
      {
        title: "1,000 sinks, 100 updates a second each",
        bars: [
          { label: "1,000 sessions", cell: "route-updates-1000" },
          { label: "20 sessions", cell: "route-updates-20" },
        ],
      },
    ],
    measure: "cpuPercent",
    unit: "% of one core",
  },
  {
    title: "Many channels",
    about: "One subscriber holds all channels, the publisher takes them in turn, one event per frame.",
    cells: /^channels-/,
    measure: "cpuPerMillion",
    unit: "s per million",
  },
  {
    title: "WebSocket",
    about:
      "Against a relay on the ws package. Batched: many messages of one event per write; unbatched: one message per write.",
    cells: /^ws-/,
    measure: "cpuPerMillion",
    unit: "s per million",
  },
  {
    title: "HTTP",
    about:
      "Publishes by POST, one event per request, connections kept alive; beside the same framework on the same server, which parses the body and answers.",
    cells: /^http-/,
    measure: "cpuPerMillion",
    unit: "s per million requests",
  },
  {
    title: "Latency",
    about:
      "2,000 events a second, each its own write; from before the write until the read, median. The note is the 99th percentile, which on a shared machine says more about the neighbours.",
    cells: /^lat-/,
    measure: "p50Us",
    unit: "µs",
    note: "p99Us",
  },
  {
    title: "A stalled sink",
    about: "What seven live sinks get, alone and beside an eighth that joined for 1 % of the events and never reads.",
    together: [
      {
        title: "Seven live sinks",
        bars: [
          { label: "alone", cell: "stalled-without" },
          { label: "and a stalled one", cell: "stalled-with" },
        ],
      },
    ],
    measure: "eventsPerSecond",
    unit: "events per second",
  },
];

/**
 * Writes the page.
 *
 * @param {string} file
 * @param {any} result What run.mjs wrote as JSON.
 */
export function writePage(file, result) {
  const { machine, goals, lines } = result;
  const count = (/** @type {string[]} */ ...names) =>
    goals.filter((/** @type {any} */ { verdict }) => names.includes(verdict)).length;
  const body = `<h1>Sluice bench</h1>
<p class="soft">${escapeHtml(machine.date.slice(0, 16).replace("T", " "))} UTC · commit ${escapeHtml(machine.commit.slice(0, 12))}${machine.dirty ? " with changes" : ""} · ${escapeHtml(machine.cpu)}, ${machine.cores} cores, ${machine.memoryGiB} GiB · ${escapeHtml(machine.distribution)}, kernel ${escapeHtml(machine.kernel)} · Node ${escapeHtml(machine.node)} · load average ${machine.loadAverage.join(", ")} · ${result.options.repetitions} repetitions, ${result.minutes} minutes${result.options.quick ? " · <b>quick run: not for quoting</b>" : ""}</p>
<p class="soft">${Object.entries(result.versions)
    .map(([name, version]) => `${escapeHtml(name)} ${escapeHtml(version)}`)
    .join(" · ")}</p>
<div class="cards"><div class="card"><b>${count("aim", "floor")} of ${goals.length - count("not run")}</b>goals hold</div><div class="card"><b>${count("aim")}</b>reach their aim</div><div class="card"><b>${count("missed")}</b>missed</div><div class="card"><b>${count("not run")}</b>not run</div></div>
<p>All comparisons are ratios of broker CPU time, both sides taken in the same repetition within seconds of each other, median of the repetitions. Absolute numbers belong to this machine and this hour.</p>
<h2>Goals</h2>${goalRows(goals)}
${SECTIONS.map((section) => sectionOf(section, lines)).join("\n")}
${memorySection(lines)}${coreSection(result.core)}${mailboxSection(result.mailbox, result["mailbox-streams"])}${expressionSection(result.expression)}${matchSection(result.match)}${manySinksSection(lines)}${routeSection(result.route)}${figure7Section(result.figure7)}${moduleSection(result.module)}${meterSection(result.meter)}${startSection(result.start)}${kechoSection(result.kecho)}${failures(result)}`;
  writeFileSync(
    file,
    `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Sluice bench</title><style>${style}</style><body>${body}</body></html>\n`,
  );
}

/** @param {import('../goals.mjs').Verdict[]} goals */
function goalRows(goals) {
  const unit = (/** @type {string} */ name) => (name === "ratio" ? "" : ` ${name === "count" ? "" : name}`);
  const rows = goals.map((goal) => {
    const { title, value, low, high, floor, aim, verdict } = goal;
    const range = value === null ? "" : `${short(low)}–${short(high)}`;
    return `<tr><td>${escapeHtml(title)}</td><td class="number"><b>${short(value)}</b>${unit(goal.unit)}</td><td class="number soft">${range}</td><td>${bullet(goal)}</td><td class="number">≤ ${short(floor)}</td><td class="number">${aim === floor ? "" : `≤ ${short(aim)}`}</td><td class="verdict ${verdict}">${WORDS[verdict]}</td></tr>`;
  });
  return `<div class="scroll"><table><thead><tr><th>Goal</th><th class="number">Measured</th><th class="number">Range</th><th></th><th class="number">Must</th><th class="number">Aim</th><th></th></tr></thead><tbody>${rows.join("\n")}</tbody></table></div>`;
}

/** @param {Section} section @param {readonly import('./summary.mjs').Line[]} lines */
function sectionOf(section, lines) {
  const { title, about, cells, together = [], unit } = section;
  const ids = cells ? [...new Set(lines.map(({ cell }) => cell).filter((cell) => cells.test(cell)))] : [];
  const charts = ids.map((id) => {
    const found = lines.filter(({ cell }) => cell === id);
    return barChart(
      found[0]?.title ?? id,
      unit,
      found.map((line) => barOf(section, line, line.peer)),
    );
  });
  for (const group of together) {
    const bars = group.bars.flatMap(({ label, cell }) => {
      const line = lines.find((one) => one.cell === cell && one.peer === "sluice");
      return line ? [barOf(section, line, label)] : [];
    });
    // The plain cell alone would say nothing here.
    if (bars.length > 1) charts.push(barChart(group.title, unit, bars));
  }
  if (charts.length === 0) return "";
  return `<h2>${escapeHtml(title)}</h2><p class="soft">${escapeHtml(about)}</p><div class="charts">${charts.join("\n")}</div>`;
}

/** @param {Section} section @param {import('./summary.mjs').Line} line @param {string} label */
function barOf({ measure, note }, { peer, measures }, label) {
  const { median: value = Number.NaN, low = value, high = value } = measures[measure] ?? {};
  const told = note === undefined ? undefined : measures[note];
  return { label, peer, value, low, high, note: told ? `p99 ${short(told.median)}` : "" };
}

/** @param {import('./summary.mjs').Line[]} lines */
function memorySection(lines) {
  const ours = lines.filter(
    ({ peer, measures }) => peer.startsWith("sluice") && measures.peakBytes && measures.idleBytes,
  );
  if (ours.length === 0) return "";
  const bars = ours.map(({ cell, peer, measures }) => ({
    label: cell,
    peer,
    value: ((measures.peakBytes?.median ?? 0) - (measures.idleBytes?.median ?? 0)) / MIB,
    note: peer === "sluice" ? "" : peer.replace("sluice-", ""),
  }));
  return `<h2>Memory</h2><p class="soft">Peak resident memory of Sluice in each cell beyond its idle size of ${short((ours[0]?.measures.idleBytes?.median ?? 0) / MIB)} MiB. One process runs all cells of a peer, so what an earlier cell took still shows in a later one.</p><div class="charts">${barChart("Growth over idle", "MiB", bars)}</div>`;
}

/** @param {any[] | undefined} core */
function coreSection(core) {
  if (!core) return "";
  const charts = core.map(({ title, coreNs, controlNs, ratio }) =>
    barChart(title, "ns per event", [
      { label: "core", value: coreNs, note: `${short(ratio)} ×` },
      { label: "control", value: controlNs },
    ]),
  );
  return `<h2>The core alone</h2><p class="soft">In one process, no sockets: 64 KiB of publish frames copied in, parsed, matched, and copied out per sink. The control does the same job in plain JavaScript, without credit, quotas, deadlines and partial input. For plain forwarding WebAssembly is not expected to win much.</p><div class="charts">${charts.join("\n")}</div>`;
}

/** @param {any | undefined} kecho */
function kechoSection(kecho) {
  if (!kecho) return "";
  const rows = kecho.rows.map(
    (/** @type {any} */ row) =>
      `<tr><td>${escapeHtml(row.id)}</td><td>${escapeHtml(row.title)}</td><td>${escapeHtml(row.way)}</td><td class="number">${short(row.p50Us)}</td><td class="number">${short(row.p99Us)}</td><td class="number">${short(row.ratio)}</td><td class="number">${short(row.socketWrites)}</td><td class="number">${short(row.systemCalls)}</td><td class="number">${short(row.wasmCalls)}</td></tr>`,
  );
  return `<h2>KECho's table</h2><p class="soft">The rows of the paper, on this machine: a naive baseline that writes to each sink's socket (ECho), a client over TCP (user level, UL), and the service embedded in the process (kernel level, KL). Crossings are counted per operation: socket writes, system calls (strace), calls between JavaScript and WebAssembly.</p><div class="scroll"><table><thead><tr><th>Row</th><th>Operation</th><th>Way</th><th class="number">p50 µs</th><th class="number">p99 µs</th><th class="number">÷ baseline</th><th class="number">socket writes</th><th class="number">system calls</th><th class="number">JS↔WASM</th></tr></thead><tbody>${rows.join("\n")}</tbody></table></div>${kecho.notes?.length ? `<p class="soft">${kecho.notes.map(escapeHtml).join("<br>")}</p>` : ""}`;
}

/** @param {any} result */
function failures({ skipped, lines }) {
  const failed = lines
    .filter((/** @type {any} */ line) => line.failed)
    .map((/** @type {any} */ line) => `${line.cell} ${line.peer}: ${line.failed}`);
  const items = [...skipped.map((/** @type {any} */ { what, why }) => `${what} was left out: ${why}`), ...failed];
  return items.length === 0
    ? ""
    : `<h2>Left out or failed</h2><ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join("")}</ul>`;
}
