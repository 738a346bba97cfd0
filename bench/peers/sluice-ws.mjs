// Sluice over WebSocket with binary frames, subprotocol `sluice.v1.proto`. One publish is one message.
import { maskedMessage, OPCODE_BINARY, upgrade, WebSocketStepper } from "../driver/websocket.mjs";
import { Wire } from "../driver/wire.mjs";
import { startSluice } from "./sluice-process.mjs";
import { openPublisher, openSession } from "./sluice-session.mjs";

/**
 * @param {Awaited<ReturnType<typeof startSluice>>} child
 * @returns {import('./peer.mjs').Peer}
 */
export function sluiceOverWebSocket(child) {
  const carrier = async () => {
    const wire = await new Wire(child.port).open();
    await upgrade(wire, "/v1/socket", "sluice.v1.proto");
    return {
      wire,
      wrap: (/** @type {Buffer} */ frames) => maskedMessage(OPCODE_BINARY, frames),
      unwrap: (/** @type {import('../driver/wire.mjs').Consumer} */ inner) =>
        new WebSocketStepper(wire, { part: (buffer, from, to) => inner.consume(buffer, from, to) }),
    };
  };
  return {
    ...child,
    name: "sluice-ws",
    openSink: async (channels, wants) => openSession(await carrier(), "sink", channels, wants),
    openSource: async (channels) => openPublisher(await carrier(), channels),
  };
}

/** @returns {Promise<import('./peer.mjs').Peer>} */
export const startSluiceOverWebSocket = async () => sluiceOverWebSocket(await startSluice());
