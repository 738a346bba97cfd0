/**
 * Goal: no byte of an event is ever wrong, whatever sockets do: slots are reused while slow peers still send from them.
 * Method: several sources, sinks of all carriers that stop and go at random (seeded), every byte checked.
 */
import { describe, expect, test } from "vitest";
import { encodeFrame } from "../../core-wasm/frames.ts";
import { sizeDelimited } from "../../core-wasm/wire.ts";
import { type Carrier, connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";
import { turn } from "../support/until.ts";

const SINKS: readonly Carrier[] = ["tcp", "tcp", "ws-proto", "ws-json"];
const SOURCES = 3;
const ROUNDS = 60;
const EVENTS = 40;

/** Numbers from a seed (mulberry32), so that a failure can be repeated. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Text of an event: who, which, and a filler that depends on both. */
function textOf(source: number, index: number, length: number): string {
  return `${source}:${index}:${String.fromCharCode(97 + ((source * 7 + index) % 26)).repeat(length)}`;
}

describe("events under load with sinks that stop and go", () => {
  test.each([
    { seed: 11, onread: true },
    { seed: 12, onread: false },
  ])(
    "arrive complete, unchanged and in order; seed $seed, onread $onread",
    async ({ seed, onread }) => {
      const random = randomFrom(seed);
      const host = await startHost({ onread, memoryBytes: 256 * 2 ** 20 });
      const sinks = await Promise.all(SINKS.map((carrier) => connectTo(host, carrier)));
      for (const sink of sinks) {
        sink.send({ ref: 1, inbox: { capacityBytes: 64 * 2 ** 20 } });
        await sink.take("receipt", 1);
        await sink.join("c");
      }
      const sources = await Promise.all(Array.from({ length: SOURCES }, () => connectTo(host, "tcp")));
      const lengths = new Map<string, number>();
      for (let round = 0; round < ROUNDS; round++) {
        for (const [source, client] of sources.entries()) {
          const events = Array.from({ length: EVENTS }, (_, index) => {
            const length = Math.floor(random() * random() * 12_000);
            const number = round * EVENTS + index;
            lengths.set(`${source}:${number}`, length);
            return {
              type: "t",
              dataContentType: "text/plain",
              data: new TextEncoder().encode(textOf(source, number, length)),
            };
          });
          const frame = sizeDelimited(encodeFrame({ kind: { case: "publish", value: { channel: "c", events } } }));
          // Cut anywhere, so that frames are gathered from pieces as well.
          const cut = Math.floor(random() * frame.length);
          client.sendRaw(frame.subarray(0, cut));
          if (random() < 0.3) await turn();
          client.sendRaw(frame.subarray(cut));
        }
        // Two stop for long, until the buffers of the system are full and writes are held; the others now and then.
        for (const [index, sink] of sinks.entries()) {
          if (index % 2 === 0 ? round === 2 + index : random() < 0.3) sink.pause();
          else if (index % 2 === 0 ? round === ROUNDS - 4 : random() < 0.4) sink.resume();
        }
        await turn();
      }
      for (const sink of sinks) sink.resume();
      const total = SOURCES * ROUNDS * EVENTS;
      for (const sink of sinks) {
        const events = await sink.received(total);
        const next = new Array<number>(SOURCES).fill(0);
        for (const event of events) {
          const text = event.data.startsWith('"') ? JSON.parse(event.data) : event.data;
          const [source = -1, number = -1] = text.split(":", 2).map(Number);
          expect(number).toBe(next[source]);
          next[source] = number + 1;
          const want = textOf(source, number, lengths.get(`${source}:${number}`) ?? -1);
          if (text !== want) expect(text).toBe(want);
        }
        expect(next).toEqual(new Array(SOURCES).fill(ROUNDS * EVENTS));
        expect(sink.told.filter(({ kind }) => kind === "dropped")).toEqual([]);
      }
      expect(host.service.slots.held).toBe(0);
      expect(host.service.counters.writesHeld).toBeGreaterThan(0);
      expect(host.service.epoch).toBe(1);
    },
    60_000,
  );
});
