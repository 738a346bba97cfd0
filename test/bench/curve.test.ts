import { expect, test } from "vitest";
import { curveChart, scaleOf } from "../../bench/report/curve.mjs";

test.each([
  { values: [1000, 1_000_000], powers: [1000, 10_000, 100_000, 1_000_000] },
  { values: [0.5, 20], powers: [0.1, 1, 10, 100] },
  { values: [7], powers: [1, 10] },
  { values: [10], powers: [10, 100] },
])("scaleOf($values) spans whole powers of ten", ({ values, powers }) => {
  const scale = scaleOf(values, 0, 100);
  expect(scale.powers).toHaveLength(powers.length);
  for (const [index, power] of powers.entries()) expect(scale.powers[index]).toBeCloseTo(power, 9);
  expect(scale.place(powers[0] ?? 0)).toBeCloseTo(0, 6);
  expect(scale.place(powers.at(-1) ?? 0)).toBeCloseTo(100, 6);
});

test("curveChart() draws a line per curve, leaves out what cannot be placed, and escapes", () => {
  const points = [
    { x: 10, y: 1 },
    { x: 100, y: Number.NaN },
    { x: 1000, y: 5 },
  ];
  const chart = curveChart("a < b", "µs", "sinks", [
    { label: "one", peer: "core", points },
    { label: "none", peer: "core", points: [] },
  ]);
  expect(chart.match(/<polyline/g)).toHaveLength(1);
  expect(chart.match(/<circle/g)).toHaveLength(2);
  expect(chart).toContain("a &#60; b");
  expect(curveChart("t", "", "", [])).toBe("");
});
