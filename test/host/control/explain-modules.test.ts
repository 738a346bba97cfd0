/** `POST …/explain` of a channel with filter modules: what they would say, without their noticing. */
import { describe, expect, test } from "vitest";
import { binaryOf, counterText, LOOP, moduleText, only, TRAP, talkingText } from "../filter/module/kit.ts";
import { memoryRegistry } from "../filter/module/registry.ts";
import { TestCarrier } from "../support/carrier.ts";
import { createTestControl } from "./support.ts";

const path = "/v1/channels/c";

interface Entry {
  readonly verdict: string;
  readonly stage: string | null;
  readonly reason: string | null;
  readonly module?: Readonly<Record<string, unknown>>;
}

interface Told {
  readonly data: Entry[];
  readonly sinks: number;
  readonly modules: Readonly<Record<string, unknown>>[];
}

/** A channel with modules by name, filters, and so many polled inboxes. */
async function withModules(texts: Readonly<Record<string, string>>, definition: object, sinks = 3) {
  const filters = memoryRegistry({ sinkAttrs: ["load"] });
  for (const [name, text] of Object.entries(texts)) await filters.put(name, binaryOf(text));
  const control = createTestControl({}, {}, { filters });
  const { ask, service } = control;
  expect((await ask("PUT", path, definition)).status).toBeLessThan(300);
  const inboxes: string[] = [];
  for (let sink = 0; sink < sinks; sink++) {
    const id = String((await ask("POST", "/v1/inboxes")).json["id"]);
    await ask("PUT", `/v1/inboxes/${id}/joins/c`, { attributes: { load: sink } });
    inboxes.push(id);
  }
  const explain = async (event: object = {}, query = ""): Promise<Told> => {
    const { json, status } = await ask("POST", `${path}/explain${query}`, { type: "t", ...event });
    expect(status).toBe(200);
    return json as unknown as Told;
  };
  const publish = async (event: object = {}): Promise<number> => {
    const { json } = await ask("POST", `${path}/events`, { type: "t", ...event });
    return (json["results"] as { sinks: number }[])[0]?.sinks as number;
  };
  /** Everything that is counted, kept or logged of modules. */
  const noted = () =>
    JSON.stringify([
      [...(service.modules?.totals.read() ?? [])],
      service.modules?.pool,
      Object.keys(texts).map((name) => filters.lines(name)),
      control.log,
    ]);
  return { ...control, filters, inboxes, explain, publish, noted };
}

const told = ({ verdict, stage, reason }: Entry) => [verdict, stage, reason];
const out = (module: string, more: object = {}) => ({ filters: { out: { module, ...more } } });

describe("modules in explain", () => {
  test("say whom they leave out, as they do when an event is published", async () => {
    const { explain, publish } = await withModules({ two: only(0b101) }, out("two"));
    const { data, sinks, modules } = await explain();
    expect(data.map(told)).toEqual([
      ["delivered", null, null],
      ["rejected", "out", "module"],
      ["delivered", null, null],
    ]);
    const named = { of: "channel", stage: "out", name: "two", version: 1 };
    expect(data.map(({ module }) => module)).toEqual([named, named, named]);
    expect(modules).toMatchObject([
      { ...named, decision: "some", candidates: 3, chosen: 2, failed: false, approximate: false, stateAgeMs: null },
    ]);
    expect(modules[0]?.["fuel"]).toBeGreaterThan(0);
    expect(modules[0]).not.toHaveProperty("fault");
    expect(await publish()).toBe(sinks);
  });

  test("are asked at OUT and at IN, those of the source first, each about what is left", async () => {
    const texts = { a: only(0b11110), b: only(0b11100), c: only(0b01100), d: only(0b00100) };
    const { explain, service, settle } = await withModules(
      texts,
      { filters: { out: { module: "b" }, in: { module: "d" } } },
      5,
    );
    const carrier = new TestCarrier(service);
    const filters = { out: { module: "a" }, in: { module: "c" } };
    carrier.send({ kind: { case: "join", value: { channel: "c", role: "source", filters } } });
    settle();
    const { data, modules } = await explain({}, "?as=m6");
    expect(data.map(({ verdict, module }) => [verdict, module?.["of"], module?.["stage"], module?.["name"]])).toEqual([
      ["rejected", "source", "out", "a"],
      ["rejected", "channel", "out", "b"],
      ["delivered", "channel", "out", "b"],
      ["rejected", "channel", "in", "d"],
      ["rejected", "source", "in", "c"],
    ]);
    expect(data.map(({ reason }) => reason)).toEqual(["module", "module", null, "module", "module"]);
    expect(modules.map(({ name, candidates, chosen }) => [name, candidates, chosen])).toEqual([
      ["a", 5, 4],
      ["b", 4, 3],
      ["c", 3, 2],
      ["d", 2, 1],
    ]);
    // What others submit passes the channel's alone.
    expect((await explain()).modules.map(({ name }) => name)).toEqual(["b", "d"]);
  });

  test("stand between routes, and IN is not asked about what OUT drops", async () => {
    const { explain, publish, ask } = await withModules(
      { none: moduleText({ word: "(i32.const 0)" }), two: only(0b011) },
      { filters: { out: { route: { where: "sink.load > 0" } }, in: { module: "two" } } },
    );
    const { data, sinks } = await explain();
    expect(data.map(told)).toEqual([
      ["rejected", "out", "route.where"],
      ["delivered", null, null],
      ["rejected", "in", "module"],
    ]);
    // Receipts tell whom OUT has selected, explain who gets it.
    expect([await publish(), sinks]).toEqual([2, 1]);
    await ask("PUT", `${path}/filters/out`, { module: "none" });
    const dropped = await explain();
    expect(dropped.data.map(told)).toEqual(Array(3).fill(["rejected", "out", "module"]));
    expect(dropped.modules).toMatchObject([{ name: "none", decision: "drop", chosen: 0 }]);
    expect(await publish()).toBe(0);
  });

  test("notice nothing: instance, counters, state, log and budget stay as they are", async () => {
    const { explain, publish, noted, filters, clock } = await withModules(
      { counter: counterText, talking: talkingText },
      { filters: { out: { module: "counter", config: { limit: 3 } }, in: { module: "talking" } } },
    );
    expect(await publish()).toBe(3);
    clock.advance(1_000);
    const before = noted();
    for (let turn = 0; turn < 20; turn++) {
      const { modules, sinks } = await explain();
      // It was saved behind the first event, so this is the second.
      expect(sinks).toBe(3);
      expect(modules[0]).toMatchObject({ name: "counter", decision: "all", approximate: true, stateAgeMs: 1_000 });
      expect(modules[1]).toMatchObject({
        log: [
          { level: "info", text: "hell" },
          { level: "warn", text: "hello" },
        ],
      });
    }
    expect(noted()).toBe(before);
    expect(filters.lines("talking")).toHaveLength(2);
    expect([await publish(), await publish(), await publish()]).toEqual([3, 3, 0]);
  });

  test.each([
    ["pass", "all", ["delivered", null, null], 3],
    ["drop", "drop", ["rejected", "out", "module.failed"], 0],
    ["divert", "divert", ["rejected", "out", "module.failed"], 0],
  ])("that fail are told with the cause, and %s decides", async (onError, decision, verdict, sinks) => {
    const delivery = { divertTo: "elsewhere" };
    const { explain, noted } = await withModules(
      { bad: moduleText({ word: TRAP }) },
      { delivery, ...out("bad", { onError }) },
    );
    const before = noted();
    // So many faults would have it let alone.
    for (let turn = 0; turn < 10; turn++) {
      const answer = await explain();
      expect(answer.data.map(told)).toEqual([verdict, verdict, verdict]);
      expect(answer.sinks).toBe(sinks);
      const fault = { cause: "trap", text: expect.stringMatching(/unreachable/i) };
      expect(answer.modules).toMatchObject([{ decision, failed: true, fault }]);
    }
    expect(noted()).toBe(before);
  });

  test("that loop end with their fuel, and asking has a budget of its own", async () => {
    const { explain, publish, clock } = await withModules({ loop: moduleText({ word: LOOP }) }, out("loop"));
    const { modules } = await explain();
    expect(modules).toMatchObject([{ failed: true, decision: "all", fault: { cause: "fuel" } }]);
    // 110,000 fuel each, of 200 million a second; the clock stands still.
    let last: Told = await explain();
    for (let turn = 0; turn < 3_000 && last.sinks > 0; turn++) last = await explain();
    expect(last.data.map(told)).toEqual(Array(3).fill(["unknown", "out", "module.unasked"]));
    expect(last.modules).toMatchObject([{ decision: null, failed: false, unasked: expect.stringMatching(/second/) }]);
    expect(await publish()).toBe(3);
    clock.advance(1_000);
    expect((await explain()).sinks).toBe(3);
  });

  test("that are let alone are so in a dry run, too", async () => {
    const { explain, publish } = await withModules(
      { bad: moduleText({ word: TRAP }) },
      out("bad", { onError: "drop" }),
    );
    for (let turn = 0; turn < 3; turn++) expect(await publish()).toBe(0);
    const { data, modules } = await explain();
    expect(data.map(told)).toEqual(Array(3).fill(["rejected", "out", "module.failed"]));
    expect(modules).toMatchObject([{ failed: true, fault: { cause: "resting" }, fuel: 0, log: [] }]);
  });

  test("cannot be asked where no instance has room", async () => {
    const { explain, service } = await withModules({ two: only(0b011) }, out("two"));
    const { pool } = service.modules as { pool: { instances: number } };
    pool.instances += 1_000;
    const { data, modules } = await explain();
    pool.instances -= 1_000;
    expect(data.map(told)).toEqual(Array(3).fill(["unknown", "out", "module.unasked"]));
    expect(modules).toMatchObject([{ unasked: expect.stringMatching(/1001 instances.*limit is 1000/) }]);
  });

  test("know the attributes that sinks have now, and hear of them again when they are at work", async () => {
    // To the sinks whose load is 7: column 0 of rows of 24 bytes, behind a head of 16.
    const at = "(i32.add (global.get $table) (i32.add (i32.const 32) (i32.mul (local.get $slot) (i32.const 24))))";
    const loaded = moduleText({
      arena: `(block (result i32)
        (if (i32.eq (local.get $kind) (i32.const 2)) (then (global.set $table (i32.const 98304))))
        (i32.mul (i32.add (local.get $kind) (i32.const 1)) (i32.const 32768)))`,
      word: `(block (result i32)
        (i32.store (i32.add (local.get $out) (i32.mul (local.get $n) (i32.const 4))) (call $bits))
        (i32.const 2))`,
      answer: "(i32.add (local.get $n) (i32.const 1))",
      more: `(global $table (mut i32) (i32.const 0))
        (func $bits (result i32) (local $slot i32) (local $bits i32)
          (loop $next
            (if (f64.eq (f64.load ${at}) (f64.const 7))
              (then (local.set $bits (i32.or (local.get $bits) (i32.shl (i32.const 1) (local.get $slot))))))
            (br_if $next (i32.lt_u (local.tee $slot (i32.add (local.get $slot) (i32.const 1))) (i32.const 3))))
          (local.get $bits))`,
    });
    const { explain, publish, ask, noted } = await withModules({ loaded }, out("loaded"));
    expect(await publish()).toBe(0);
    await ask("PATCH", `${path}/members/m2`, { attributes: { load: 7 } });
    const before = noted();
    for (let turn = 0; turn < 2; turn++)
      expect((await explain()).data.map(({ verdict }) => verdict)).toEqual(["rejected", "delivered", "rejected"]);
    expect(noted()).toBe(before);
    expect(await publish()).toBe(1);
    await ask("PATCH", `${path}/members/m2`, { attributes: { load: 0 } });
    expect(await publish()).toBe(0);
  });
});
