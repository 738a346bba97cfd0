/**
 * Goal: neither those who change a filter all the time nor a module that takes all it may get costs others an event. Method: on any
 * runtime, uploads, steps back and bindings race one another while events flow as fast as they are heard; and a module that uses
 * nearly all of its fuel in each call is given more events than its budget pays for, beside neighbours.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { instrument } from "../../../host/filter/meter/index.ts";
import { type ConformanceHost, startOn } from "../../conformance/process.ts";
import { missing, targets } from "../../conformance/targets.ts";
import { binaryOf, LARGE_ARENA, moduleText, only } from "../../host/filter/module/kit.ts";
import { type Client, connectTo } from "../../host/support/client.ts";
import { until } from "../../host/support/until.ts";
import { operatorOf, STATUS_OK } from "./operator.ts";

const SWAPS = 80;
const FRAME_EVENTS = 16;
/** Events that nobody has heard yet. */
const OUTSTANDING = 512;
const TIMEOUT_MS = 60_000;

/** Sends frames until it is stopped, as fast as they are heard. Returns how many events there were. */
async function pump(source: Client, channel: string, heard: () => number, isOver: () => boolean): Promise<number> {
  let sent = 0;
  while (!isOver()) {
    for (; sent - heard() < OUTSTANDING; sent += FRAME_EVENTS) {
      const events = Array.from({ length: FRAME_EVENTS }, (_, index) => ({ id: String(sent + index), type: "t" }));
      source.send({ publish: { channel, events } });
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  return sent;
}

/** Of a frame for the module that is awake for more events than a dry run has. */
const AWAKE_EVENTS = 4;
/** Turns of a loop: what one takes of fuel is found out by counting. */
const turning = (turns: number): string =>
  moduleText({
    answer: `(if (i32.ge_u (local.get $n) (i32.const ${AWAKE_EVENTS})) (then (call $turn))) (local.get $n)`,
    more: `(func $turn (local $left i32) (local.set $left (i32.const ${turns}))
      (loop $next (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1))))))`,
  });

/** Fuel that a call for a frame takes. */
function fuelOf(text: string): number {
  const FUEL = 2_000_000;
  const module = new WebAssembly.Module(instrument(binaryOf(text)).bytes as BufferSource);
  const exports = new WebAssembly.Instance(module).exports as Record<string, (...args: number[]) => number>;
  exports["$sluice_out"]?.(FUEL, 0, AWAKE_EVENTS, 1_024, 64);
  return FUEL - (exports["$sluice_fuel"]?.() ?? 0);
}

describe.each([targets.node, targets.deno, targets.bun])("a host on $name", (target) => {
  const absent = missing(target);
  let host: ConformanceHost;
  const { upload, json } = operatorOf(() => host.url);

  beforeAll(async () => {
    if (absent === undefined) host = await startOn(target, ["--client-requests", "0"]);
  });
  afterAll(async () => {
    await host?.stop();
  });

  test("tells each event once, by one revision, whoever switches meanwhile", {
    timeout: TIMEOUT_MS,
  }, async (context) => {
    if (absent !== undefined) context.skip(absent);
    const out = "/v1/channels/raced/filters/out";
    // Each revision has a sink of its own, in the order of joining.
    const [a, b] = [await connectTo(host, "tcp"), await connectTo(host, "tcp")];
    for (const sink of [a, b]) await sink.join("raced");
    const modules = [0b01, 0b10].map((bits) => Uint8Array.from(binaryOf(only(bits, "", LARGE_ARENA))));
    const digests: unknown[] = [];
    for (const module of modules) digests.push((await upload(module, "raced")).body.digest);
    expect((await json("PUT", "/v1/channels/raced", { filters: { out: { module: "raced" } } })).status).toBe(200);

    let over = false;
    const heard = (): number => a.events.length + b.events.length;
    const pumping = pump(await connectTo(host, "tcp"), "raced", heard, () => over);
    let swaps = 0;
    const again = async (ask: (turn: number) => Promise<{ status: number }>): Promise<void> => {
      for (let turn = 0; swaps < SWAPS; turn++) {
        swaps++;
        expect(STATUS_OK).toContain((await ask(turn)).status);
      }
    };
    await Promise.all([
      ...modules.map((module) => again(() => upload(module, "raced"))),
      again((turn) => json("POST", "/v1/filters/raced/rollback", { digest: digests[turn % 2] })),
      again((turn) =>
        json("PUT", out, turn % 4 === 3 ? { module: "raced" } : { module: "raced", digest: digests[turn % 2] }),
      ),
    ]);
    over = true;
    const sent = await pumping;
    await until(
      () => heard() >= sent,
      () => `${sent} events; there were ${heard()}`,
    );
    // Whatever is told twice is told by then.
    const last = await connectTo(host, "tcp");
    await last.publish("raced", { id: "last", type: "t" });
    await until(
      () => [...a.events, ...b.events].some(({ id }) => id === "last"),
      () => "the last event",
    );
    const told = [a, b].map(({ events }) => events.map(({ id }) => id).filter((id) => id !== "last"));
    expect(told.flat().length).toBe(sent);
    expect(new Set(told.flat()).size).toBe(sent);
    for (const ids of told) {
      expect(ids.length).toBeGreaterThan(0);
      expect(ids.every((id, index) => index === 0 || Number(ids[index - 1]) < Number(id))).toBe(true);
    }
    const { counters, versions } = await (await json("GET", "/v1/filters/raced")).json();
    expect({ versions, failed: counters.failed, skipped: counters.skipped }).toEqual({
      versions: 2,
      failed: 0,
      skipped: 0,
    });
    expect(Object.values(counters.faults).every((count) => count === 0)).toBe(true);
    expect(counters.switches).toBeGreaterThan(0);
  });

  test("gives a module that always takes 99 % its budget and no more", { timeout: TIMEOUT_MS }, async (context) => {
    if (absent !== undefined) context.skip(absent);
    const PER_SECOND = 200_000_000;
    const CALL_FUEL = 2_000_000;
    const BATCHES = 400;
    const turns = 10_000;
    const perTurn = fuelOf(turning(turns)) / turns;
    const text = turning(Math.floor((0.99 * CALL_FUEL) / perTurn));
    expect(fuelOf(text) / CALL_FUEL).toBeGreaterThan(0.985);
    expect(await upload(Uint8Array.from(binaryOf(text)), "greedy")).toMatchObject({ status: 201 });
    const out = "/v1/channels/greedy/filters/out";
    const [source, sink] = [await connectTo(host, "tcp"), await connectTo(host, "tcp")];
    await sink.join("greedy");
    const [friend, ear] = [await connectTo(host, "tcp"), await connectTo(host, "tcp")];
    await ear.join("beside");
    const startedAt = performance.now();
    expect((await json("PUT", out, { module: "greedy", fuel: CALL_FUEL })).status).toBe(201);
    const events = Array.from({ length: AWAKE_EVENTS }, () => ({ type: "t" }));
    for (let batch = 1; batch <= BATCHES; batch++) {
      source.send({ publish: { channel: "greedy", events } });
      friend.send({ publish: { channel: "beside", events } });
      // Each frame is a batch of its own.
      await sink.received(batch * AWAKE_EVENTS);
    }
    await ear.received(BATCHES * AWAKE_EVENTS);
    const { counters } = await (await json("GET", "/v1/filters/greedy")).json();
    const seconds = (performance.now() - startedAt) / 1_000;
    expect(counters).toMatchObject({ failed: 0, skipped: 0 });
    expect(counters.throttled).toBeGreaterThan(0);
    // What was saved up, what came since, and the call that went beyond.
    expect(counters.fuel).toBeLessThan(PER_SECOND * (1 + seconds) + CALL_FUEL);
    expect(counters.fuel / counters.calls).toBeGreaterThan(0.98 * CALL_FUEL);
  });
});
