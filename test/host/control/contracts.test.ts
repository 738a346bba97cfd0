import { describe, expect, test } from "vitest";
import type { ContractMoved } from "../../../host/contract/contracts.ts";
import { createTestControl, type TestControl } from "./support.ts";

const path = "/v1/contracts/responsiveness";
const contract = {
  conditions: { p99: { use: "web.latency" }, load: { use: "load", observed: false } },
  regions: [
    {
      name: "normal",
      when: "p99 < 50",
      exit: "p99 > 60",
      regions: [{ name: "idle", when: "load < 0.2" }, { name: "busy" }],
    },
    { name: "degraded" },
  ],
  transitions: [
    { from: "normal", to: "degraded", do: [{ set: { mode: "eco" } }] },
    {
      from: "*",
      to: "normal",
      mode: "async",
      do: [{ publish: { channel: "adaptation", event: { type: "recovered" } } }],
    },
  ],
};

async function prepared(): Promise<TestControl> {
  const control = createTestControl();
  for (const name of ["web.latency", "load"]) await control.ask("PUT", `/v1/conditions/${name}`, { kind: "value" });
  await control.ask("PUT", "/v1/conditions/mode", { kind: "value", type: "string" });
  return control;
}

const set = async ({ ask, settle }: TestControl, values: object): Promise<void> => {
  await ask("PATCH", "/v1/conditions", { values });
  settle();
};

describe("/v1/contracts/{contract}", () => {
  test("governs: path, actions, hysteresis, history with reasons", async () => {
    const control = await prepared();
    const { ask, settle } = control;
    const created = await ask("PUT", path, contract);
    expect([created.status, created.headers.get("location")]).toEqual([201, path]);
    settle();
    expect((await ask("GET", path)).json).toMatchObject({
      path: ["normal", "idle"],
      status: "active",
      hits: { normal: 1, "normal/idle": 1, "normal/busy": 0, degraded: 0 },
      triggers: 1,
      evaluations: 1,
      snapshot: { p99: 0, load: 0 },
      warnings: [],
      failures: 0,
      lastFailure: null,
    });
    expect((await ask("GET", "/v1/channels/adaptation")).json).toMatchObject({ sequence: 1 });
    // Not observed: it is seen at the next evaluation only.
    await set(control, { load: 0.5 });
    expect((await ask("GET", path)).json).toMatchObject({ path: ["normal", "idle"] });
    // Held until it is above 60.
    await set(control, { "web.latency": 55 });
    expect((await ask("GET", path)).json).toMatchObject({ path: ["normal", "busy"] });
    await set(control, { "web.latency": 61 });
    expect((await ask("GET", path)).json).toMatchObject({ path: ["degraded"], evaluations: 3, triggers: 3 });
    expect((await ask("GET", "/v1/conditions/mode")).json).toMatchObject({ value: "eco" });
    const { data } = (await ask("GET", `${path}/transitions`)).json as { data: object[] };
    expect(data.at(-1)).toMatchObject({
      from: ["normal", "busy"],
      to: ["degraded"],
      handlers: ["normal->degraded"],
      why: { region: "degraded", when: null, values: { p99: 61, load: 0.5 } },
    });
  });

  test("several changes before the pass are one evaluation, equal values none", async () => {
    const control = await prepared();
    await control.ask("PUT", path, contract);
    control.settle();
    for (const value of [1, 2, 2, 3]) await control.ask("PUT", "/v1/conditions/web.latency/value", { value });
    control.settle();
    expect((await control.ask("GET", path)).json).toMatchObject({ triggers: 4, evaluations: 2 });
    expect((await control.ask("POST", `${path}/evaluate`)).json).toEqual({ path: ["normal", "idle"] });
    expect((await control.ask("GET", path)).json).toMatchObject({ triggers: 5, evaluations: 3 });
  });

  test("keeps its path where none holds, and says so", async () => {
    const control = await prepared();
    const regions = [
      { name: "low", when: "load < 1" },
      { name: "high", when: "load > 2" },
    ];
    const { json } = await control.ask("PUT", path, { regions });
    expect(json["warnings"]).toEqual(["No region at the top is active always: the path may stay behind"]);
    control.settle();
    await set(control, { load: 1.5 });
    expect((await control.ask("GET", path)).json).toMatchObject({ path: ["low"], status: "no_region" });
    await set(control, { load: 3 });
    expect((await control.ask("GET", path)).json).toMatchObject({ path: ["high"], status: "active" });
  });

  test("is replaced with its path and counters, listed, and removed; its conditions stay while it is there", async () => {
    const control = await prepared();
    const { ask } = control;
    await ask("PUT", path, contract);
    await set(control, { "web.latency": 70 });
    expect((await ask("PUT", path, { ...contract, order: "listed" })).status).toBe(200);
    control.settle();
    expect((await ask("GET", path)).json).toMatchObject({ path: ["degraded"], order: "listed", hits: { degraded: 2 } });
    expect((await ask("GET", "/v1/contracts")).json).toMatchObject({ data: [{ name: "responsiveness" }], next: null });
    expect((await ask("DELETE", "/v1/conditions/load")).json).toMatchObject({
      code: "condition_in_use",
      limit: ["contract responsiveness"],
    });
    expect((await ask("DELETE", path)).status).toBe(204);
    expect((await ask("GET", path)).json).toMatchObject({ code: "contract_unknown" });
    expect((await ask("DELETE", "/v1/conditions/load")).status).toBe(204);
  });

  test("tells an action that fails, and goes on", async () => {
    const control = await prepared();
    const regions = [{ name: "low", when: "load < 1" }, { name: "high" }];
    const failing = [{ set: { nothing: 1 } }, { set: { mode: "high" } }];
    await control.ask("PUT", path, { regions, transitions: [{ from: "low", to: "high", do: failing }] });
    control.settle();
    await set(control, { load: 2 });
    expect((await control.ask("GET", path)).json).toMatchObject({
      path: ["high"],
      failures: 1,
      lastFailure: { action: "set", code: "condition_unknown" },
    });
    expect((await control.ask("GET", "/v1/conditions/mode")).json).toMatchObject({ value: "high" });
  });

  test("that marks itself for ever is bounded and told, and others have their turn", async () => {
    const control = await prepared();
    const { ask, turn } = control;
    const regions = [{ name: "low", when: "load < 1" }, { name: "high" }];
    const transitions = [
      { from: "*", to: "low", do: [{ set: { load: 2 } }] },
      { from: "*", to: "high", do: [{ set: { load: 0 } }] },
    ];
    await ask("PUT", path, { regions, transitions });
    await ask("PUT", "/v1/contracts/other", {
      conditions: { p: { use: "web.latency" } },
      regions: [{ name: "on", when: "p > 1" }, { name: "off" }],
    });
    await ask("PUT", "/v1/conditions/web.latency/value", { value: 5 });
    turn();
    expect((await ask("GET", "/v1/contracts/other")).json).toMatchObject({ path: ["on"] });
    expect((await ask("GET", path)).json).toMatchObject({ evaluations: 100 });
    expect(control.log).toContainEqual(expect.objectContaining({ message: "contracts do not come to rest" }));
    expect(control.service.statistics()).toMatchObject({ contractsRestlessTotal: 1 });
    turn();
    expect((await ask("GET", path)).json).toMatchObject({ evaluations: 200 });
  });

  test("tells whoever listens each change of a path with its callbacks, and no more after they have ended it", async () => {
    const control = await prepared();
    const moved: ContractMoved[] = [];
    const end = control.service.contracts.onMoved((one) => moved.push(one));
    const regions = [{ name: "low", when: "load < 1" }, { name: "high" }];
    const transitions = [
      { from: "low", to: "*", mode: "async", do: [{ callback: "leave" }] },
      { from: "*", to: "high", do: [{ set: { mode: "high" } }, { callback: "app.tuner", data: { by: 2 } }] },
    ];
    await control.ask("PUT", path, { regions, transitions });
    control.settle();
    await set(control, { load: 2 });
    expect(moved.at(-1)).toMatchObject({
      name: "responsiveness",
      transition: { to: ["high"], handlers: ["low->*", "*->high"] },
      callbacks: [{ name: "leave" }, { name: "app.tuner", data: { by: 2 } }],
    });
    end();
    await set(control, { load: 0 });
    expect(moved).toHaveLength(2);
  });

  const inner = { name: "a", when: "load > 1" };
  test.each([
    [{ regions: [] }, { code: "invalid_value" }],
    [{ regions: [{ name: "a", when: "nothing > 1" }] }, { code: "expression", value: "nothing", line: 1, column: 1 }],
    [{ regions: [{ name: "a", when: "load +" }] }, { code: "expression", column: 7 }],
    [{ regions: [{ name: "a", when: "load + 1" }] }, { code: "expression" }],
    [{ regions: [{ name: "a" }, { name: "b" }] }, { code: "contradiction", value: "b" }],
    [{ regions: [inner, inner] }, { code: "contradiction", value: "a" }],
    [{ regions: [{ name: "a", select: "max", regions: [{ name: "b" }] }] }, { code: "contradiction", value: "a/b" }],
    [
      { regions: [{ name: "a" }], transitions: [{ from: "a", to: "z" }] },
      { code: "contradiction", value: "transitions[0]" },
    ],
    [{ regions: [{ name: "a" }], transitions: [{ from: "*", to: "*" }] }, { code: "contradiction" }],
    [{ regions: [{ name: "a" }], transitions: [{ from: "*", to: "a", do: [{}] }] }, { code: "invalid_value" }],
    [
      { regions: [{ name: "a" }], transitions: [{ from: "*", to: "a", do: [{ data: {} }] }] },
      { code: "contradiction" },
    ],
    [
      { regions: [{ name: "a" }], extend: "b" },
      { code: "unknown_field", value: "extend" },
    ],
    [
      { conditions: { x: { use: "nothing" } }, regions: [{ name: "a" }] },
      { code: "contradiction", value: "nothing" },
    ],
    [
      { regions: Array.from({ length: 10_000 }, (_, i) => ({ name: `r${i}`, when: "load > 1" })) },
      { code: "limit_reached", limit: 256 },
    ],
  ])("refuses %#", async (body, problem) => {
    const { ask } = await prepared();
    expect((await ask("PUT", path, body)).json).toMatchObject(problem);
    expect((await ask("GET", path)).status).toBe(404);
  });

  test("a new core goes on with the path", async () => {
    const control = await prepared();
    await control.ask("PUT", path, contract);
    await set(control, { "web.latency": 61 });
    control.service.fault(new WebAssembly.RuntimeError("unreachable"), undefined);
    control.settle();
    expect((await control.ask("GET", path)).json).toMatchObject({ path: ["degraded"], status: "active" });
    await set(control, { "web.latency": 10 });
    expect((await control.ask("GET", path)).json).toMatchObject({ path: ["normal", "idle"] });
  });
});
