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

test("judge() holds the most of what a blocking filter costs against the least of the same round", () => {
  const row = (peer: string, repetition: number, ns: number): Row => ({ cell: "route", peer, repetition, ns });
  const rows = [
    row("blocked-out-1000", 0, 100),
    row("blocked-out-10000", 0, 110),
    row("blocked-out-1000", 1, 150),
    row("blocked-out-10000", 1, 100),
    row("blocked-in-1000", 0, 500),
    row("update-1000", 0, 380),
  ];
  const verdicts = new Map(judge(rows).map((verdict) => [verdict.id, verdict]));
  expect(verdicts.get("route-blocked-out")?.value).toBeCloseTo(1.3, 9);
  expect(verdicts.get("route-blocked-in")).toMatchObject({ value: 1, verdict: "aim" });
  expect(verdicts.get("route-update")).toMatchObject({ value: 380, verdict: "floor" });
  expect(verdicts.get("route-updates")?.value).toBeCloseTo(3.8, 9);
});
