// Sluice over TCP: size-delimited binary frames.
import { Wire } from "../driver/wire.mjs";
import { startSluice } from "./sluice-process.mjs";
import { openPublisher, openSession } from "./sluice-session.mjs";

/**
 * @param {Awaited<ReturnType<typeof startSluice>>} child
 * @returns {import('./peer.mjs').Peer}
 */
export function sluiceOverTcp(child) {
  const carrier = async (/** @type {number | undefined} */ readBytes) => ({
    wire: await new Wire(child.tcpPort, readBytes).open(),
    wrap: (/** @type {Buffer} */ frames) => frames,
    unwrap: (/** @type {import('../driver/wire.mjs').Consumer} */ inner) => inner,
  });
  return {
    ...child,
    name: "sluice",
    filters: true,
    openSink: async (channels, wants) => openSession(await carrier(wants.readBytes), "sink", channels, wants),
    openSource: async (channels) => openPublisher(await carrier(undefined), channels),
  };
}

/** @returns {Promise<import('./peer.mjs').Peer>} */
export const startSluiceOverTcp = async () => sluiceOverTcp(await startSluice());
