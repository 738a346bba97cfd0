import { expect, test } from "vitest";
import { randomFrom } from "../../bench/match/random.mjs";
import { drawAttributes, drawExpressions } from "../../bench/match/workload.mjs";
import { parse } from "../../host/expression/parse.ts";

const COUNT = 2_000;
const many = <T>(draw: () => T) => Array.from({ length: COUNT }, draw);

test("randomFrom() gives the same numbers for the same seed, evenly from 0 to 1", () => {
  const [one, other] = [many(randomFrom(7)), many(randomFrom(7))];
  expect(other).toEqual(one);
  expect(many(randomFrom(8))).not.toEqual(one);
  expect(Math.min(...one)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...one)).toBeLessThan(1);
  expect(one.reduce((sum, value) => sum + value, 0) / COUNT).toBeCloseTo(0.5, 1);
});

test.each([
  { mix: "mix", share: 0.7 },
  { mix: "equal", share: 1 },
  { mix: "ranges", share: 0 },
] as const)("drawExpressions() of $mix has an equality in $share of them, and all can be read", ({ mix, share }) => {
  const drawn = many(drawExpressions(mix, 3));
  for (const expression of drawn) parse(expression, "sluice");
  expect(drawn.filter((expression) => expression.includes(" = ")).length / COUNT).toBeCloseTo(share, 1);
  expect(new Set(drawn).size).toBeGreaterThan(COUNT / 2);
});

test("drawAttributes() carries each of 20 attributes with a probability of 60 %", () => {
  const drawn = many(drawAttributes(5));
  const names = new Map<string, number>();
  for (const attributes of drawn)
    for (const name of Object.keys(attributes)) names.set(name, (names.get(name) ?? 0) + 1);
  expect(names.size).toBe(20);
  for (const [name, times] of names) expect(times / COUNT, name).toBeCloseTo(0.6, 1);
  expect(new Set(drawn.map(({ c0 }) => c0).filter(Boolean)).size).toBeGreaterThan(500);
});
