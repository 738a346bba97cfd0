// Suites that measure inside processes rather than over sockets between them.

import { runContract } from "./contract/run.mjs";
import { runHeap, runMailbox, runStreams } from "./core/mailbox.mjs";
import { runCore } from "./core/run.mjs";
import { runExpression } from "./expression/run.mjs";
import { runFigure7 } from "./kecho/figure7/run.mjs";
import { runKecho } from "./kecho/run.mjs";
import { runMatch } from "./match/run.mjs";
import { runMeter } from "./meter/run.mjs";
import { runModule } from "./module/run.mjs";
import { runRoute } from "./route/run.mjs";
import { runStart } from "./start/run.mjs";

/**
 * @typedef {object} Suite
 * @property {string} id
 * @property {string} title
 * @property {(options: { quick: boolean, say: (line: string) => void }) => Promise<{ result: unknown, rows: import('./goals.mjs').Row[], skipped?: { what: string, why: string }[] }>} run
 *   `rows` is what goals are held against.
 */

/** @type {readonly Suite[]} */
export const suites = Object.freeze([
  {
    id: "core",
    title: "the core alone beside plain JavaScript, ns per event",
    run: async (options) => ({ result: await runCore(options), rows: [] }),
  },
  {
    id: "mailbox",
    title: "ordered inboxes by how much waits in them, ns per event in and out",
    async run(options) {
      const { lines, rows } = await runMailbox(options);
      return { result: lines, rows };
    },
  },
  {
    id: "mailbox-streams",
    title: "an ordered inbox with 1,000 channels, and with as many windows, ns per event in and out",
    async run(options) {
      const { lines, rows } = await runStreams(options);
      return { result: lines, rows };
    },
  },
  {
    id: "mailbox-heap",
    title: "what an event through an ordered inbox leaves on the JavaScript heap, B",
    async run(options) {
      const { lines, rows } = await runHeap(options);
      return { result: lines, rows };
    },
  },
  {
    id: "expression",
    title: "one expression: the core's machine, by hand, and evaluators in JavaScript, ns",
    async run(options) {
      const { lines, rows } = await runExpression(options);
      return { result: lines, rows };
    },
  },
  {
    id: "match",
    title: "an event against a thousand to a million subscriptions, µs",
    async run(options) {
      const { lines, rows, skipped } = await runMatch(options);
      return { result: lines, rows, skipped };
    },
  },
  {
    id: "contract",
    title: "contracts in the core and as closures in JavaScript: evaluating, passes over many, setting conditions, ns",
    async run(options) {
      const { lines, rows } = await runContract(options);
      return { result: lines, rows };
    },
  },
  {
    id: "route",
    title: "channel filters of routes in the core: deciding, and updates of attributes, ns",
    async run(options) {
      const { lines, rows } = await runRoute(options);
      return { result: lines, rows };
    },
  },
  {
    id: "meter",
    title: "filter modules: what counting their fuel costs, and what a stranger gets for fuel at the worst",
    async run(options) {
      const { lines, rows } = await runMeter(options);
      return { result: lines, rows };
    },
  },
  {
    id: "figure7",
    title: "KECho's Figure 7: events to all, one or none of 8 sinks by a filter, at sockets",
    async run(options) {
      const { lines, rows } = await runFigure7(options);
      return { result: lines, rows };
    },
  },
  {
    id: "module",
    title: "filter modules: a decision at the socket, and the event loop while one is uploaded",
    async run(options) {
      const { lines, rows } = await runModule(options);
      return { result: lines, rows };
    },
  },
  {
    id: "start",
    title: "a host from making its process until it is ready, beside Node that does nothing, ms",
    async run(options) {
      const { lines, rows } = await runStart(options);
      return { result: lines, rows };
    },
  },
  {
    id: "kecho",
    title: "KECho's table: creation, opening, submission, polling",
    async run(options) {
      const result = await runKecho(options);
      const operations = result.rows.map(
        ({ id: _id, title: _title, way, operation, sinks, payloadBytes, ...measures }) => {
          return { cell: `kecho-${operation}-${sinks}-${payloadBytes}`, peer: way, repetition: 0, ...measures };
        },
      );
      const batches = result.batches.map(({ size, wasmCalls }) => {
        return { cell: `kecho-batch-${size}`, peer: "embedded", repetition: 0, wasmCalls };
      });
      return { result, rows: [...operations, ...batches] };
    },
  },
]);
