import { describe, expect, test } from "vitest";
import { createTestControl, type TestControl } from "./support.ts";

const path = "/v1/contracts/tuning";
const regions = [{ name: "calm", when: "load < 1" }, { name: "busy" }];
const few = { route: { where: "sink.load < 0.8", limit: 1 } };

/** A host with a condition `load`, a channel `frames` and a contract with these transitions, at rest. */
async function prepared(transitions: object[], contract: object = {}): Promise<TestControl> {
  const control = createTestControl();
  await control.ask("PUT", "/v1/conditions/load", { kind: "value" });
  await control.ask("PUT", "/v1/channels/frames", { delivery: { ttlMs: 500 } });
  const { status, json } = await control.ask("PUT", path, { regions, transitions, ...contract });
  expect([status, json["code"]]).toEqual([201, undefined]);
  control.settle();
  return control;
}

/** Sets the load, and lets the loop turn once. */
const load = async ({ ask, turn }: TestControl, value: number): Promise<void> => {
  await ask("PUT", "/v1/conditions/load/value", { value });
  turn();
};

const show = async ({ ask }: TestControl, what: string) => (await ask("GET", `/v1/${what}`)).json;

describe("what contracts lay over channels", () => {
  const bindUnbind = [
    { from: "calm", to: "busy", do: [{ bind: { channel: "frames", stage: "out", ...few } }] },
    { from: "busy", to: "calm", do: [{ unbind: { channel: "frames", stage: "out" } }] },
  ];

  test("a filter, in the turn of the pass; the channel shows it apart from its own settings", async () => {
    const control = await prepared(bindUnbind);
    expect(await show(control, "channels/frames")).toMatchObject({ governedBy: [], filters: { out: null } });
    await load(control, 2);
    const governed = await show(control, "channels/frames");
    expect(governed).toMatchObject({ governedBy: ["tuning"], filters: { in: null, out: null } });
    expect(governed["overlay"]).toEqual({ filters: { out: { routes: [few.route] } } });
    expect(await show(control, "channels/frames/filters/out")).toMatchObject({ routes: [{ limit: 1 }] });
    await load(control, 0);
    expect(await show(control, "channels/frames")).toMatchObject({ overlay: { filters: { out: null } } });
    await control.ask("DELETE", path);
    const free = await show(control, "channels/frames");
    expect([free["governedBy"], free["overlay"]]).toEqual([[], undefined]);
  });

  test("settings by merge patches; what an operator changes below stays below, and null gives a default", async () => {
    const patch = { delivery: { ttlMs: null, priority: 8, late: "drop" }, store: { events: 4 } };
    const control = await prepared([
      { from: "calm", to: "busy", do: [{ configure: { channel: "frames", patch } }] },
      { from: "busy", to: "calm", do: [{ configure: { channel: "frames", patch: null } }] },
    ]);
    await load(control, 2);
    const overlay = { delivery: { ttlMs: null, priority: 8, late: "drop" }, store: { events: 4 } };
    expect(await show(control, "channels/frames")).toMatchObject({ delivery: { ttlMs: 500, priority: 4 }, overlay });
    await control.ask("PATCH", "/v1/channels/frames", { delivery: { priority: 1 }, types: ["frame"] });
    const patched = await show(control, "channels/frames");
    expect(patched).toMatchObject({ types: ["frame"], delivery: { priority: 1 }, overlay, governedBy: ["tuning"] });
    await control.ask("PUT", "/v1/channels/frames", { delivery: { ttlMs: 700 } });
    expect(await show(control, "channels/frames")).toMatchObject({ delivery: { ttlMs: 700 }, overlay });
    // The events prove it: with a store they are kept, whatever the operator's own settings say.
    await control.ask("POST", "/v1/channels/frames/events", { type: "frame" });
    expect(await show(control, "channels/frames")).toMatchObject({ stored: 1, store: { events: 0 } });
    await load(control, 0);
    expect(await show(control, "channels/frames")).toMatchObject({ governedBy: [], stored: 0 });
  });

  test("several contracts lie over one another in the order of their creation, field by field", async () => {
    const action = (priority: number, more: object = {}) => ({
      channel: "frames",
      patch: { delivery: { priority, ...more } },
    });
    const control = await prepared([{ from: "*", to: "busy", do: [{ configure: action(7, { ttlMs: 50 }) }] }]);
    const upper = { regions, transitions: [{ from: "*", to: "busy", do: [{ configure: action(9) }] }] };
    await control.ask("PUT", "/v1/contracts/upper", upper);
    await load(control, 2);
    const both = await show(control, "channels/frames");
    expect(both).toMatchObject({ governedBy: ["tuning", "upper"], overlay: { delivery: { priority: 9, ttlMs: 50 } } });
    await control.ask("DELETE", "/v1/contracts/upper");
    expect(await show(control, "channels/frames")).toMatchObject({ overlay: { delivery: { priority: 7, ttlMs: 50 } } });
  });

  test("a channel is not removed while it is governed, and a module not while a contract names it", async () => {
    const control = await prepared(bindUnbind);
    await load(control, 2);
    const refused = await control.ask("DELETE", "/v1/channels/frames");
    expect([refused.status, refused.json]).toMatchObject([409, { code: "channel_governed", limit: ["tuning"] }]);
    await control.ask("DELETE", path);
    expect((await control.ask("DELETE", "/v1/channels/frames")).status).toBe(204);
  });

  test("a contract that is replaced keeps what it still speaks of, and gives up the rest", async () => {
    const both = ["frames", "other"].map((channel) => ({
      configure: { channel, patch: { delivery: { priority: 9 } } },
    }));
    const control = await prepared([]);
    await control.ask("PUT", "/v1/channels/other", {});
    await control.ask("PUT", path, { regions, transitions: [{ from: "calm", to: "busy", do: both }] });
    await load(control, 2);
    expect(await show(control, "channels/other")).toMatchObject({ governedBy: ["tuning"] });
    await control.ask("PUT", path, { regions, transitions: [{ from: "calm", to: "busy", do: both.slice(0, 1) }] });
    control.settle();
    expect(await show(control, "channels/frames")).toMatchObject({ governedBy: ["tuning"] });
    expect(await show(control, "channels/other")).toMatchObject({ governedBy: [] });
    await control.ask("PUT", path, { regions: [{ name: "anew" }] });
    expect(await show(control, "channels/frames")).toMatchObject({ governedBy: [] });
  });

  test("a new core has them in force", async () => {
    const control = await prepared(bindUnbind);
    await load(control, 2);
    control.service.fault(new WebAssembly.RuntimeError("unreachable"), undefined);
    control.settle();
    expect(await show(control, "channels/frames")).toMatchObject({ governedBy: ["tuning"] });
    expect(await show(control, "channels/frames/filters/out")).toMatchObject({ routes: [{ limit: 1 }] });
    expect(await show(control, "contracts/tuning")).toMatchObject({ path: ["busy"], failures: 0 });
  });
});

describe("a transition under load", () => {
  test("is in force one turn after the change, on all its channels at once: no pair of events is decided half and half", async () => {
    const side = (to: string, from: string, g: string) => ({
      from,
      to,
      do: [
        { bind: { channel: "frames", stage: "out", route: { where: `sink.g = '${g}'` } } },
        { bind: { channel: "sound", stage: "out", route: { where: `sink.g = '${g}'` } } },
        { publish: { channel: "frames", event: { type: "switched", key: g } } },
      ],
    });
    const control = await prepared([side("calm", "*", "x"), side("busy", "*", "y")]);
    // It failed, since there was no channel yet: from here on it is there.
    await control.ask("PUT", "/v1/channels/sound", {});
    const inboxes = new Map<string, string>();
    for (const g of ["x", "y"]) {
      const { json } = await control.ask("POST", "/v1/inboxes", {});
      inboxes.set(g, String(json["id"]));
      for (const channel of ["frames", "sound"])
        await control.ask("PUT", `/v1/inboxes/${json["id"]}/joins/${channel}`, { attributes: { g } });
    }
    const publish = async (key: string) => {
      for (const channel of ["frames", "sound"])
        await control.ask("POST", `/v1/channels/${channel}/events`, { type: "t", key });
    };
    await load(control, 2);
    const expected: string[] = [];
    for (let round = 0; round < 40; round++) {
      const isBusy = round % 3 !== 0;
      await control.ask("PUT", "/v1/conditions/load/value", { value: isBusy ? 2 : 0 });
      // Whatever comes before the pass is decided by what is in force still.
      await publish(`before-${round}`);
      control.turn();
      await publish(`after-${round}`);
      expected.push(isBusy ? "y" : "x");
    }
    const where = new Map<string, string[]>();
    for (const [g, id] of inboxes) {
      const { data } = await show(control, `inboxes/${id}/events?max=1000`);
      for (const { event } of data as { event: { type: string; key: string } }[]) {
        if (event.type === "switched") expect(event.key).toBe(g);
        else where.set(event.key, [...(where.get(event.key) ?? []), g]);
      }
    }
    for (const [round, g] of expected.entries()) {
      expect(where.get(`after-${round}`)).toEqual([g, g]);
      expect(where.get(`before-${round}`)).toEqual([expected[round - 1] ?? "y", expected[round - 1] ?? "y"]);
    }
  });
});

describe("what contracts lay over inboxes", () => {
  const edf = [
    { from: "*", to: "busy", do: [{ configure: { inbox: "", patch: { ordering: "deadline", capacityEvents: 9 } } }] },
    { from: "*", to: "calm", do: [{ configure: { inbox: "", patch: null } }] },
  ];
  const named = (inbox: string) => JSON.parse(JSON.stringify(edf).replaceAll('"inbox":""', `"inbox":"${inbox}"`));

  test("ordering and capacity, of what waits already, too", async () => {
    const control = await prepared([]);
    const { json } = await control.ask("POST", "/v1/inboxes", { overflow: "drop-newest" });
    const inbox = `inboxes/${json["id"]}`;
    await control.ask("PUT", `/v1/${inbox}/joins/frames`, {});
    await control.ask("PUT", path, { regions, transitions: named(String(json["id"])) });
    control.settle();
    for (const ttlMs of [300, 100, 200, 400])
      await control.ask("POST", "/v1/channels/frames/events", { type: `t${ttlMs}`, ttlMs });
    await load(control, 2);
    expect(await show(control, inbox)).toMatchObject({
      ordering: "fifo",
      governedBy: ["tuning"],
      overlay: { ordering: "deadline", capacityEvents: 9 },
    });
    await control.ask("PATCH", `/v1/${inbox}`, { capacityBytes: 10_000 });
    expect(await show(control, inbox)).toMatchObject({ capacityBytes: 10_000, overlay: { ordering: "deadline" } });
    const { data } = await show(control, `${inbox}/events`);
    expect((data as { event: { type: string } }[]).map(({ event }) => event.type)).toEqual([
      "t100",
      "t200",
      "t300",
      "t400",
    ]);
    await load(control, 0);
    expect((await show(control, inbox))["overlay"]).toBeUndefined();
  });

  test("one that is gone is a failure; its contract goes on, and it comes back with nothing", async () => {
    const control = await prepared([]);
    const { json } = await control.ask("POST", "/v1/inboxes", {});
    await control.ask("PUT", path, { regions, transitions: named(String(json["id"])) });
    control.settle();
    await load(control, 2);
    await control.ask("DELETE", `/v1/inboxes/${json["id"]}`);
    await load(control, 0);
    await load(control, 2);
    expect(await show(control, "contracts/tuning")).toMatchObject({
      path: ["busy"],
      failures: 1,
      lastFailure: { action: "configure", code: "inbox_unknown" },
    });
  });
});

describe("actions that fail", () => {
  const configure = (channel: string) => ({ configure: { channel, patch: { delivery: { priority: 9 } } } });

  test("what governs is in force together or not at all; values are set all the same", async () => {
    const control = await prepared([
      { from: "*", to: "busy", do: [configure("frames"), configure("gone"), { set: { told: "yes" } }] },
    ]);
    await control.ask("PUT", "/v1/conditions/told", { kind: "value", type: "string" });
    await load(control, 2);
    expect(await show(control, "contracts/tuning")).toMatchObject({
      path: ["busy"],
      failures: 1,
      lastFailure: { action: "configure", code: "channel_unknown", detail: expect.stringContaining("gone") },
    });
    expect(await show(control, "channels/frames")).toMatchObject({ governedBy: [] });
    expect(await show(control, "conditions/told")).toMatchObject({ value: "yes" });
  });

  test("are tried again as the transition says, later and later, until they succeed", async () => {
    const retry = { attempts: 3, delayMs: 100 };
    const control = await prepared([{ from: "*", to: "busy", retry, do: [configure("frames"), configure("late")] }]);
    await load(control, 2);
    const failures = async () => (await show(control, "contracts/tuning"))["failures"];
    expect(await failures()).toBe(1);
    control.clock.advance(100);
    expect(await failures()).toBe(2);
    control.clock.advance(199);
    expect(await failures()).toBe(2);
    await control.ask("PUT", "/v1/channels/late", {});
    control.clock.advance(1);
    expect(await failures()).toBe(2);
    expect(await show(control, "channels/late")).toMatchObject({ governedBy: ["tuning"] });
    expect(await show(control, "channels/frames")).toMatchObject({ governedBy: ["tuning"] });
  });

  test.each(["moves on", "is replaced", "is removed", "has used up its attempts"])(
    "are given up where the contract %s",
    async (why) => {
      const retry = { attempts: 2, delayMs: 100 };
      const transitions = [{ from: "*", to: "busy", retry, do: [configure("late")] }];
      const control = await prepared(transitions);
      await load(control, 2);
      if (why === "moves on") await load(control, 0);
      if (why === "is replaced") await control.ask("PUT", path, { regions, transitions, order: "listed" });
      if (why === "is removed") await control.ask("DELETE", path);
      control.clock.advance(why.startsWith("has used") ? 100_000 : 10);
      await control.ask("PUT", "/v1/channels/late", {});
      control.clock.advance(100_000);
      expect(await show(control, "channels/late")).toMatchObject({ governedBy: [] });
    },
  );

  test("a contract that lays something over a channel and marks itself for ever is bounded, told, and its neighbours have their turn", async () => {
    const flip = (priority: number, load: number) => [
      { configure: { channel: "frames", patch: { delivery: { priority } } } },
      { set: { load } },
    ];
    const control = await prepared([]);
    const transitions = [
      { from: "*", to: "busy", do: flip(9, 0) },
      { from: "*", to: "calm", do: flip(1, 2) },
    ];
    await control.ask("PUT", path, { regions, transitions });
    await control.ask("PUT", "/v1/conditions/load/value", { value: 2 });
    await control.ask("PUT", "/v1/conditions/own", { kind: "value" });
    await control.ask("PUT", "/v1/contracts/neighbour", {
      regions: [{ name: "up", when: "own > 1" }, { name: "down" }],
    });
    await control.ask("PUT", "/v1/conditions/own/value", { value: 2 });
    control.turn();
    expect(await show(control, "contracts/neighbour")).toMatchObject({ path: ["up"] });
    expect(control.log).toContainEqual(expect.objectContaining({ message: "contracts do not come to rest" }));
  });

  test.each([
    [{ bind: { channel: "frames", stage: "out", route: { where: "load <" } } }, { code: "expression" }],
    [{ bind: { channel: "frames", stage: "up", route: {} } }, { code: "invalid_value" }],
    [{ bind: { channel: "frames", stage: "out", route: {}, module: "m" } }, { code: "contradiction" }],
    [{ bind: { channel: "bad name", stage: "out", route: {} } }, { code: "channel_name" }],
    [{ bind: { channel: "frames", stage: "out", rout: {} } }, { code: "unknown_field" }],
    [{ unbind: { channel: "frames" } }, { code: "invalid_value" }],
    [{ configure: { channel: "frames", inbox: "s1", patch: {} } }, { code: "contradiction" }],
    [{ configure: { patch: {} } }, { code: "contradiction" }],
    [{ configure: { channel: "frames", patch: 5 } }, { code: "invalid_value" }],
    [
      { configure: { channel: "frames", patch: { delivery: { ttl: 5 } } } },
      { code: "unknown_field", value: "transitions[0].do[0].configure.patch.delivery.ttl" },
    ],
    [{ configure: { channel: "frames", patch: { delivery: { priority: 12 } } } }, { code: "priority_out_of_range" }],
    [{ configure: { inbox: "s1", patch: { idleMs: 5 } } }, { code: "unknown_field" }],
    [{ configure: { inbox: "s1", patch: { ordering: "best" } } }, { code: "invalid_value" }],
    [{ callback: "app", set: {} }, { code: "invalid_value" }],
  ])("that cannot be are refused with the contract: %#", async (action, problem) => {
    const control = await prepared([]);
    const { json } = await control.ask("PUT", path, {
      regions,
      transitions: [{ from: "*", to: "busy", do: [action] }],
    });
    expect(json).toMatchObject(problem);
  });
});

describe("POST /v1/contracts/{contract}/plan", () => {
  const transitions = [
    {
      from: "*",
      to: "busy",
      do: [
        { configure: { channel: "frames", patch: { delivery: { ttlMs: 50, priority: 4 } } } },
        { bind: { channel: "frames", stage: "out", ...few } },
        { set: { load: 7 } },
      ],
    },
    { from: "calm", to: "*", mode: "async", do: [{ callback: "app" }] },
  ];

  test("tells path, handlers, actions and what would be in force otherwise; nothing happens", async () => {
    const control = await prepared(transitions);
    const before = await show(control, "contracts/tuning");
    const { status, json } = await control.ask("POST", `${path}/plan`, { values: { load: 5 } });
    expect([status, json]).toMatchObject([
      200,
      {
        path: { from: ["calm"], to: ["busy"] },
        status: "active",
        handlers: ["calm->*", "*->busy"],
        actions: [
          { mode: "sync", configure: {} },
          { bind: {} },
          { set: { load: 7 } },
          { mode: "async", callback: "app" },
        ],
        governs: [
          {
            kind: "channel",
            name: "frames",
            changes: [
              { field: "delivery.ttlMs", from: 500, to: 50 },
              { field: "echo", from: true, to: false },
              { field: "filters.out", from: null, to: { routes: [few.route] } },
            ],
          },
        ],
        snapshot: { load: 5 },
      },
    ]);
    control.settle();
    expect(await show(control, "contracts/tuning")).toEqual(before);
    expect(await show(control, "channels/frames")).toMatchObject({ governedBy: [] });
    expect(await show(control, "conditions/load")).toMatchObject({ value: 0 });
    expect((await control.ask("POST", `${path}/plan`)).json).toMatchObject({ handlers: [], actions: [], governs: [] });
  });

  test("of a contract that is not there yet, and of one that would replace it", async () => {
    const control = await prepared(transitions);
    await load(control, 0);
    const contract = {
      regions: [{ name: "always" }],
      transitions: [{ from: "*", to: "always", do: transitions[0]?.do }],
    };
    const made = await control.ask("POST", "/v1/contracts/other/plan", { contract });
    expect(made.json).toMatchObject({ path: { from: [], to: ["always"] }, handlers: ["*->always"] });
    expect((await control.ask("GET", "/v1/contracts/other")).status).toBe(404);
    const replaced = await control.ask("POST", `${path}/plan`, { contract });
    expect(replaced.json).toMatchObject({ path: { from: ["calm"], to: ["always"] }, handlers: ["*->always"] });
  });

  test("of a contract with conditions of its own, which have their first values and are not made", async () => {
    const control = await prepared(transitions);
    const contract = {
      conditions: {
        depth: { kind: "counter", initial: 12 },
        mode: { kind: "value", initial: "full" },
        sinks: { kind: "members", channel: "frames", pollMs: 10 },
        twice: { kind: "expression", expression: "depth * 2" },
      },
      regions: [
        { name: "deep", when: 'depth > 10 AND mode = "full"' },
        { name: "flat", when: "sinks = 0" },
      ],
    };
    const conditions = (await control.ask("GET", "/v1/conditions")).json;
    const plan = async (values: object) =>
      (await control.ask("POST", "/v1/contracts/fresh/plan", { contract, values })).json;
    expect(await plan({})).toMatchObject({
      path: { from: [], to: ["deep"] },
      snapshot: { depth: 12, mode: "full", sinks: 0, twice: null },
    });
    expect(await plan({ "fresh.depth": 1 })).toMatchObject({ path: { to: ["flat"] }, snapshot: { depth: 1 } });
    expect((await control.ask("GET", "/v1/conditions")).json).toEqual(conditions);
    await control.ask("PUT", "/v1/contracts/fresh", contract);
    await control.ask("PUT", "/v1/conditions/fresh.depth/value", { value: 3 });
    // What stays as it is keeps its value, what would be made anew begins anew.
    expect(await plan({})).toMatchObject({ path: { to: ["flat"] }, snapshot: { depth: 3 } });
    contract.conditions.depth.initial = 40;
    expect(await plan({})).toMatchObject({ path: { to: ["deep"] }, snapshot: { depth: 40 } });
  });

  test.each([
    ["/v1/contracts/none/plan", {}, { code: "contract_unknown" }],
    [`${path}/plan`, { values: { nothing: 1 } }, { code: "condition_unknown", value: "nothing" }],
    [`${path}/plan`, { contract: { regions: [{ name: "a", when: "x >" }] } }, { code: "expression" }],
    [`${path}/plan`, { valuess: {} }, { code: "unknown_field" }],
  ])("refuses what cannot be: %s %o", async (address, body, problem) => {
    const control = await prepared(transitions);
    expect((await control.ask("POST", address, body)).json).toMatchObject(problem);
  });

  test("names what an action could not do", async () => {
    const control = await prepared([{ from: "*", to: "busy", do: [{ unbind: { channel: "gone", stage: "in" } }] }]);
    const { json } = await control.ask("POST", `${path}/plan`, { values: { load: 2 } });
    expect(json["governs"]).toMatchObject([{ name: "gone", problem: { code: "channel_unknown" } }]);
  });
});
