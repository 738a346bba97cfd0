// One channel with so many subscriptions, and what they cost: memory, adding, removing, and events with the index and without.
import { cpuMicroseconds } from "../core/batches.mjs";
import { encodeEvent, publishFrame } from "../driver/sluice-frames.mjs";
import { drawAttributes, drawExpressions } from "./workload.mjs";

const PAYLOAD_BYTES = 100;
const FIRST_SEED = 4;
const CHURN_COUNT = 2_000;

/**
 * @typedef {object} Subject
 * @property {number} bytesPerSubscription Of the index: pages taken by setting the expressions, whose programs the core has already.
 * @property {number} addUs @property {number} removeUs For one subscription among the others, the expression compiled and known.
 * @property {(batch: number, scanned: boolean) => { us: number, deliveries: number }} publish Takes one batch of events, with the
 *   index or by asking every subscription; `us` is per event, from the frame's bytes to the last inbox.
 * @property {(sinks: number) => (batch: number) => number} beside Makes a channel with so many sinks that want everything, to nobody of which an event
 *   goes in the end, as with `onlyFind`: the same events there, µs for each. What an event costs here and there differs by finding.
 * @property {(isOn: boolean) => void} onlyFind Whether events go to nobody, because they answer what nobody has asked: all who want them are
 *   found, and that is all.
 */

/**
 * Makes a channel with subscriptions, each a session of its own with one sink.
 *
 * @param {import('../core/rig.mjs').Rig} rig
 * @param {{ mix: import('./workload.mjs').Mix, subscriptions: number, batches: number, batchEvents: number, churn: boolean }} options
 * @returns {Subject}
 */
export function openSubject(rig, { mix, subscriptions, batches, batchEvents, churn }) {
  const flags = rig.constant("CHANNEL_ECHO");
  const channel = rig.channel("m", flags);
  const source = rig.open();
  rig.source(source, channel);
  const draw = drawExpressions(mix, FIRST_SEED);
  const members = new Uint32Array(subscriptions);
  const programs = new Uint32Array(subscriptions);
  for (let i = 0; i < subscriptions; i++) {
    members[i] = rig.sink(rig.open(), channel);
    programs[i] = rig.program(draw());
  }
  const before = rig.usedBytes();
  for (const [index, member] of members.entries()) rig.where(member, /** @type {number} */ (programs[index]));
  const bytesPerSubscription = (rig.usedBytes() - before) / subscriptions;
  const churned = churn ? churnSome(rig, channel, draw) : { addUs: Number.NaN, removeUs: Number.NaN };
  const attributes = drawAttributes(FIRST_SEED + 1);
  const payload = Buffer.alloc(PAYLOAD_BYTES, "x");
  const event = () => encodeEvent({ channel: "", payload, attributes: attributes() }, "/bench/10");
  const events = Array.from({ length: batches }, () => Array.from({ length: batchEvents }, event));
  const frames = events.map((batch) => publishFrame(channel, batch));
  /** @param {Buffer} frame */
  const take = (frame) => {
    const from = cpuMicroseconds();
    rig.ingest(source, frame);
    return (cpuMicroseconds() - from) / batchEvents;
  };
  const nobody = () => [{ response: rig.program("TRUE") }];
  return {
    bytesPerSubscription,
    ...churned,
    beside(sinks) {
      const plain = rig.channel("plain", flags);
      rig.source(source, plain);
      for (let i = 0; i < sinks; i++) rig.sink(rig.open(), plain);
      rig.bind(plain, "out", nobody());
      const there = events.map((batch) => publishFrame(plain, batch));
      return (batch) => take(/** @type {Buffer} */ (there[batch % batches]));
    },
    onlyFind: (isOn) => rig.bind(channel, "out", isOn ? nobody() : []),
    publish(batch, scanned) {
      rig.core.channelSet(channel, flags | (scanned ? rig.scanned : 0), 4, 0);
      const us = take(/** @type {Buffer} */ (frames[batch % batches]));
      return { us, deliveries: rig.drain() };
    },
  };
}

/**
 * Adds some subscriptions to all the others and removes them again, in another order.
 *
 * @param {import('../core/rig.mjs').Rig} rig @param {number} channel @param {() => string} draw
 * @returns {{ addUs: number, removeUs: number }} Means: single calls are too short for the clock.
 */
function churnSome(rig, channel, draw) {
  const added = Array.from({ length: CHURN_COUNT }, () => {
    return { connection: rig.open(), program: rig.program(draw()), member: 0 };
  });
  const start = cpuMicroseconds();
  for (const one of added) one.member = rig.sink(one.connection, channel, { where: one.program });
  const addUs = (cpuMicroseconds() - start) / CHURN_COUNT;
  // Every other one first: neither the newest nor the oldest is special.
  const order = [...added.filter((_, index) => index % 2 === 0), ...added.filter((_, index) => index % 2 === 1)];
  const middle = cpuMicroseconds();
  for (const { connection, member } of order) rig.core.memberRemove(connection, member);
  return { addUs, removeUs: (cpuMicroseconds() - middle) / CHURN_COUNT };
}
