/** A reader of server-sent events by hand, over node:http: it can stop reading, and break off. */
import { get, type IncomingMessage } from "node:http";
import { onTestFinished } from "vitest";
import { until } from "../host/support/until.ts";

/** One dispatched event. */
export interface SseEvent {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

/** A subscription. */
export interface SseReader {
  readonly response: IncomingMessage;
  readonly events: SseEvent[];
  /** Waits for so many events of the name "message". */
  messages(count: number): Promise<SseEvent[]>;
  /** Waits for the first event of a name. */
  named(name: string): Promise<SseEvent>;
  /** Whether the host ended the stream. */
  ended(): boolean;
  pause(): void;
  resume(): void;
  /** Breaks off. */
  abort(): void;
}

/** Subscribes, and waits for the head of the answer. */
export function subscribe(url: string, headers: Readonly<Record<string, string>> = {}): Promise<SseReader> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, headers: { accept: "text/event-stream", ...headers } }, (response) => {
      const events: SseEvent[] = [];
      let ended = false;
      let rest = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        const blocks = `${rest}${text}`.split("\n\n");
        rest = blocks.pop() ?? "";
        for (const block of blocks) {
          const event = eventFrom(block);
          if (event !== undefined) events.push(event);
        }
      });
      response.on("error", () => {});
      response.on("close", () => {
        ended = true;
      });
      const messages = (): SseEvent[] => events.filter(({ event }) => event === "message");
      resolve({
        response,
        events,
        async messages(count) {
          await until(
            () => messages().length >= count,
            () => `${count} server-sent events; there were ${messages().length}`,
          );
          return messages();
        },
        async named(name) {
          const find = (): SseEvent | undefined => events.find(({ event }) => event === name);
          await until(
            () => find() !== undefined,
            () => `event: ${name}; there were ${JSON.stringify(events)}`,
          );
          return find() as SseEvent;
        },
        ended: () => ended,
        pause: () => void response.pause(),
        resume: () => void response.resume(),
        abort: () => void request.destroy(),
      });
    });
    request.on("error", reject);
    onTestFinished(() => void request.destroy());
  });
}

/** A block of lines as an event; undefined where it is a comment or only a retry. */
function eventFrom(block: string): SseEvent | undefined {
  const fields = { event: "message", id: "", data: "" };
  let any = false;
  for (const line of block.split("\n")) {
    const [, name = "", value = ""] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
    if (name === "data") {
      any = true;
      fields.data += fields.data === "" ? value : `\n${value}`;
    } else if (name === "event" || name === "id") fields[name] = value;
  }
  return any ? fields : undefined;
}
