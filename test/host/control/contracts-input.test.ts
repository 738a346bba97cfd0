/**
 * Goal: contracts that cannot be, or never rest, have a defined outcome: a clear refusal, or a state that tells.
 */
import { describe, expect, test } from "vitest";
import { createTestControl } from "./support.ts";

const path = "/v1/contracts/c";

/** A region within a region, so many levels deep. */
function nested(levels: number): object {
  let region: object = { name: "r", when: "x > 0" };
  for (let level = 1; level < levels; level++) region = { name: "r", when: "x > 0", regions: [region] };
  return { regions: [region] };
}

async function controlled() {
  const control = createTestControl();
  for (const [name, definition] of Object.entries({
    x: { kind: "value" },
    mode: { kind: "value", initial: "full" },
    on: { kind: "value", initial: true },
    never: { kind: "average" },
  }))
    await control.ask("PUT", `/v1/conditions/${name}`, definition);
  const put = async (definition: object) => (await control.ask("PUT", path, definition)).json;
  return { ...control, put };
}

describe("too much of it", () => {
  test.each([
    ["10,000 regions", { regions: Array.from({ length: 10_000 }, (_, i) => ({ name: `r${i}`, when: "x > 0" })) }, 256],
    ["40 levels", nested(40), 32],
    ["64 levels, as deep as no JSON may be,", nested(64), 128],
    ["2,000 levels", nested(2_000), 128],
  ])("%s are refused with the limit", async (_, definition, limit) => {
    const { put, ask } = await controlled();
    expect(await put(definition)).toMatchObject({ status: 422, code: "limit_reached", limit });
    expect((await ask("GET", path)).status).toBe(404);
  });

  test("as much as there may be is taken, and works", async () => {
    const { put, ask } = await controlled();
    expect((await put(nested(32)))["path"]).toBeDefined();
    await ask("PUT", "/v1/conditions/x/value", { value: 1 });
    expect((await ask("POST", `${path}/evaluate`)).json["path"]).toHaveLength(32);
    const regions = Array.from({ length: 256 }, (_, i) => ({ name: `r${i}`, when: `x = ${i}` }));
    await put({ regions });
    await ask("PUT", "/v1/conditions/x/value", { value: 255 });
    expect((await ask("POST", `${path}/evaluate`)).json["path"]).toEqual(["r255"]);
  });
});

describe("values that do not compare", () => {
  test.each([
    ["a condition without a value", "never < 1"],
    ["its negation by operator", "never >= 1"],
    ["a quotient that no number can say", "x / 0 < 1"],
    ["infinity less infinity, which is NaN", "1.0e308 * 10.0 - 1.0e308 * 10.0 + x < 1"],
    ["NaN that equals nothing", "1.0e308 * 10.0 - 1.0e308 * 10.0 + x = 1.0e308 * 10.0 - 1.0e308 * 10.0 + x"],
    ["a text with a number", "mode < 1"],
    ["a text with a number that it is not", "mode != 1"],
    ["a text where TRUE or FALSE is asked", "mode = TRUE"],
  ])("%s: the region does not hold", async (_, when) => {
    const { put, ask } = await controlled();
    const made = await put({ regions: [{ name: "holds", when }, { name: "else" }] });
    expect(made["code"]).toBeUndefined();
    expect((await ask("POST", `${path}/evaluate`)).json["path"]).toEqual(["else"]);
  });

  test("where no number can be said a region is no candidate for the most", async () => {
    const { put, ask } = await controlled();
    const regions = [
      { name: "none", when: "never" },
      { name: "text", when: "mode" },
      { name: "broken", when: "x / 0.0" },
      { name: "low", when: "x - 5" },
    ];
    await put({ select: "max", regions });
    expect((await ask("POST", `${path}/evaluate`)).json["path"]).toEqual(["low"]);
  });
});

test("one that marks itself for ever is told, and its neighbours keep their turn", async () => {
  const { put, ask, service } = await controlled();
  const flip = [
    { from: "*", to: "down", do: [{ set: { x: 0 } }] },
    { from: "*", to: "up", do: [{ set: { x: 1 } }] },
  ];
  await ask("PUT", "/v1/contracts/neighbour", { regions: [{ name: "on", when: "on" }, { name: "off" }] });
  // Each region ends what it holds by.
  await put({ regions: [{ name: "up", when: "x = 0" }, { name: "down" }], transitions: flip });
  await ask("POST", `${path}/evaluate`);
  const before = (await ask("GET", path)).json["evaluations"] as number;
  expect(before).toBeGreaterThan(50);
  expect(service.statistics()["contractsRestlessTotal"]).toBeGreaterThan(0);
  await ask("PUT", "/v1/conditions/on/value", { value: false });
  expect((await ask("POST", "/v1/contracts/neighbour/evaluate")).json["path"]).toEqual(["off"]);
  expect((await ask("DELETE", path)).status).toBe(204);
});

test("of two writers the second is told that it has seen another one", async () => {
  const { put, ask } = await controlled();
  await put({ regions: [{ name: "a" }] });
  const etag = (await ask("GET", path)).headers.get("etag") ?? "";
  const headers = { "if-match": etag };
  expect((await ask("PUT", path, { regions: [{ name: "b" }] }, headers)).status).toBe(200);
  expect((await ask("PUT", path, { regions: [{ name: "c" }] }, headers)).json).toMatchObject({
    status: 412,
    code: "precondition_failed",
  });
  expect((await ask("DELETE", path, undefined, headers)).status).toBe(412);
  expect((await ask("GET", path)).json["regions"]).toEqual([{ name: "b" }]);
});

test("expressions over conditions that go in a circle are refused with the names", async () => {
  const { ask } = await controlled();
  const derive = async (name: string, expression: string) =>
    (await ask("PUT", `/v1/conditions/${name}`, { kind: "expression", expression })).json;
  await derive("y", "x + 1");
  await derive("z", "y + 1");
  expect(await derive("y", "z + 1")).toMatchObject({ status: 422, code: "contradiction", value: "z", limit: "y" });
  expect((await ask("GET", "/v1/conditions/y")).json).toMatchObject({ expression: "x + 1", value: 1 });
});
