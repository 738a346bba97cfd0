// What one evaluation of an expression costs in the core, beside the same predicate by hand and beside evaluators in JavaScript.
//
// Nothing is called once per event: the core gets chunks of events and evaluates them in its loop. What is not evaluation is
// taken off by a second channel that differs only in that:
//
//   of an event's bytes    a channel with one sink that has the expression − a channel without sinks
//   of an event in view    (a channel with 65 such sinks − a channel with one) ÷ 64: the event's values have been located
//   the same alone         less what it costs to come to the next sink, which evaluators of a ready object do not do: that of
//                          sinks whose types refuse the event, got alike
//
// No event passes, and each only fails at the last operand: delivering would be measured else.
import { nanosecondsPer } from "../core/batches.mjs";
import { rigMaker } from "../core/rig.mjs";
import { encodeEvent, publishFrame } from "../driver/sluice-frames.mjs";
import { median } from "../driver/statistics.mjs";
import { compileHand } from "./hand.mjs";
import { rivals } from "./rivals.mjs";

const PREDICATE = "priority >= 3 AND load < 0.8 AND type LIKE 'com.acme.%'";
const FURTHER_SINKS = 64;
const PER_FRAME = 64;
/** A round goes through all ways so many times; the least counts, as differences of two ways are taken. */
const PASSES = 4;
const FRAMES = 6;
/** Agrees with the pattern up to its last but one letter, so that LIKE is no shorter than where it holds. */
const TYPE = "com.acne.order.placed";
const RIVAL_CALLS = 2_000;

/**
 * Measures all ways in turn.
 *
 * @param {{ quick: boolean, say: (line: string) => void }} options
 * @returns {Promise<{ rows: import('../goals.mjs').Row[], lines: { way: string, title: string, ns: number, low: number, high: number }[] }>} ns per evaluation.
 * @throws {Error} Where one of the ways finds that an event passes.
 */
export async function runExpression({ quick, say }) {
  const ways = await prepare();
  const rounds = quick ? 3 : 9;
  const batchMs = quick ? 30 : 120;
  /** @type {import('../goals.mjs').Row[]} */
  const rows = [];
  for (let repetition = -1; repetition < rounds; repetition++) {
    // The first round is for the compilers and is not kept.
    /** @type {Record<string, number>} */
    const ns = {};
    for (let pass = 0; pass < PASSES; pass++) {
      for (const [way, { run, events }] of Object.entries(ways))
        ns[way] = Math.min(ns[way] ?? Number.POSITIVE_INFINITY, nanosecondsPer(run, events, batchMs / PASSES));
    }
    if (repetition < 0) continue;
    const { none = 0, one = 0, many = 0, refusing = 0, refusingMany = 0, ...rest } = ns;
    const view = (many - one) / FURTHER_SINKS;
    const alone = view - (refusingMany - refusing) / FURTHER_SINKS;
    const all = { ...rest, "vm-bytes": one - none, "vm-view": view, "vm-alone": alone };
    for (const [peer, value] of Object.entries(all)) rows.push({ cell: "expression", peer, repetition, ns: value });
  }
  const lines = TITLES.map(([way, title]) => {
    const samples = rows.filter(({ peer }) => peer === way).map((row) => Number(row["ns"]));
    return { way, title, ns: median(samples), low: Math.min(...samples), high: Math.max(...samples) };
  });
  for (const { title, ns, low, high } of lines)
    say(`${title}: ${ns.toFixed(1)} ns (${low.toFixed(1)}–${high.toFixed(1)})`);
  return { rows, lines };
}

const TITLES = /** @type {const} */ ([
  ["vm-bytes", "machine of the core, from the event's bytes"],
  ["hand-bytes", "by hand in AssemblyScript, from the event's bytes"],
  ["vm-view", "machine of the core, each further sink's expression on the same event"],
  ["vm-alone", "the same without coming to the sink"],
  ["hand-view", "by hand in AssemblyScript, values located before"],
  ["cel-js", "@marcbachmann/cel-js, on an object"],
  ["bufbuild-cel", "@bufbuild/cel, on an object"],
]);

/** @returns {Promise<Record<string, { run: () => void, events: number }>>} What to run, and for how many events. */
async function prepare() {
  const make = await rigMaker();
  const payload = Buffer.alloc(100, "x");
  const attributes = { region: "eu-central", load: 0.5, tenant: "acme" };
  const event = { channel: "", payload, type: TYPE, priority: 5, attributes };
  const encoded = encodeEvent(event, "/bench/10");
  const group = Array.from({ length: PER_FRAME }, () => encoded);
  const events = PER_FRAME * FRAMES;
  const hand = await compileHand(Array.from({ length: events }, () => encoded));
  const asked = (/** @type {import('../core/rig.mjs').Rig} */ rig, /** @type {number} */ index) => ({
    where: rig.program(expressionOf(index)),
  });
  const refusing = () => ({ type: "other" });
  const onCore = (/** @type {number} */ sinks, /** @type {typeof asked | typeof refusing} */ wants = asked) => {
    const rig = make();
    // Without the index: it is the machine that is measured.
    const channel = rig.channel("c", rig.constant("CHANNEL_ECHO") | rig.scanned);
    const source = rig.open();
    rig.source(source, channel);
    for (let i = 0; i < sinks; i++) rig.sink(rig.open(), channel, wants(rig, i));
    const chunk = Buffer.concat(Array.from({ length: FRAMES }, () => publishFrame(channel, group)));
    const run = () => {
      rig.ingest(source, chunk);
      if (rig.core.dirtyTake() > 1) throw new Error("A sink got an event");
    };
    return { run, events };
  };
  const values = { priority: event.priority, load: attributes.load, type: TYPE };
  const inJavaScript = Object.entries(rivals()).map(([way, evaluator]) => {
    const evaluate = evaluator(values);
    return [way, { run: () => repeat(evaluate), events: RIVAL_CALLS }];
  });
  return {
    none: onCore(0),
    one: onCore(1),
    many: onCore(1 + FURTHER_SINKS),
    refusing: onCore(1, refusing),
    refusingMany: onCore(1 + FURTHER_SINKS, refusing),
    "hand-bytes": { run: () => none(hand.countEvents()), events },
    "hand-view": { run: () => none(hand.countLocated()), events },
    ...Object.fromEntries(inJavaScript),
  };
}

/** The same expression with another constant, so that no two sinks share a program. @param {number} index */
const expressionOf = (index) => (index === 0 ? PREDICATE : PREDICATE.replace("0.8", `0.8${index}`));

/** @param {() => boolean} evaluate */
function repeat(evaluate) {
  let count = 0;
  for (let i = 0; i < RIVAL_CALLS; i++) if (evaluate()) count++;
  none(count);
}

/** @param {number} count */
function none(count) {
  if (count !== 0) throw new Error(`${count} events pass; none should`);
}
