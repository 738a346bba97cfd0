// What idle things cost: memory per WebSocket session, per channel. Each on a fresh process, so that nothing is reused.
import http from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { startSluice } from "../peers/sluice-process.mjs";
import { HOST, memoryOf } from "./process.mjs";
import { maskedMessage, OPCODE_TEXT, upgrade } from "./websocket.mjs";
import { Wire } from "./wire.mjs";

/** Connections that are opened at the same time, and requests under way. */
const PARALLEL = 32;
const SETTLE_MS = 500;
/** Channels that are created first and not counted: they pay for code and for the collector's reserve. */
const WARM_CHANNELS = 10_000;
const READ_BYTES = 4096;

/**
 * Opens idle WebSocket sessions, each joined as a sink to one of 100 channels, and sees how the service grows.
 *
 * The first quarter is not counted: it pays for code and pools that the rest share.
 *
 * @param {number} sessions
 * @returns {Promise<{ sessions: number, bytesPerSession: number }>}
 */
export async function measureSessions(sessions) {
  const child = await startSluice();
  /** @type {Wire[]} */
  const wires = [];
  const open = async (/** @type {number} */ index) => {
    const wire = await new Wire(child.port, READ_BYTES).open();
    wires.push(wire);
    await upgrade(wire, "/v1/socket", "sluice.v1.json");
    wire.socket.write(
      maskedMessage(
        OPCODE_TEXT,
        Buffer.from(JSON.stringify({ ref: 1, join: { channel: `idle${index % 100}`, role: "sink" } })),
      ),
    );
    await wire.answerText('"joined"');
  };
  try {
    const warm = Math.ceil(sessions / 4);
    await inParallel(0, warm, open);
    await sleep(SETTLE_MS);
    const before = memoryOf(child.pid).bytes;
    await inParallel(warm, sessions, open);
    await sleep(SETTLE_MS);
    return { sessions, bytesPerSession: (memoryOf(child.pid).bytes - before) / (sessions - warm) };
  } finally {
    for (const wire of wires) wire.close();
    await child.end();
  }
}

/**
 * Creates channels over HTTP and sees how the service grows.
 *
 * @param {number} channels More than WARM_CHANNELS.
 * @returns {Promise<{ channels: number, bytesPerChannel: number, createdPerSecond: number }>}
 */
export async function measureChannels(channels) {
  const child = await startSluice();
  const agent = new http.Agent({ keepAlive: true, maxSockets: PARALLEL });
  const put = (/** @type {number} */ index) =>
    putChannel(agent, child.port, `channel-${String(index).padStart(6, "0")}`);
  try {
    await inParallel(0, WARM_CHANNELS, put);
    await sleep(SETTLE_MS);
    const before = { bytes: memoryOf(child.pid).bytes, at: performance.now() };
    await inParallel(WARM_CHANNELS, channels, put);
    const seconds = (performance.now() - before.at) / 1000;
    await sleep(SETTLE_MS);
    const bytesPerChannel = (memoryOf(child.pid).bytes - before.bytes) / (channels - WARM_CHANNELS);
    return { channels, bytesPerChannel, createdPerSecond: (channels - WARM_CHANNELS) / seconds };
  } finally {
    agent.destroy();
    await child.end();
  }
}

/** @param {number} from @param {number} to @param {(index: number) => Promise<unknown>} task */
async function inParallel(from, to, task) {
  let next = from;
  const worker = async () => {
    while (next < to) await task(next++);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
}

/**
 * Creates one channel with all defaults.
 *
 * @param {http.Agent} agent @param {number} port @param {string} name
 * @returns {Promise<void>}
 * @throws {Error} With the host's problem where it is refused.
 */
export function putChannel(agent, port, name) {
  return new Promise((resolve, reject) => {
    const options = {
      host: HOST,
      port,
      agent,
      method: "PUT",
      path: `/v1/channels/${name}`,
      headers: { "content-type": "application/json", "content-length": 2 },
    };
    const request = http.request(options, (response) => {
      let body = "";
      response.on("data", (text) => (body += text));
      response.on("end", () =>
        response.statusCode === 201
          ? resolve()
          : reject(new Error(`PUT ${name} answered ${response.statusCode}: ${body}`)),
      );
    });
    request.on("error", reject);
    request.end("{}");
  });
}
