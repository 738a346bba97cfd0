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

  test("there is no evaluator yet, and GET is not for the clock", async () => {
    const { ask } = controlled();
    expect((await ask("POST", "/v1/test/evaluator", { paused: true })).status).toBe(404);
    expect((await ask("GET", "/v1/test/clock")).status).toBe(405);
  });
});
