/**
 * A client of server-sent events that shares nothing with the host: node:http below, the parser of WHATWG HTML §9.2.6 above.
 */
import { type IncomingMessage, request } from "node:http";
import { onTestFinished } from "vitest";
import { until } from "./until.ts";

/** What a client dispatches. */
export interface StreamEvent {
  /** "message" where the stream does not say. */
  readonly event: string;
  readonly data: string;
  /** The last event id at that moment. */
  readonly id: string;
}

/** What a client knows of a stream. */
export class EventStreamParser {
  readonly events: StreamEvent[] = [];
  readonly comments: string[] = [];
  id = "";
  retryMs: number | undefined = undefined;
  #rest = "";
  #data: string[] = [];
  #event = "";
  #nextId = "";

  /** Takes whole or broken lines. */
  push(text: string): void {
    const lines = (this.#rest + text).split(/\r\n|\n|\r/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#line(line);
  }

  #line(line: string): void {
    if (line === "") return this.#dispatch();
    const colon = line.indexOf(":");
    if (colon === 0) return void this.comments.push(line.slice(1));
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.#event = value;
    else if (field === "data") this.#data.push(value);
    else if (field === "id" && !value.includes("\0")) this.#nextId = value;
    else if (field === "retry" && /^\d+$/.test(value)) this.retryMs = Number(value);
  }

  #dispatch(): void {
    this.id = this.#nextId;
    if (this.#data.length > 0)
      this.events.push({ event: this.#event || "message", data: this.#data.join("\n"), id: this.id });
    this.#data = [];
    this.#event = "";
  }
}

/** An open stream. */
export interface OpenStream extends EventStreamParser {
  readonly response: IncomingMessage;
  /** Everything that came. */
  text(): string;
  /** Whether the host has ended it. */
  over(): boolean;
  /** Waits for that many events, named ones included. */
  received(count: number): Promise<StreamEvent[]>;
  /** Waits for the end. */
  ended(): Promise<void>;
  /** Goes away without a word. */
  leave(): void;
}

/**
 * Asks for a stream.
 *
 * @returns Once the header has come; an answer that is no stream is read in the same way.
 */
export async function openStream(url: string, headers: Record<string, string> = {}): Promise<OpenStream> {
  const parser = new EventStreamParser();
  let text = "";
  let over = false;
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const asked = request(url, { headers: { accept: "text/event-stream", ...headers }, agent: false }, resolve);
    asked.on("error", reject);
    asked.end();
    onTestFinished(() => void asked.destroy());
  });
  response.setEncoding("utf8");
  response.on("data", (chunk: string) => {
    text += chunk;
    parser.push(chunk);
  });
  response.on("error", () => {});
  response.on("close", () => {
    over = true;
  });
  return Object.assign(parser, {
    response,
    text: () => text,
    over: () => over,
    async received(count: number) {
      await until(
        () => parser.events.length >= count,
        () => `${count} events; there came ${text.slice(-2_000)}`,
      );
      return parser.events;
    },
    ended: () =>
      until(
        () => over,
        () => `the end of the stream; there came ${text.slice(-2_000)}`,
      ),
    leave: () => void response.destroy(),
  });
}
