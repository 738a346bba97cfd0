/**
 * Goal: no module that a stranger uploads hurts the clients of a host, on any runtime. Method: every hostile module is uploaded over HTTP;
 * what is refused says why; what is taken is bound to a channel and given events. Beside it a pair on a channel of its own talks on.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ConformanceHost, startOn } from "../../conformance/process.ts";
import { missing, targets } from "../../conformance/targets.ts";
import { binaryOf, moduleText } from "../../host/filter/module/kit.ts";
import { connectTo } from "../../host/support/client.ts";
import { type Attack, CALLS_ASLEEP } from "./attack.ts";
import { containments } from "./contained.ts";
import { deviousModules, successor } from "./devious.ts";
import { operatorOf, STATUS_OK } from "./operator.ts";
import { refusals } from "./refused.ts";

const CHANNEL = "attacked";
/** What is larger is refused by the same scan as anywhere: modules.test.ts has it. */
const UPLOAD_BYTES_MAX = 65_536;
/** Made once for all runtimes. */
const uploads = refusals
  .map((one) => ({ ...one, content: one.bytes() }))
  .filter(({ content }) => content.length <= UPLOAD_BYTES_MAX);
/** Of those that lie, too. */
const liars = deviousModules.map((one) => ({ ...one, content: Uint8Array.from(binaryOf(one.text)) }));
const next = Uint8Array.from(binaryOf(successor));
/** Modules of a host. */
const INSTANCES_MAX = 1_000;
/** Until a sleeper wakes, and some more. */
const EVENTS = CALLS_ASLEEP + 4;
/** As docs/operating.md says for Bun: otherwise each instance waits until all garbage is collected. */
const MANY_MEMORIES = { BUN_JSC_maxNumWasmFastMemories: "2000" };
/** A host takes uploads one after another, each in a worker; Bun takes longest. */
const TIMEOUT_MS = 60_000;

describe.each([targets.node, targets.deno, targets.bun])("a host on $name", (target) => {
  const absent = missing(target);
  let host: ConformanceHost;

  beforeAll(async () => {
    if (absent !== undefined) return;
    // Uploads come from one address, and faster than strangers may ask.
    host = await startOn(target, ["--client-requests", "0"], [], MANY_MEMORIES);
  });
  afterAll(async () => {
    await host?.stop();
  });

  /** A source and a sink that have nothing to do with it; what proves that they work. */
  const neighbours = async (): Promise<() => Promise<void>> => {
    const [source, sink] = [await connectTo(host, "tcp"), await connectTo(host, "ws-json")];
    await sink.join("neighbours");
    let said = 0;
    return async () => {
      said++;
      expect(await source.publish("neighbours", { type: `said ${said}` })).toMatchObject([{ sinks: 1 }]);
      const heard = await sink.received(said);
      expect([heard.length, heard.at(-1)?.type]).toEqual([said, `said ${said}`]);
    };
  };
  const { upload, json } = operatorOf(() => host.url);
  /** Of all modules of a kind, what came of each that should not have. */
  const offences = async <One extends Pick<Attack, "name">>(
    attacks: readonly One[],
    attack: (one: One) => Promise<string | undefined>,
  ): Promise<string[]> => {
    const found: string[] = [];
    const talk = await neighbours();
    for (const one of attacks) {
      const offence = await attack(one);
      if (offence !== undefined) found.push(`${one.name}: ${offence}`);
      await talk();
    }
    return found;
  };

  test("refuses modules with all reasons", { timeout: TIMEOUT_MS }, async (context) => {
    if (absent !== undefined) context.skip(absent);
    const found = await offences(uploads, async ({ content, reasons = [] }) => {
      const { status, body } = await upload(content);
      const isSaid = reasons.every((reason) => body.reasons?.some((one) => reason.test(one)));
      return status === 422 && isSaid ? undefined : `${status} ${JSON.stringify(body)}`;
    });
    expect(found).toEqual([]);
  });

  test("contains modules that it takes", { timeout: TIMEOUT_MS }, async (context) => {
    if (absent !== undefined) context.skip(absent);
    const [source, victim] = [await connectTo(host, "tcp"), await connectTo(host, "ws-json")];
    await victim.join(CHANNEL);
    let taken = 0;
    const found = await offences(containments, async ({ bytes, sleeper = bytes }) => {
      const { status, body } = await upload(sleeper());
      // A module that does its worst at once is found out by the dry run.
      if (status === 422) return body.reasons?.length === 0 ? "no reasons" : undefined;
      if (!STATUS_OK.includes(status)) return `${status} ${JSON.stringify(body)}`;
      taken++;
      const bound = await json("PUT", `/v1/channels/${CHANNEL}/filters/in`, { module: "hostile" });
      if (!STATUS_OK.includes(bound.status)) return `cannot be bound: ${bound.status} ${await bound.text()}`;
      for (let i = 0; i < EVENTS; i++) await source.publish(CHANNEL, { type: "t" });
      await json("DELETE", `/v1/channels/${CHANNEL}/filters/in`);
      return undefined;
    });
    expect(found).toEqual([]);
    // Those that start by themselves or bring data beyond memory are not.
    expect(taken).toBeGreaterThan(containments.length / 2);
    expect((await fetch(`${host.url}/health/live`)).status).toBe(200);
  });

  test("loses no event to modules that lie", { timeout: TIMEOUT_MS }, async (context) => {
    if (absent !== undefined) context.skip(absent);
    const channel = "lied-to";
    const [source, victim] = [await connectTo(host, "tcp"), await connectTo(host, "ws-json")];
    await victim.join(channel);
    const batch = Array.from({ length: 64 }, () => ({ type: "t" }));
    let due = 0;
    const found = await offences(liars, async ({ content, cause }) => {
      const uploaded = await upload(content, "liar");
      if (uploaded.status !== 201) return `${uploaded.status} ${JSON.stringify(uploaded.body)}`;
      const bound = await json("PUT", `/v1/channels/${channel}/filters/out`, { module: "liar" });
      if (!STATUS_OK.includes(bound.status)) return `cannot be bound: ${bound.status} ${await bound.text()}`;
      await source.publish(channel, { type: "t" });
      await source.publish(channel, ...batch);
      // What it says of its state is heard when another takes over.
      await upload(next, "liar");
      await source.publish(channel, { type: "last" });
      due += batch.length + 2;
      const heard = await victim.received(due);
      const { counters } = await (await json("GET", "/v1/filters/liar")).json();
      for (const path of [`/v1/channels/${channel}/filters/out`, "/v1/filters/liar"]) await json("DELETE", path);
      if (heard.length !== due || heard.at(-1)?.type !== "last") return `${heard.length} events were told of ${due}`;
      const causes = Object.keys(counters.faults).filter((one) => counters.faults[one] > 0);
      // That a successor cannot bear its state is a trap of that one.
      return cause === undefined || causes.some((one) => one === cause || (cause === "stack" && one === "fuel"))
        ? undefined
        : `failed by ${causes} and not by ${cause}`;
    });
    expect(found).toEqual([]);
  });

  test("keeps what is bound where a module does not start with a configuration", async (context) => {
    if (absent !== undefined) context.skip(absent);
    const out = "/v1/channels/started/filters/out";
    // Longer than {}: it does not take it.
    const picky = (what: string): string =>
      moduleText({
        more: `(func (export "sluice_init") (param i32 i32) (result i32)
          (if (i32.gt_u (local.get 1) (i32.const 2)) (then ${what})) (i32.const 0))`,
      });
    await json("PUT", "/v1/channels/started", {});
    for (const what of ["unreachable", "(loop $forever (br $forever))", "(return (i32.const 3))"]) {
      await upload(Uint8Array.from(binaryOf(picky(what))), "picky");
      expect(STATUS_OK).toContain((await json("PUT", out, { module: "picky" })).status);
      const refused = await json("PUT", out, { module: "picky", config: { a: 1 } });
      expect(await refused.json()).toMatchObject({ status: 422, code: "invalid_value" });
      expect(await (await json("GET", out)).json()).not.toHaveProperty("config");
    }
  });

  test("has room for a thousand modules that do nothing", { timeout: TIMEOUT_MS }, async (context) => {
    if (absent !== undefined) context.skip(absent);
    const talk = await neighbours();
    await upload(Uint8Array.from(binaryOf(moduleText())), "idle");
    const bind = (index: number): Promise<Response> =>
      json("PUT", `/v1/channels/idle.${index}`, { filters: { out: { module: "idle" } } });
    let bound = 0;
    for (; bound <= INSTANCES_MAX; bound += 50) {
      const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => bind(bound + index)));
      const refused = answers.find(({ status }) => status !== 201);
      if (refused === undefined) continue;
      expect(await refused.json()).toMatchObject({ status: 422, code: "limit_reached", limit: INSTANCES_MAX });
      break;
    }
    expect(bound).toBeLessThanOrEqual(INSTANCES_MAX);
    expect(await host.metric("sluice_module_live")).toBe(0);
    await talk();
  });
});
