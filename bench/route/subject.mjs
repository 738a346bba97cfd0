// Channels with routes inside the core: sinks with live loads, one source, and what is published there.
import { encodeEvent, publishFrame, updateFrame } from "../driver/sluice-frames.mjs";

const PAYLOAD_BYTES = 100;
const PER_FRAME = 64;
const FRAMES = 6;
/** Events of one batch. */
export const BATCH_EVENTS = PER_FRAME * FRAMES;

/**
 * @typedef {object} Setting
 * @property {number} sinks Each a session of its own, with a live `load` that no other has.
 * @property {import('../core/rig.mjs').Wants} [wants] Of every sink.
 * @property {'out' | 'in'} [stage] Where the route is bound; absent: nowhere.
 * @property {(rig: import('../core/rig.mjs').Rig) => import('./encode.mjs').Route} [route]
 *
 * @typedef {object} Subject
 * @property {() => void} publish One batch: taken, decided, and sent to whom it goes.
 * @property {(turn: number) => void} update Every sink's load once, each as a frame of its own session.
 * @property {() => void} publishOne A single event, sent.
 * @property {() => number} delivered Deliveries so far.
 */

/**
 * Makes a channel.
 *
 * @param {import('../core/rig.mjs').Rig} rig A fresh one.
 * @param {Setting} setting
 * @returns {Subject}
 */
export function openSubject(rig, { sinks, wants = {}, stage, route }) {
  const channel = rig.channel("r");
  const source = rig.open();
  rig.source(source, channel);
  const members = Array.from({ length: sinks }, () => {
    const connection = rig.open();
    return { connection, member: rig.sink(connection, channel, wants) };
  });
  // As far apart as loads of machines are, and not in the order of joining.
  const loadOf = (/** @type {number} */ index, /** @type {number} */ turn) =>
    ((index * 7919 + turn * 104729) % 100_003) / 100_003;
  const updates = [0, 1, 2, 3].map((turn) =>
    members.map(({ member, connection }, index) => ({
      connection,
      frame: updateFrame(member, { load: loadOf(index, turn) }),
    })),
  );
  const update = rig.prepared(updates);
  if (sinks > 0) update(0);
  if (stage !== undefined && route !== undefined) rig.bind(channel, stage, [route(rig)]);
  const event = encodeEvent({ channel: "", payload: Buffer.alloc(PAYLOAD_BYTES, "x"), priority: 5 }, "/bench/10");
  const frame = publishFrame(
    channel,
    Array.from({ length: PER_FRAME }, () => event),
  );
  const chunk = Buffer.concat(Array.from({ length: FRAMES }, () => frame));
  const single = publishFrame(channel, [event]);
  let delivered = 0;
  return {
    publish() {
      rig.ingest(source, chunk);
      delivered += rig.drain();
    },
    update,
    publishOne() {
      rig.ingest(source, single);
      delivered += rig.drain();
    },
    delivered: () => delivered,
  };
}
