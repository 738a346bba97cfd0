// What a broker must offer to be measured. One file per peer exports `start`: see nats.mjs for a short one.

/**
 * @typedef {import('../driver/sluice-frames.mjs').BenchEvent} BenchEvent
 * @typedef {import('../driver/wire.mjs').Wire} Wire
 */

/**
 * A subscriber that counts. Its counting begins when openSink() resolves.
 *
 * @typedef {object} Sink
 * @property {Wire} wire
 * @property {() => number} count Deliveries so far.
 * @property {() => number} dropped Deliveries that the broker said it dropped.
 * @property {(more: { events?: number, bytes?: number }) => void} [grant] Says how much more it takes, where the peer knows credit.
 * @property {import('../driver/wire.mjs').Consumer} consumer What takes the bytes, so that a reader of stamps may listen in.
 */

/**
 * A publisher.
 *
 * @typedef {object} Source
 * @property {Wire} wire
 * @property {(events: readonly BenchEvent[], perFrame: number) => Buffer} encode The bytes to write for these events, with
 *   at most `perFrame` of them in one frame where the protocol has such frames.
 */

/**
 * A running broker. openSink() and openSource() set the connection up and resolve when events may flow.
 *
 * @typedef {object} Peer
 * @property {string} name
 * @property {string} version
 * @property {number} pid
 * @property {number} port
 * @property {number} idleBytes Resident memory right after the start.
 * @property {boolean} [filters] Its sinks may have `where`; the others get everything.
 * @property {(channels: readonly string[], want: { payloadBytes: number, readBytes?: number } & import('../driver/sluice-frames.mjs').Wants) => Promise<Sink>} openSink
 *   All names have one length and all payloads one size; what is wanted counts only where the peer filters. `readBytes` is the size of the sink's read buffer, for
 *   those who open thousands.
 * @property {(channels: readonly string[]) => Promise<Source>} openSource
 * @property {(payload: Buffer) => Buffer} [request] An HTTP request that publishes one event with that payload.
 * @property {() => Promise<void>} end
 */

export {};
