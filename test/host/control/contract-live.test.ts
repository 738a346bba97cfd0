/** What contracts do to a host at work: modules with their state, inboxes, a core that is restarted, what waits for what. */
import { describe, expect, test } from "vitest";
import { binaryOf, counterText } from "../filter/module/kit.ts";
import { memoryRegistry } from "../filter/module/registry.ts";
import { createTestControl, type TestControl } from "./support.ts";

const path = "/v1/contracts/pace";
const regions = [{ name: "low", when: "heat < 10" }, { name: "high" }];

/** A host with a condition `heat`, a channel `jobs` and a contract with these transitions, at rest. */
async function prepared(transitions: object[], control: TestControl = createTestControl()): Promise<TestControl> {
  await control.ask("PUT", "/v1/conditions/heat", { kind: "value" });
  await control.ask("PUT", "/v1/channels/jobs", {});
  await put(control, "pace", { regions, transitions });
  control.settle();
  return control;
}

async function put({ ask }: TestControl, name: string, contract: object): Promise<void> {
  const { status, json } = await ask("PUT", `/v1/contracts/${name}`, contract);
  expect([status, json["code"]]).toEqual([status === 200 ? 200 : 201, undefined]);
}

/** Sets the heat, and lets the loop turn once. */
async function heat({ ask, turn }: TestControl, value: number): Promise<void> {
  await ask("PUT", "/v1/conditions/heat/value", { value });
  turn();
}

const show = async ({ ask }: TestControl, what: string) => (await ask("GET", `/v1/${what}`)).json;

describe("an uploaded module that a contract binds", () => {
  const bind = (limit: number, more: object = {}) => ({
    bind: { channel: "jobs", stage: "out", module: "counter", config: { limit }, ...more },
  });

  async function withCounter(): Promise<TestControl> {
    const filters = memoryRegistry();
    await filters.put("counter", binaryOf(counterText));
    const control = createTestControl({}, {}, { filters });
    await prepared(
      [
        { from: "*", to: "low", do: [bind(90)] },
        { from: "*", to: "high", do: [bind(4)] },
      ],
      control,
    );
    const { json } = await control.ask("POST", "/v1/inboxes", {});
    await control.ask("PUT", `/v1/inboxes/${json["id"]}/joins/jobs`, {});
    return control;
  }

  /** How many of so many events pass. */
  async function passing({ ask }: TestControl, events: number): Promise<number> {
    let passed = 0;
    for (let event = 0; event < events; event++) {
      const { json } = await ask("POST", "/v1/channels/jobs/events", { type: "t" });
      passed += (json["results"] as { sinks: number }[])[0]?.sinks ?? 0;
    }
    return passed;
  }

  test("goes on with the state of the one that it follows", async () => {
    const control = await withCounter();
    expect(await passing(control, 3)).toBe(3);
    await heat(control, 20);
    // Three are counted already: it is the fourth that may pass, and no other.
    expect(await passing(control, 5)).toBe(1);
    await heat(control, 0);
    expect(await passing(control, 2)).toBe(2);
    expect(await show(control, "contracts/pace")).toMatchObject({ failures: 0 });
  });

  test("is not removed while the contract names it, bound or not", async () => {
    const control = await withCounter();
    const { json } = await control.ask("GET", "/v1/filters/counter");
    for (const address of ["/v1/filters/counter", `/v1/filters/counter/versions/${json["digest"]}`]) {
      const refused = await control.ask("DELETE", address);
      expect([refused.status, refused.json]).toMatchObject([409, { code: "filter_in_use" }]);
      expect(JSON.stringify(refused.json)).toContain("pace");
    }
    await put(control, "pace", { regions, transitions: [{ from: "high", to: "low", do: [bind(7)] }] });
    control.settle();
    expect(await show(control, "channels/jobs")).toMatchObject({ filters: { out: null } });
    expect((await control.ask("DELETE", "/v1/filters/counter")).status).toBe(409);
    await control.ask("DELETE", path);
    expect((await control.ask("DELETE", "/v1/filters/counter")).status).toBe(204);
  });

  test("that is not there, or has no such version, is a failure of the action", async () => {
    const control = await withCounter();
    for (const [more, code] of [
      [{ module: "nobody" }, "filter_unknown"],
      [{ digest: `sha256:${"0".repeat(64)}` }, "filter_unknown"],
    ] as const) {
      await put(control, "pace", { regions, transitions: [{ from: "*", to: "high", do: [bind(3, more)] }] });
      control.settle();
      await heat(control, 20);
      expect(await show(control, "contracts/pace")).toMatchObject({ path: ["high"], lastFailure: { code } });
      await heat(control, 0);
    }
  });
});

test("what lies over an inbox does so in a new core, too, and orders its events", async () => {
  const control = await prepared([]);
  const { json } = await control.ask("POST", "/v1/inboxes", {});
  const inbox = `inboxes/${json["id"]}`;
  await control.ask("PUT", `/v1/${inbox}/joins/jobs`, {});
  const patch = { ordering: "deadline", capacityEvents: 7 };
  await put(control, "pace", {
    regions,
    transitions: [{ from: "*", to: "high", do: [{ configure: { inbox: String(json["id"]), patch } }] }],
  });
  await heat(control, 30);
  control.service.fault(new WebAssembly.RuntimeError("unreachable"), undefined);
  control.settle();
  expect(await show(control, "contracts/pace")).toMatchObject({ path: ["high"], failures: 0 });
  expect(await show(control, inbox)).toMatchObject({ ordering: "fifo", governedBy: ["pace"], overlay: patch });
  for (const ttlMs of [700, 500, 600])
    await control.ask("POST", "/v1/channels/jobs/events", { type: `t${ttlMs}`, ttlMs });
  const { data } = await show(control, `${inbox}/events`);
  expect((data as { event: { type: string } }[]).map(({ event }) => event.type)).toEqual(["t500", "t600", "t700"]);
});

describe("contracts that wait for each other, or for nothing", () => {
  test("one that marks itself by what it binds is bounded in each turn; neighbours and events have theirs", async () => {
    const control = createTestControl();
    await prepared([], control);
    const bind = (where: string, value: number) => [
      { bind: { channel: "jobs", stage: "out", route: { where } } },
      { set: { heat: value } },
    ];
    await put(control, "pace", {
      regions,
      transitions: [
        { from: "*", to: "low", do: bind("TRUE", 11) },
        { from: "*", to: "high", do: bind("FALSE", 9) },
      ],
    });
    await control.ask("PUT", "/v1/conditions/own", { kind: "value" });
    await put(control, "neighbour", { regions: [{ name: "up", when: "own > 5" }, { name: "down" }] });
    await control.ask("PUT", "/v1/conditions/heat/value", { value: 20 });
    for (let round = 0; round < 3; round++) {
      const before = (await show(control, "contracts/pace"))["evaluations"] as number;
      await control.ask("PUT", "/v1/conditions/own/value", { value: round % 2 === 0 ? 8 : 1 });
      control.turn();
      expect(await show(control, "contracts/neighbour")).toMatchObject({ path: [round % 2 === 0 ? "up" : "down"] });
      expect((await control.ask("POST", "/v1/channels/jobs/events", { type: "t" })).status).toBe(200);
      const evaluations = ((await show(control, "contracts/pace"))["evaluations"] as number) - before;
      expect(evaluations).toBeGreaterThan(1);
      expect(evaluations).toBeLessThanOrEqual(100);
    }
  });

  test("`sync` actions are done before anybody is evaluated again; `async` ones behind the pass", async () => {
    const control = await prepared([]);
    for (const name of ["first", "second"]) await control.ask("PUT", `/v1/conditions/${name}`, { kind: "value" });
    const setting = (name: string, mode: string) => ({ from: "*", to: "high", mode, do: [{ set: { [name]: 1 } }] });
    await put(control, "pace", { regions, transitions: [setting("first", "sync"), setting("second", "async")] });
    await put(control, "next", { regions, conditions: { a: { use: "first" }, b: { use: "second" } } });
    control.settle();
    await heat(control, 20);
    const { data } = await show(control, "contracts/next/transitions");
    // In the same pass it has seen what the one before it has set, and not what that has put off.
    expect((data as object[]).at(-1)).toMatchObject({ to: ["high"], why: { values: { heat: 20, a: 1, b: 0 } } });
    expect(await show(control, "contracts/next")).toMatchObject({ snapshot: { a: 1, b: 1 } });
  });

  test("one whose `sync` action is to be tried again holds nobody up, itself not either, and gives it up when it moves on", async () => {
    const configure = { configure: { channel: "missing", patch: { delivery: { priority: 8 } } } };
    const control = await prepared([
      { from: "*", to: "high", retry: { attempts: 5, delayMs: 50 }, do: [configure, { set: { told: 1 } }] },
    ]);
    await control.ask("PUT", "/v1/conditions/told", { kind: "value" });
    await put(control, "other", { regions });
    control.settle();
    await heat(control, 20);
    expect(await show(control, "contracts/pace")).toMatchObject({ path: ["high"], failures: 1 });
    expect(await show(control, "contracts/other")).toMatchObject({ path: ["high"] });
    expect(await show(control, "conditions/told")).toMatchObject({ value: 1 });
    await heat(control, 0);
    expect(await show(control, "contracts/pace")).toMatchObject({ path: ["low"], failures: 1 });
    await control.ask("PUT", "/v1/channels/missing", {});
    control.clock.advance(10_000);
    expect(await show(control, "channels/missing")).toMatchObject({ governedBy: [] });
    expect(await show(control, "contracts/pace")).toMatchObject({ failures: 1 });
  });
});

test("while the evaluator is paused a plan is refused, says why, and changes nothing", async () => {
  const control = await prepared([]);
  control.service.contracts.pause(true);
  await control.ask("PUT", "/v1/conditions/heat/value", { value: 50 });
  const { status, json } = await control.ask("POST", `${path}/plan`, { values: { heat: 1 } });
  expect([status, json]).toMatchObject([422, { code: "contradiction", detail: expect.stringContaining("paused") }]);
  expect(await show(control, "contracts/pace")).toMatchObject({ path: ["low"] });
  control.service.contracts.pause(false);
  control.settle();
  expect((await control.ask("POST", `${path}/plan`, { values: { heat: 1 } })).json).toMatchObject({
    path: { from: ["high"], to: ["low"] },
  });
});
