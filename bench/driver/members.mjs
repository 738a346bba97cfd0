// Sinks with live attributes, and the updates of those.
import { openSession } from "../peers/sluice-session.mjs";
import { updateFrame } from "./sluice-frames.mjs";
import { Wire } from "./wire.mjs";

const READ_BYTES = 16_384;

/**
 * Opens a session with sinks on one channel.
 *
 * @param {number} tcpPort
 * @param {string} channel
 * @param {number} load Their live attribute at first.
 * @param {number} [sinks]
 * @returns {Promise<import('../peers/peer.mjs').Sink & { update: (load: (index: number) => number) => Buffer }>} `update` gives frames that
 *   set the attribute of each.
 */
export async function openMembers(tcpPort, channel, load, sinks = 1) {
  const wire = await new Wire(tcpPort, READ_BYTES).open();
  const carrier = {
    wire,
    wrap: (/** @type {Buffer} */ frames) => frames,
    unwrap: (/** @type {import('./delimited-stepper.mjs').DelimitedStepper} */ inner) => inner,
  };
  const sink = await openSession(
    carrier,
    "sink",
    Array.from({ length: sinks }, () => channel),
    { attributes: { load } },
    { filtered: true },
  );
  return {
    ...sink,
    update: (loadOf) =>
      Buffer.concat(sink.members.map((member, index) => updateFrame(member, { load: loadOf(index) }))),
  };
}
