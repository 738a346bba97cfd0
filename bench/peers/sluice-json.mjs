// Sluice over WebSocket with JSON text, subprotocol `sluice.v1.json`. One publish is one message.
import { maskedMessage, OPCODE_TEXT, upgrade, WebSocketStepper } from "../driver/websocket.mjs";
import { Wire } from "../driver/wire.mjs";
import { startSluice } from "./sluice-process.mjs";

const NUMBER = '"number":';
const text = (/** @type {unknown} */ frame) => maskedMessage(OPCODE_TEXT, Buffer.from(JSON.stringify(frame)));

/** Counts deliveries by their `number`, which is dense from 1: the last one in a message tells how many there were. */
class JsonStepper {
  count = 0;
  dropped = 0;
  /** Called for each `joined`. */
  joined = () => {};
  /** @type {Buffer[]} */ #parts = [];

  /** @param {Buffer} buffer @param {number} from @param {number} to */
  part(buffer, from, to) {
    this.#parts.push(Buffer.from(buffer.subarray(from, to)));
  }

  end() {
    const message = this.#parts.length === 1 ? /** @type {Buffer} */ (this.#parts[0]) : Buffer.concat(this.#parts);
    this.#parts = [];
    const first = numberAt(message, message.indexOf(NUMBER));
    if (Number.isNaN(first)) {
      this.#other(JSON.parse(message.toString()));
      return;
    }
    if (first !== this.count + 1) throw new Error(`Delivery ${first} follows ${this.count}`);
    this.count = numberAt(message, message.lastIndexOf(NUMBER));
  }

  /** @param {{ problem?: { code: string, detail?: string }, dropped?: { count: number }, joined?: object }} frame */
  #other({ problem, dropped, joined }) {
    if (problem) throw new Error(`Problem ${problem.code}: ${problem.detail ?? ""}`);
    if (dropped) this.dropped += dropped.count;
    if (joined) this.joined();
  }
}

/** @param {Buffer} message @param {number} at Of NUMBER, or negative. */
const numberAt = (message, at) =>
  at < 0 ? Number.NaN : Number.parseInt(message.toString("latin1", at + NUMBER.length, at + NUMBER.length + 16), 10);

/**
 * @param {Awaited<ReturnType<typeof startSluice>>} child
 * @returns {import('./peer.mjs').Peer}
 */
export function sluiceOverJson(child) {
  const open = async (
    /** @type {readonly string[]} */ channels,
    /** @type {string} */ role,
    /** @type {readonly string[]} */ types = [],
  ) => {
    const wire = await new Wire(child.port).open();
    await upgrade(wire, "/v1/socket", "sluice.v1.json");
    const stepper = new JsonStepper();
    const consumer = new WebSocketStepper(wire, {
      part: (buffer, from, to) => stepper.part(buffer, from, to),
      end: () => stepper.end(),
    });
    const joined = new Promise((resolve, reject) => {
      let left = channels.length;
      stepper.joined = () => --left === 0 && resolve(undefined);
      wire.onProgress = () => wire.failure && reject(wire.failure);
    });
    wire.stream(consumer);
    wire.socket.write(
      Buffer.concat(channels.map((channel, index) => text({ ref: index + 1, join: { channel, role, types } }))),
    );
    await joined;
    wire.onProgress = null;
    return { wire, consumer, count: () => stepper.count, dropped: () => stepper.dropped };
  };
  return {
    ...child,
    name: "sluice-json",
    openSink: (channels, { types }) => open(channels, "sink", types),
    async openSource(channels) {
      const { wire } = await open(channels, "source");
      return { wire, encode: (events, perFrame) => Buffer.concat(messagesOf(events, perFrame)) };
    },
  };
}

/** @param {readonly import('./peer.mjs').BenchEvent[]} events @param {number} perFrame */
function messagesOf(events, perFrame) {
  const messages = [];
  for (let i = 0; i < events.length; i += perFrame) {
    const group = events.slice(i, i + perFrame);
    const time = new Date().toISOString();
    const publish = {
      channel: group[0]?.channel,
      // A text payload, as a JSON client has it: quoted, and passed through as it is.
      events: group.map(({ payload, type, key, ttlMs }) => ({
        type: type ?? "t",
        time,
        key,
        ttlMs,
        data: payload.toString("latin1"),
      })),
    };
    messages.push(text({ publish }));
  }
  return messages;
}

/** @returns {Promise<import('./peer.mjs').Peer>} */
export const startSluiceOverJson = async () => sluiceOverJson(await startSluice());
