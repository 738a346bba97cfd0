/**
 * Goal: kinds of an application are defined by the same PUT as others, checked by their schema, and what they throw stays with them.
 */
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import type { ConditionKind } from "../../../host/condition/kinds.ts";
import type { ConditionValue } from "../../../host/condition/schema.ts";
import { serveHost } from "../../../host/index.ts";
import { open } from "../support/embedded.ts";

/** A kind that notes what becomes of its conditions. */
function probe(more: Partial<ConditionKind> = {}) {
  const seen: string[] = [];
  let setter: ((value: ConditionValue) => void) | undefined;
  const kind: ConditionKind = {
    schema: z.strictObject({ rack: z.string(), every: z.number().default(5) }),
    start(settings, set) {
      seen.push(`start ${JSON.stringify(settings)}`);
      setter = set;
      set(1);
      return () => void seen.push("stop");
    },
    ...more,
  };
  return { kind, seen, set: (value: ConditionValue) => setter?.(value) };
}

/** A host with kinds, and what asks it over HTTP. */
async function serving(conditionKinds: Readonly<Record<string, ConditionKind>>) {
  const host = await open({ conditionKinds });
  const served = await serveHost({ service: host.service, listen: "127.0.0.1:0", tcp: null });
  onTestFinished(() => served.close());
  const ask = async (method: string, path: string, body?: object) => {
    const init = { method, headers: { "content-type": "application/json" } };
    const response = await fetch(`${served.url}/v1/conditions/${path}`, {
      ...init,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return response.status === 204 ? { status: 204 } : { ...(await response.json()), status: response.status };
  };
  return { host, ask };
}

describe("a kind of the application", () => {
  test("is defined, shown, replaced and removed over HTTP, and stopped once each time", async () => {
    const { kind, seen, set } = probe();
    const { ask } = await serving({ "rack-heat": kind });
    const definition = { kind: "rack-heat", rack: "a" };
    expect(await ask("PUT", "heat", definition)).toMatchObject({
      status: 201,
      ...definition,
      observed: true,
      value: 1,
    });
    // What GET shows can be PUT back, and begins nothing anew.
    const { status: _status, ...shown } = await ask("GET", "heat");
    expect(await ask("PUT", "heat", shown)).toMatchObject({ status: 200 });
    set("hot");
    expect(await ask("GET", "heat")).toMatchObject({ value: "hot" });
    set(undefined);
    expect(await ask("GET", "heat")).toMatchObject({ value: null });
    await ask("PUT", "twice", { kind: "expression", expression: "heat * 2" });
    const former = set;
    expect(await ask("PUT", "heat", { ...definition, every: 7, observed: false })).toMatchObject({ observed: false });
    former(21);
    expect(await ask("GET", "twice")).toMatchObject({ value: 42 });
    expect(await ask("DELETE", "heat")).toMatchObject({ code: "condition_in_use" });
    await ask("DELETE", "twice");
    expect(await ask("DELETE", "heat")).toMatchObject({ status: 204 });
    set(3);
    expect(seen).toEqual(['start {"rack":"a","every":5}', 'start {"rack":"a","every":7}', "stop", "stop"]);
  });

  test("is stopped once when the host is closed", async () => {
    const { kind, seen } = probe();
    const host = await open({ conditionKinds: { heat: kind } });
    const { conditions } = host.service;
    conditions.put("x", conditions.definitionFrom({ kind: "heat", rack: "a" }, "x"));
    host.close();
    host.close();
    expect(seen.filter((what) => what === "stop")).toHaveLength(1);
  });

  test.each([
    ["a kind that is not there", { kind: "heta", rack: "a" }, { code: "invalid_value", value: "heta" }],
    ["a field that its schema refuses", { kind: "heat", rack: 1 }, { code: "invalid_value", value: "rack" }],
    ["a field that it does not know", { kind: "heat", rack: "a", colour: 1 }, { code: "invalid_value" }],
    ["a lease that is none", { kind: "heat", rack: "a", leaseMs: 0 }, { code: "invalid_value", value: 0 }],
    ["another name", { kind: "heat", rack: "a", name: "y" }, { code: "invalid_value", value: "y" }],
    ["a start that throws", { kind: "broken" }, { code: "invalid_value", value: "broken" }],
    ["a schema that makes one wait", { kind: "slow" }, { code: "invalid_value", value: "slow" }],
  ])("refuses %s, and defines nothing", async (_what, definition, problem) => {
    const { kind } = probe();
    const broken = probe({
      schema: z.object({}),
      start() {
        throw new Error("no sensor");
      },
    });
    const slow = probe({ schema: z.object({}).refine(async () => true) });
    const { host, ask } = await serving({ heat: kind, broken: broken.kind, slow: slow.kind });
    expect(await ask("PUT", "x", definition)).toMatchObject({ status: 422, ...problem });
    expect(host.service.conditions.count).toBe(0);
  });

  test("tells the kinds that there are", async () => {
    const { ask } = await serving({ heat: probe().kind });
    const { limit } = await ask("PUT", "x", { kind: "heta" });
    expect(limit).toEqual(expect.arrayContaining(["value", "monitor", "heat"]));
  });

  test("hears what it may not set, and keeps what it throws when it is stopped to itself", async () => {
    const { kind, set } = probe({
      start(_settings, give) {
        give(1);
        held = give;
        return () => {
          throw new Error("stuck");
        };
      },
    });
    let held: (value: ConditionValue) => void = set;
    const { host, ask } = await serving({ heat: kind });
    await ask("PUT", "x", { kind: "heat", rack: "a" });
    for (const wrong of [
      Number.NaN,
      Number.POSITIVE_INFINITY,
      "x".repeat(1_025),
      {} as string,
      null as unknown as string,
    ])
      expect(() => held(wrong)).toThrow(/value/);
    expect(await ask("GET", "x")).toMatchObject({ value: 1 });
    expect(await ask("PUT", "x/value", { value: 2 })).toMatchObject({ code: "invalid_value" });
    expect(await ask("DELETE", "x")).toMatchObject({ status: 204 });
    expect(host.service.conditions.count).toBe(0);
  });

  test("has a name of its own", async () => {
    await expect(open({ conditionKinds: { counter: probe().kind } })).rejects.toMatchObject({ code: "contradiction" });
    await expect(open({ conditionKinds: { "No Name": probe().kind } })).rejects.toMatchObject({
      code: "invalid_value",
    });
  });
});
