import { describe, expect, test } from "vitest";
import { createManualClock } from "../../../host/clock.ts";
import { limits } from "../../../host/limits.ts";
import { createTestControl } from "./support.ts";

function controlled() {
  const clock = createManualClock();
  const told: string[] = [];
  const control = createTestControl({ testControls: { clock, settle: () => told.push(`settled@${clock.now()}`) } });
  return { ...control, clock, told };
}

describe("without test controls", () => {
  test.each([
    ["POST", "/v1/test/clock"],
    ["GET", "/v1/test/clock"],
    ["POST", "/v1/test/evaluator"],
    ["GET", "/v1/test"],
  ])("%s %s is 404, and the description does not name it", async (method, path) => {
    const { ask } = createTestControl();
    expect((await ask(method, path, method === "POST" ? { advanceMs: 1 } : undefined)).json).toMatchObject({
      status: 404,
      code: "not_found",
    });
    expect((await ask("GET", "/openapi.json")).text).not.toContain("/v1/test");
  });
});

describe("POST /v1/test/clock", () => {
  test("runs due timers in order, and answers when all is flushed", async () => {
    const { ask, clock, told } = controlled();
    clock.setTimer(() => told.push(`b@${clock.now()}`), 20);
    clock.setTimer(() => told.push(`a@${clock.now()}`), 10);
    clock.setTimer(() => told.push("later"), 21);
    const { status, json } = await ask("POST", "/v1/test/clock", { advanceMs: 20 });
    expect([status, json]).toEqual([200, { nowMs: 20, timers: 2 }]);
    expect(told).toEqual(["settled@0", "a@10", "b@20", "settled@20"]);
    expect((await ask("POST", "/v1/test/clock", { advanceMs: 0 })).json).toEqual({ nowMs: 20, timers: 0 });
    expect((await ask("POST", "/v1/test/clock", { advanceMs: 0.5 })).json).toEqual({ nowMs: 20.5, timers: 0 });
  });

  test.each([
    [{}, 422, "invalid_value"],
    [{ advanceMs: -1 }, 422, "invalid_value"],
    [{ advanceMs: "5" }, 422, "invalid_value"],
    [{ advanceMs: limits.testAdvanceMs + 1 }, 422, "invalid_value"],
    [{ advanceMs: 1, step: 2 }, 400, "unknown_field"],
    ["nonsense", 400, "malformed"],
  ])("refuses %j with %i %s, and time stands still", async (body, status, code) => {
    const { ask, clock } = controlled();
    expect((await ask("POST", "/v1/test/clock", body)).json).toMatchObject({ status, code });
    expect(clock.now()).toBe(0);
  });

  test("stops at a timer that sets itself again without end, and says where", async () => {
    const { ask, clock } = controlled();
    const again = (): void => void clock.setTimer(again, 0);
    again();
    expect((await ask("POST", "/v1/test/clock", { advanceMs: 5 })).json).toMatchObject({
      code: "limit_reached",
      value: limits.testTimers,
      limit: limits.testTimers,
    });
  });

  test("is not for GET", async () => {
    const { ask } = controlled();
    expect((await ask("GET", "/v1/test/clock")).status).toBe(405);
  });
});

describe("POST /v1/test/evaluator", () => {
  async function contracted() {
    const control = controlled();
    const { ask } = control;
    await ask("PUT", "/v1/conditions/x", { kind: "value" });
    await ask("PUT", "/v1/conditions/y", { kind: "value" });
    const transitions = [{ from: "*", to: "high", do: [{ set: { y: 1 } }] }];
    // The later one is looked at in the same pass, the earlier one in the next.
    const regions = (name: string) => [{ name: "high", when: `${name} > 0` }, { name: "low" }];
    await ask("PUT", "/v1/contracts/first", { regions: regions("y") });
    await ask("PUT", "/v1/contracts/second", { regions: regions("x"), transitions });
    await ask("PUT", "/v1/contracts/third", { regions: regions("y") });
    await ask("POST", "/v1/contracts/first/evaluate");
    const paths = async () =>
      Promise.all(
        ["first", "second", "third"].map(async (name) => (await ask("GET", `/v1/contracts/${name}`)).json["path"]),
      );
    return { ...control, paths };
  }

  test("pauses, and runs one pass at a time", async () => {
    const { ask, paths } = await contracted();
    expect((await ask("POST", "/v1/test/evaluator", { paused: true })).json).toEqual({ paused: true, passes: 0 });
    await ask("PATCH", "/v1/conditions", { values: { x: 1 } });
    await ask("POST", "/v1/contracts/second/evaluate");
    expect(await paths()).toEqual([["low"], ["low"], ["low"]]);
    expect((await ask("POST", "/v1/test/evaluator", { step: 1 })).json).toEqual({ paused: true, passes: 1 });
    expect(await paths()).toEqual([["low"], ["high"], ["high"]]);
    expect((await ask("POST", "/v1/test/evaluator", { step: 1 })).json).toEqual({ paused: true, passes: 1 });
    expect(await paths()).toEqual([["high"], ["high"], ["high"]]);
    await ask("PATCH", "/v1/conditions", { values: { x: 0, y: 0 } });
    expect((await ask("POST", "/v1/test/evaluator", { paused: false })).json).toEqual({ paused: false, passes: 0 });
    await ask("POST", "/v1/contracts/first/evaluate");
    expect(await paths()).toEqual([["low"], ["low"], ["low"]]);
  });

  test.each([
    [{}, 422, "invalid_value"],
    [{ paused: "yes" }, 422, "invalid_value"],
    [{ step: 0 }, 422, "invalid_value"],
    [{ step: 1.5 }, 422, "invalid_value"],
    [{ step: limits.contractPasses + 1 }, 422, "invalid_value"],
    [{ paused: true, step: 1 }, 400, "unknown_field"],
  ])("refuses %j with %i %s", async (body, status, code) => {
    const { ask } = controlled();
    expect((await ask("POST", "/v1/test/evaluator", body)).json).toMatchObject({ status, code });
  });
});
