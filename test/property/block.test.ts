/**
 * Goal: with inboxes of policy `block` whatever was accepted arrives, once, at every sink, in the order of its source,
 * and nothing is dropped. Method: random publishes, drains, holds and comings and goings of blocking sinks; the marks at
 * which an inbox stalls and releases are the core's own affair, so only what was promised is checked.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import type { TestConnection } from "../core-wasm/connection.ts";
import { Harness } from "../core-wasm/harness.ts";
import { propertyParameters, timeoutMs } from "./runs.ts";

const SOURCES = 3;
const SINKS = 4;

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("publish" as const),
      source: fc.nat({ max: SOURCES - 1 }),
      count: fc.integer({ min: 1, max: 30 }),
      bytes: fc.constantFrom(0, 50, 3000, 30_000),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("drain" as const),
      sink: fc.nat({ max: SINKS - 1 }),
      bytesMax: fc.constantFrom(200, 5000, abi.OUT_SLOT_BYTES),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("hold" as const), sink: fc.nat({ max: SINKS - 1 }), held: fc.boolean() }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("capacity" as const),
      sink: fc.nat({ max: SINKS - 2 }),
      events: fc.constantFrom(1, 3, 16, 200),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("bystander" as const), join: fc.boolean() }) },
);

test("accepted events arrive once, in order, at every sink; none is dropped", { timeout: timeoutMs(60_000) }, () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50, size: "max" }), fc.boolean(), (steps, decided) => {
      const harness = Harness.create({ poolBytes: 64 * 1024 * 1024 });
      const channel = harness.channel("c", { decided });
      const sources = Array.from({ length: SOURCES }, () => harness.open());
      for (const source of sources) harness.source(source, channel);
      // All but the last block; that one is large enough for everything, so that it never drops either.
      const sinks = Array.from({ length: SINKS }, (_, index) => {
        const sink = harness.open(index % 2 === 0 ? abi.CONNECTION_STREAM : abi.CONNECTION_WEBSOCKET);
        harness.sink(sink, channel);
        if (index < SINKS - 1) sink.inbox(5, 16 * 1024 * 1024, abi.OVERFLOW_BLOCK);
        return sink;
      });
      const got = sinks.map((): string[] => []);
      const take = (index: number, bytesMax: number): number => {
        const { deliveries } = (sinks[index] as TestConnection).drain(bytesMax);
        for (const { event } of deliveries) got[index]?.push(event.id);
        return deliveries.length;
      };
      const accepted = sources.map((): string[] => []);
      let next = 0;
      let bystander: TestConnection | undefined;
      for (const command of steps) {
        if (command.do === "publish") {
          const events = Array.from({ length: command.count }, () => ({
            id: `${command.source}-${next++}`,
            type: "t",
            data: new Uint8Array(command.bytes),
          }));
          const records = (sources[command.source] as TestConnection).receipt(channel, events);
          records.forEach(({ status }, index) => {
            expect([abi.STATUS_OK, abi.STATUS_NO_CREDIT]).toContain(status);
            if (status === abi.STATUS_OK) accepted[command.source]?.push(events[index]?.id ?? "");
          });
        } else if (command.do === "drain") take(command.sink, command.bytesMax);
        else if (command.do === "hold") sinks[command.sink]?.hold(command.held);
        else if (command.do === "capacity")
          sinks[command.sink]?.inbox(command.events, 16 * 1024 * 1024, abi.OVERFLOW_BLOCK);
        else if (command.join && bystander === undefined) {
          bystander = harness.open();
          harness.sink(bystander, channel);
          bystander.inbox(2, 1_000_000, abi.OVERFLOW_BLOCK);
        } else if (!command.join) {
          bystander?.close();
          bystander = undefined;
        }
      }
      bystander?.close();
      for (const sink of sinks) sink.hold(false);
      for (let quiet = 0; quiet < 2; ) {
        const moved = sinks.reduce((sum, _, index) => sum + take(index, abi.OUT_SLOT_BYTES), 0);
        quiet = moved === 0 ? quiet + 1 : 0;
      }
      for (const list of got) {
        accepted.forEach((want, source) => {
          expect(list.filter((id) => id.startsWith(`${source}-`))).toEqual(want);
        });
        expect(list).toHaveLength(accepted.flat().length);
      }
      expect(harness.statistic(abi.STATISTIC_DROPPED_OVERFLOW)).toBe(0);
      expect(harness.core.channelSequence(channel)).toBe(accepted.flat().length);
    }),
    propertyParameters(60),
  );
});
