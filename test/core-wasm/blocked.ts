/** A world in which one sink holds up its channel, for the tests of outboxes. */
import * as abi from "../../core-wasm/abi.ts";
import type { TestConnection } from "./connection.ts";
import { Harness } from "./harness.ts";

/** More than any of these inboxes holds. */
export const BYTES_MAX = 16 * 1024 * 1024;
/** Capacity of the blocking inbox. */
export const INBOX_EVENTS = 16;

/** A source, a sink whose inbox blocks, and one whose inbox does not. */
export function blocked(options: Parameters<Harness["channel"]>[1] = {}) {
  const harness = Harness.create({ poolBytes: 64 * 1024 * 1024 });
  const channel = harness.channel("c", options);
  const [source, slow, live] = [harness.open(abi.CONNECTION_STREAM, "/blocked"), harness.open(), harness.open()];
  harness.source(source, channel);
  for (const sink of [slow, live]) harness.sink(sink, channel);
  slow.inbox(INBOX_EVENTS, BYTES_MAX, abi.OVERFLOW_BLOCK);
  return { harness, channel, source, slow, live };
}

/** Events with ids that count from `first`. */
export const events = (count: number, first = 0) =>
  Array.from({ length: count }, (_, index) => ({ id: `${first + index}`, type: "t" }));
/** Drains and gives the ids. */
export const ids = (connection: TestConnection) => connection.drain().deliveries.map(({ event }) => event.id);
/** Ids as events() gives them. */
export const range = (count: number, first = 0) => events(count, first).map(({ id }) => id);

/** Drains both in turns until nothing comes; gives what each got. */
export function settle(...sinks: readonly TestConnection[]): string[][] {
  const got = sinks.map((): string[] => []);
  for (let quiet = 0; quiet < 2; ) {
    const parts = sinks.map((sink) => ids(sink));
    parts.forEach((part, index) => {
      got[index]?.push(...part);
    });
    quiet = parts.every((part) => part.length === 0) ? quiet + 1 : 0;
  }
  return got;
}
