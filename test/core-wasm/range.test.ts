/** What is published in one go and taken by one sink after another goes to them together: nobody may notice. */
import fc from "fast-check";
import { expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import { propertyParameters, timeoutMs } from "../property/runs.ts";
import type { EventInit } from "./frames.ts";
import { Harness } from "./harness.ts";

const BYTES_MAX = 16 * 1024 * 1024;
const TYPES = ["a", "b", "c"];

const eventArbitrary = fc.record({
  type: fc.constantFrom(...TYPES),
  priority: fc.integer({ min: 0, max: 9 }),
  /** Those without are delivered as they came. */
  ttl: fc.boolean(),
  bytes: fc.constantFrom(0, 20, 200),
});
const sinkArbitrary = fc.record({
  /** None: everything. */
  types: fc.subarray(TYPES),
  ordered: fc.boolean(),
  capacity: fc.constantFrom(2, 1_000),
  /** It is never empty, so its order is kept. */
  behind: fc.boolean(),
});
type Init = Parameters<typeof eventOf>[1];

function eventOf(
  id: number,
  { type, priority, ttl, bytes }: { type: string; priority: number; ttl: boolean; bytes: number },
) {
  const complete = { source: "/s", timeUs: 1_700_000_000_000_000n };
  const event: EventInit = { id: `${id}`, type, priority, data: new Uint8Array(bytes) };
  return { ...event, ...(ttl ? { ttlMs: 60_000n } : complete) };
}

test(
  "each sink gets what it asks for in its order, whoever else gets it",
  () => {
    const harness = Harness.create();
    let runs = 0;
    fc.assert(
      fc.property(
        fc.array(sinkArbitrary, { minLength: 1, maxLength: 5 }),
        fc.array(fc.array(eventArbitrary, { minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 4 }),
        (wants, frames) => {
          const channel = harness.channel(`c${runs++}`);
          const source = harness.open();
          harness.source(source, channel);
          const sinks = wants.map(({ types, ordered, capacity, behind }) => {
            const sink = harness.open();
            harness.sink(sink, channel, types.length === 0 ? undefined : types);
            const ordering = ordered ? abi.ORDERING_PRIORITY : abi.ORDERING_FIFO;
            expect(sink.inbox(capacity, BYTES_MAX, abi.OVERFLOW_DROP_OLDEST, ordering)).toBe(abi.STATUS_OK);
            if (behind) sink.credit(1, BYTES_MAX);
            return sink;
          });
          let id = 0;
          const waiting = wants.map((): { id: number; init: Init }[] => []);
          for (const frame of frames) {
            const made = frame.map((init) => ({ id: id++, init }));
            source.publish(
              channel,
              made.map((one) => eventOf(one.id, one.init)),
            );
            for (const [index, { types, ordered, capacity, behind }] of wants.entries()) {
              const taken = made.filter(({ init }) => types.length === 0 || types.includes(init.type));
              const all = [...(waiting[index] ?? []), ...taken].slice(-capacity);
              const leaves = ordered ? [...all].sort((a, b) => b.init.priority - a.init.priority || a.id - b.id) : all;
              const got = leaves.slice(0, behind ? 1 : leaves.length);
              expect(sinks[index]?.events().map((event) => event.id)).toEqual(got.map((one) => `${one.id}`));
              if (behind) sinks[index]?.credit(got.length, BYTES_MAX);
              waiting[index] = all.filter((one) => !got.includes(one));
            }
          }
          harness.core.channelRemove(channel);
          for (const connection of [source, ...sinks]) connection.close();
        },
      ),
      propertyParameters(200),
    );
  },
  timeoutMs(20_000),
);

test("more sinks than are remembered get all of it", () => {
  const harness = Harness.create();
  const channel = harness.channel("c");
  const source = harness.open();
  harness.source(source, channel);
  const sinks = Array.from({ length: 300 }, () => harness.open());
  for (const sink of sinks) harness.sink(sink, channel, ["a"]);
  const ids = ["1", "2", "3"];
  source.publish(
    channel,
    ids.map((id) => ({ id, type: "a" })),
  );
  for (const sink of sinks) expect(sink.events().map(({ id }) => id)).toEqual(ids);
});
