// Sluice with sinks over server-sent events. Publishers speak JSON over WebSocket, as a page that publishes would.
import { Wire } from "../driver/wire.mjs";
import { sluiceOverJson } from "./sluice-json.mjs";
import { startSluice } from "./sluice-process.mjs";

/** Begins the data of an event; no line within one can begin so, since an event is one line. */
const DATA = "\ndata: ";
const NAMED = "event: ";

/** Counts events by their data lines. What has a name is no event: nothing may be dropped here, so that is a failure. */
class EventStepper {
  count = 0;
  /** What could be the beginning of a mark that the next chunk ends: less than a whole one. */
  #tail = Buffer.alloc(0);

  /** @param {Buffer} buffer @param {number} from @param {number} to @throws {Error} At a named event. */
  consume(buffer, from, to) {
    const chunk =
      this.#tail.length === 0 ? buffer.subarray(from, to) : Buffer.concat([this.#tail, buffer.subarray(from, to)]);
    for (let at = chunk.indexOf(DATA); at >= 0; at = chunk.indexOf(DATA, at + DATA.length)) this.count++;
    const named = chunk.indexOf(NAMED);
    if (named >= 0) throw new Error(chunk.toString("utf8", named, named + 200));
    this.#tail = Buffer.from(chunk.subarray(Math.max(0, chunk.length - NAMED.length + 1)));
  }
}

/**
 * @param {Awaited<ReturnType<typeof startSluice>>} child
 * @returns {import('./peer.mjs').Peer}
 */
export function sluiceOverEventStream(child) {
  return {
    ...sluiceOverJson(child),
    name: "sluice-sse",
    async openSink([channel = "", ...more]) {
      if (more.length > 0) throw new Error("A stream is of one channel");
      const wire = await new Wire(child.port).open();
      wire.socket.write(
        `GET /v1/channels/${channel}/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n`,
      );
      const answer = (await wire.answerText("\r\n\r\n")).toString("latin1");
      if (!answer.startsWith("HTTP/1.1 200")) throw new Error(`No stream: ${answer.split("\r\n")[0]}`);
      const consumer = new EventStepper();
      wire.stream(consumer);
      return { wire, consumer, count: () => consumer.count, dropped: () => 0 };
    },
  };
}

/** @returns {Promise<import('./peer.mjs').Peer>} */
export const startSluiceOverEventStream = async () => sluiceOverEventStream(await startSluice());
