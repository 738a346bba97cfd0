// The process that is measured: does one operation in one way so many times, and prints what it cost as one line of JSON.
//
// Usage: node subject.mjs '{"way":"baseline","operation":"submit","count":100,…}'. It is run twice under strace, with different
// counts: the difference, per operation, is free of what start-up costs.
import { quantile } from "../driver/statistics.mjs";

/**
 * @typedef {object} Order
 * @property {'baseline' | 'client' | 'embedded'} way
 * @property {'create' | 'open' | 'submit' | 'poll'} operation
 * @property {number} count
 * @property {number} sinks Members of the channel beside this process.
 * @property {number} payloadBytes
 * @property {number} [tcpPort] Of the service, for `client`.
 * @property {number} [httpPort]
 * @property {number} [sinkPort] Of the child that plays the members, for `baseline`.
 *
 * @typedef {object} Work One operation, prepared.
 * @property {(index: number) => number | Promise<number>} step Does it once; tells the µs that the caller spent in it.
 * @property {() => Promise<void>} [settle] Between two steps, not measured: lets what was set off come to rest.
 * @property {() => number} [socketWrites] So far, by this process.
 * @property {() => number} [wasmCalls] So far.
 */

/** Steps that are done first and not counted: code gets compiled, buffers get made. */
const WARM_COUNT = 50;

if (process.argv[1] === import.meta.filename) {
  const order = /** @type {Order} */ (JSON.parse(process.argv[2] ?? "{}"));
  const { prepare } = await import(`./${order.way}.mjs`);
  const work = /** @type {Work} */ (await prepare(order));
  const warm = order.operation === "create" || order.operation === "open" ? 5 : WARM_COUNT;
  for (let i = 0; i < warm; i++) await once(work, i);
  const before = { writes: work.socketWrites?.() ?? 0, calls: work.wasmCalls?.() ?? 0 };
  const samples = [];
  for (let i = 0; i < order.count; i++) samples.push(await once(work, warm + i));
  const per = (/** @type {number} */ total) => (order.count === 0 ? 0 : total / order.count);
  const told = {
    p50Us: quantile(samples, 0.5),
    p99Us: quantile(samples, 0.99),
    socketWrites: per((work.socketWrites?.() ?? 0) - before.writes),
    wasmCalls: per((work.wasmCalls?.() ?? 0) - before.calls),
  };
  process.stdout.write(`${JSON.stringify(told)}\n`, () => process.exit(0));
}

/** @param {Work} work @param {number} index */
async function once(work, index) {
  const us = await work.step(index);
  await work.settle?.();
  return us;
}
