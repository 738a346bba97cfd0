// Suites that measure inside processes rather than over sockets between them.
import { runCore } from "./core/run.mjs";
import { runKecho } from "./kecho/run.mjs";

/**
 * @typedef {object} Suite
 * @property {string} id
 * @property {string} title
 * @property {(options: { quick: boolean, say: (line: string) => void }) => Promise<{ result: unknown, rows: import('./goals.mjs').Row[] }>} run
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
