// HTTP requests over keep-alive connections, one under way on each: what a server answers per second, and what it costs.
import { setTimeout as sleep } from "node:timers/promises";
import { cpuSeconds, memoryOf, resetPeak } from "./process.mjs";
import { Wire } from "./wire.mjs";

const HEAD_END = Buffer.from("\r\n\r\n");
const OK = "HTTP/1.1 200";

/** Tells answers apart by their Content-Length, and checks the status of each. */
class AnswerStepper {
  /** Answers that are complete. */
  count = 0;
  /** @type {Buffer} */
  #kept = Buffer.alloc(0);
  #onAnswer;

  /** @param {() => void} onAnswer */
  constructor(onAnswer) {
    this.#onAnswer = onAnswer;
  }

  /** @param {Buffer} buffer @param {number} from @param {number} to */
  consume(buffer, from, to) {
    let bytes = buffer.subarray(from, to);
    if (this.#kept.length > 0) bytes = Buffer.concat([this.#kept, bytes]);
    for (;;) {
      const head = bytes.indexOf(HEAD_END);
      if (head < 0) break;
      const text = bytes.toString("latin1", 0, head);
      const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1];
      if (!text.startsWith(OK) || length === undefined) throw new Error(`The server answers ${text}`);
      const end = head + HEAD_END.length + Number(length);
      if (bytes.length < end) break;
      this.count++;
      bytes = bytes.subarray(end);
      this.#onAnswer();
    }
    this.#kept = bytes.length === 0 ? bytes : Buffer.from(bytes);
  }
}

/**
 * Measures one server.
 *
 * @param {import('../peers/peer.mjs').Peer} peer One that has `request`.
 * @param {{ payloadBytes: number, connections: number, seconds: number, warmSeconds?: number }} load
 * @returns {Promise<object>} `requestsPerSecond` and `cpuPerMillion` requests, besides what every cell tells.
 * @throws {Error} When an answer is not 200, or a connection fails.
 */
export async function measureRequests(peer, { payloadBytes, connections, seconds, warmSeconds = 1 }) {
  if (peer.request === undefined) throw new Error(`${peer.name} takes no HTTP requests`);
  const request = peer.request(Buffer.alloc(payloadBytes, "x"));
  resetPeak(peer.pid);
  let stopped = false;
  let sent = 0;
  const wires = await Promise.all(Array.from({ length: connections }, () => new Wire(peer.port, 65_536).open()));
  const steppers = wires.map((wire) => {
    const send = () => {
      if (stopped) return;
      sent++;
      wire.socket.write(request);
    };
    const stepper = new AnswerStepper(send);
    wire.stream(stepper);
    send();
    return stepper;
  });
  const answered = () => steppers.reduce((sum, { count }) => sum + count, 0);
  const look = () => ({
    at: performance.now(),
    cpu: cpuSeconds(peer.pid),
    events: answered(),
    driver: process.cpuUsage(),
  });
  try {
    await sleep(warmSeconds * 1000);
    const before = look();
    await sleep(seconds * 1000);
    const after = look();
    stopped = true;
    const deadline = performance.now() + 5_000;
    while (answered() < sent && performance.now() < deadline && !wires.some(({ failure }) => failure)) await sleep(2);
    const failure = wires.find((wire) => wire.failure)?.failure;
    if (failure) throw failure;
    const events = after.events - before.events;
    const wallSeconds = (after.at - before.at) / 1000;
    const perMillion = (/** @type {'user' | 'system' | 'total'} */ part) =>
      ((after.cpu[part] - before.cpu[part]) / events) * 1e6;
    const driver = after.driver.user + after.driver.system - before.driver.user - before.driver.system;
    return {
      events,
      requestsPerSecond: events / wallSeconds,
      cpuPerMillion: perMillion("total"),
      cpuUserPerMillion: perMillion("user"),
      cpuSystemPerMillion: perMillion("system"),
      peakBytes: memoryOf(peer.pid).peakBytes,
      lost: sent - answered(),
      driverShare: driver / 1e6 / wallSeconds,
      wireInBytes: request.length,
    };
  } finally {
    for (const wire of wires) wire.close();
    await sleep(30);
  }
}

/**
 * One request as curl and fetch send it: the fields that every client has.
 *
 * @param {number} port @param {string} path @param {string} body JSON.
 * @returns {Buffer}
 */
export function postRequest(port, path, body) {
  const lines = [
    `POST ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    "User-Agent: bench",
    "Accept: */*",
    "Content-Type: application/json",
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`);
}
