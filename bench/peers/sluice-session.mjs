// One session with Sluice over any of its three ways in: joins, publishes, and counts what is delivered.
//
// A `Carrier` hides the way: TCP carries size-delimited frames, a WebSocket carries them in messages.
import { DelimitedStepper } from "../driver/delimited-stepper.mjs";
import {
  creditFrame,
  encodeEvent,
  inboxFrame,
  joinFrame,
  publishFrame,
  readDelivery,
  readHostFrame,
} from "../driver/sluice-frames.mjs";

const JOIN_MS = 60_000;

/**
 * @typedef {object} Carrier
 * @property {import('../driver/wire.mjs').Wire} wire
 * @property {(frames: Buffer) => Buffer} wrap Whole size-delimited frames → the bytes to write.
 * @property {(inner: DelimitedStepper) => import('../driver/wire.mjs').Consumer} unwrap Finds the frames in what arrives.
 */

let sources = 0;

/**
 * Opens a session, joins channels and begins to count.
 *
 * @param {Carrier} carrier
 * @param {'sink' | 'source'} role
 * @param {readonly string[]} channels
 * @param {import('../driver/sluice-frames.mjs').Wants} [wants] For each of the channels.
 * @param {{ filtered?: boolean }} [options] `filtered`: a filter of the channel makes gaps in what the sink sees.
 * @returns {Promise<import('./peer.mjs').Sink & { numbers: Map<string, number>, members: number[] }>} `members` in the order of the channels.
 * @throws {Error} With the host's problem.
 */
export async function openSession(carrier, role, channels, wants = {}, { filtered = false } = {}) {
  const { wire, wrap, unwrap } = carrier;
  /** @type {Map<string, number>} */
  const numbers = new Map();
  /** @type {number[]} */
  const members = [];
  let dropped = 0;
  let joins = 0;
  let joined = () => {};
  const stepper = new DelimitedStepper({
    other(frame) {
      const said = readHostFrame(frame);
      if (said.kind === "dropped") dropped += said.count;
      if (said.kind !== "joined") return;
      numbers.set(/** @type {string} */ (channels[said.ref - 1]), said.channelNumber);
      members[said.ref - 1] = said.member;
      if (++joins === channels.length) joined();
    },
    inspect: inOrder(filtered || channels.length > 1 || mayLeaveGaps(wants), () => dropped),
  });
  const consumer = unwrap(stepper);
  const complete = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Joined only ${joins} of ${channels.length} channels`)), JOIN_MS);
    joined = () => resolve(clearTimeout(timer));
    wire.onProgress = () => {
      if (wire.failure) reject(wire.failure);
    };
  });
  wire.stream(consumer);
  const settings = [
    ...(wants.inbox === undefined ? [] : [inboxFrame(wants.inbox)]),
    ...(wants.credit === undefined ? [] : [creditFrame(wants.credit)]),
  ];
  const all = channels.map((channel, index) => joinFrame(channel, role, index + 1, wants));
  wire.socket.write(wrap(Buffer.concat([...settings, ...all])));
  await complete;
  wire.onProgress = null;
  return {
    wire,
    consumer,
    numbers,
    members,
    count: () => stepper.count,
    dropped: () => dropped,
    grant: (more) => wire.socket.write(wrap(creditFrame(more))),
  };
}

/**
 * Opens a publisher on a session of its own.
 *
 * @param {Carrier} carrier
 * @param {readonly string[]} channels
 * @returns {Promise<import('./peer.mjs').Source>}
 */
export async function openPublisher(carrier, channels) {
  const { wire, numbers } = await openSession(carrier, "source", channels);
  const source = `/bench/${(++sources % 90) + 10}`;
  return {
    wire,
    encode(events, perFrame) {
      const frames = [];
      for (let i = 0; i < events.length; i += perFrame) {
        const group = events.slice(i, i + perFrame);
        const number = numbers.get(group[0]?.channel ?? "");
        if (number === undefined) throw new Error(`No join of channel ${group[0]?.channel}`);
        frames.push(
          carrier.wrap(
            publishFrame(
              number,
              group.map((event) => encodeEvent(event, source)),
            ),
          ),
        );
      }
      return Buffer.concat(frames);
    },
  };
}

/** @param {import('../driver/sluice-frames.mjs').Wants} wants */
const mayLeaveGaps = ({ types, where, inbox }) =>
  types !== undefined || where !== undefined || (inbox?.ordering ?? "fifo") !== "fifo";

/**
 * A check of every inspected delivery: with one channel, no filter and no drops, the n-th delivery of a sink is exactly
 * n − 1 events after its first one.
 *
 * @param {boolean} gaps Whether sequences may have gaps. @param {() => number} dropped
 */
function inOrder(gaps, dropped) {
  let base = Number.NaN;
  return (
    /** @type {Buffer} */ buffer,
    /** @type {number} */ from,
    /** @type {number} */ to,
    /** @type {number} */ index,
  ) => {
    const { sequence } = readDelivery(buffer.subarray(from, to));
    if (gaps || dropped() > 0) return;
    if (Number.isNaN(base)) base = sequence - index;
    if (sequence - index !== base)
      throw new Error(`Delivery ${index} has sequence ${sequence}, expected ${base + index}`);
  };
}
