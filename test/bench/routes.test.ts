import { expect, test } from "vitest";
import { judge, type Row } from "../../bench/goals.mjs";
import { encodeRoutes } from "../../bench/route/encode.mjs";
import * as abi from "../../core-wasm/abi.ts";

const constant = (name: string): number => {
  const value: unknown = Reflect.get(abi, name);
  if (typeof value !== "number") throw new Error(`no ${name}`);
  return value;
};

test("encodeRoutes() writes a count and a record each, with none where nothing is said", () => {
  const bytes = encodeRoutes(constant, [
    { when: 5, where: 6, orderBy: 7, per: 8, limit: 3, choose: "tied", descending: true, charge: 0.5, maxAgeMs: 900 },
    {},
  ]);
  const view = new DataView(bytes.buffer);
  const word = (route: number, index: number) => view.getUint32(8 + route * abi.ROUTE_RECORD_BYTES + index * 4, true);
  const number = (route: number, index: number) =>
    view.getFloat64(8 + route * abi.ROUTE_RECORD_BYTES + index * 4, true);
  expect(bytes).toHaveLength(8 + 2 * abi.ROUTE_RECORD_BYTES);
  expect([view.getUint32(0, true), view.getUint32(4, true)]).toEqual([2, 0]);
  const programs = [abi.ROUTE_WHEN, abi.ROUTE_WHERE, abi.ROUTE_ORDER_BY, abi.ROUTE_PER];
  expect(programs.map((index) => word(0, index))).toEqual([5, 6, 7, 8]);
  expect(programs.map((index) => word(1, index))).toEqual([0, 0, 0, 0]);
  expect([word(0, abi.ROUTE_FLAGS), word(1, abi.ROUTE_FLAGS)]).toEqual([abi.ROUTE_DESCENDING, 0]);
  expect([word(0, abi.ROUTE_CHOOSE), word(1, abi.ROUTE_CHOOSE)]).toEqual([abi.CHOOSE_TIED, abi.CHOOSE_BEST]);
  expect([word(0, abi.ROUTE_LIMIT_NUMBER), word(1, abi.ROUTE_LIMIT_NUMBER)]).toEqual([3, abi.ROUTE_NO_LIMIT]);
  expect([number(0, abi.ROUTE_CHARGE), number(1, abi.ROUTE_CHARGE)]).toEqual([0.5, 0]);
  expect([number(0, abi.ROUTE_MAX_AGE_MS), number(1, abi.ROUTE_MAX_AGE_MS)]).toEqual([900, Number.POSITIVE_INFINITY]);
});

const row = (peer: string, repetition: number, ns: number): Row => ({ cell: "route", peer, repetition, ns });

test("judge() holds what a blocking filter costs after more events against the cost after the fewest, medians of each", () => {
  const rows = [
    ...[100, 300, 110].map((ns, repetition) => row("blocked-out-1000", repetition, ns)),
    ...[130, 120, 400].map((ns, repetition) => row("blocked-out-10000", repetition, ns)),
    ...[90, 100, 95].map((ns, repetition) => row("blocked-out-100000", repetition, ns)),
    row("blocked-in-1000", 0, 500),
    row("blocked-in-10000", 0, 400),
    row("update-1000", 0, 380),
  ];
  const verdicts = new Map(judge(rows).map((verdict) => [verdict.id, verdict]));
  const growth = verdicts.get("route-blocked-out");
  // Without the first 260 by 205, without the second 265 by 105, without the third 125 by 200.
  expect(growth?.value).toBeCloseTo(260 / 205, 9);
  expect([growth?.low, growth?.high]).toEqual([125 / 200, 265 / 105]);
  // That it falls is no fault.
  expect(verdicts.get("route-blocked-in")).toMatchObject({ value: 0.8, verdict: "aim" });
  expect(verdicts.get("route-update")).toMatchObject({ value: 380, verdict: "floor" });
  expect(verdicts.get("route-updates")?.value).toBeCloseTo(3.8, 9);
});

test("judge() tells a filter that slows down from one whose samples scatter", () => {
  const scatter = [0.9, 1.3, 1, 0.8, 1.1, 1.6, 0.95];
  const costs = (peer: string, ns: number, from: number) =>
    scatter.map((_, repetition) => row(peer, repetition, ns * (scatter[(repetition + from) % scatter.length] ?? 1)));
  const verdictOf = (rows: Row[]) => judge(rows).find(({ id }) => id === "route-blocked-in")?.verdict;
  const fewest = costs("blocked-in-1000", 100, 0);
  expect(verdictOf([...fewest, ...costs("blocked-in-1000000", 100, 3)])).toBe("aim");
  expect(verdictOf([...fewest, ...costs("blocked-in-1000000", 140, 3)])).toBe("missed");
});
