/**
 * Goal: the evaluator of the core finds the same paths, the same transitions in the same order and the same counts as the rules say.
 * Reference: a slow evaluator that walks the definition anew each time, written from the rules and not from the core.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { contractFromJson } from "../../host/contract/schema.ts";
import { createTestConditions } from "../host/condition/support.ts";
import { contractsOver } from "../host/contract/support.ts";
import { propertyParameters, timeoutMs } from "./runs.ts";

const NAMES = ["a", "b", "c"];
const REGIONS = ["P", "Q", "R"];

interface Rule {
  readonly name: string;
  readonly limit: number;
}
interface Drawn {
  readonly name: string;
  readonly when: Rule | undefined;
  readonly exit: Rule | undefined;
  readonly select: "first" | "max" | "min";
  readonly children: readonly Drawn[];
}
type Values = Record<string, number>;

const rule = fc.record({ name: fc.constantFrom(...NAMES), limit: fc.integer({ min: 0, max: 3 }) });
const { drawn } = fc.letrec<{ drawn: Drawn }>((tie) => ({
  drawn: fc.record({
    name: fc.constant(""),
    when: fc.option(rule, { nil: undefined, freq: 4 }),
    exit: fc.option(rule, { nil: undefined, freq: 1 }),
    select: fc.constantFrom("first" as const, "first" as const, "max" as const, "min" as const),
    children: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constant([]),
      fc.array(tie("drawn"), { maxLength: 3 }),
    ),
  }),
}));

/** Gives regions their names, and what their parent's way of choosing asks of them. */
function tidied(region: Drawn, name: string, path: string): Drawn {
  const { select } = region;
  const children = region.children.slice(0, 3).map((child, index, all) => {
    const own = `${path}${REGIONS[index]}`;
    const needs = select !== "first" || index < all.length - 1;
    const when = child.when ?? (needs ? { name: "a", limit: 1 } : undefined);
    return tidied({ ...child, when }, own, own);
  });
  return { ...region, name, children };
}

const jsonOf = (region: Drawn, parent: Drawn | undefined): object => ({
  name: region.name,
  select: region.select,
  ...(region.when === undefined
    ? {}
    : {
        when:
          parent?.select === "first"
            ? `${region.when.name} >= ${region.when.limit}`
            : `${region.when.name} * ${region.when.limit}`,
      }),
  ...(region.exit === undefined ? {} : { exit: `${region.exit.name} >= ${region.exit.limit}` }),
  ...(region.children.length === 0 ? {} : { regions: region.children.map((child) => jsonOf(child, region)) }),
});

const allOf = (region: Drawn): Drawn[] => region.children.flatMap((child) => [child, ...allOf(child)]);
const holds = ({ name, limit }: Rule, values: Values): boolean => (values[name] as number) >= limit;

/** The child that is active, by the rules. */
function chosen(region: Drawn, values: Values): Drawn | undefined {
  if (region.select === "first") return region.children.find(({ when }) => when === undefined || holds(when, values));
  const rank = ({ when }: Drawn): number => (values[when?.name ?? ""] as number) * (when?.limit ?? 0);
  let best: Drawn | undefined;
  for (const child of region.children) {
    const isBetter =
      best === undefined || (region.select === "max" ? rank(child) > rank(best) : rank(child) < rank(best));
    if (isBetter) best = child;
  }
  return best;
}

/** The next path, undefined where no region holds. */
function nextPath(root: Drawn, old: readonly Drawn[], values: Values): Drawn[] | undefined {
  let kept = old.length;
  while (kept > 0) {
    const { exit } = old[kept - 1] as Drawn;
    if (exit !== undefined && !holds(exit, values)) break;
    kept--;
  }
  const path = old.slice(0, kept);
  let region = path.at(-1) ?? root;
  while (region.children.length > 0) {
    const next = chosen(region, values);
    if (next === undefined) return undefined;
    path.push(next);
    region = next;
  }
  return path;
}

/** Transitions between two paths, in order. */
function between(old: readonly Drawn[], path: readonly Drawn[], isListed: boolean): string[] {
  const level = path.findIndex((region, index) => region !== old[index]);
  if (level === -1) return [];
  const [left, entered] = [old[level], path[level]];
  const exits = old.slice(level + 1).map(({ name }) => `${name}->*`);
  const enters = path.slice(level + 1).map(({ name }) => `*->${name}`);
  const exit = left === undefined ? [] : [`${left.name}->*`];
  const cross = left === undefined || entered === undefined ? [] : [`${left.name}->${entered.name}`];
  const enter = entered === undefined ? [] : [`*->${entered.name}`];
  return isListed
    ? [...exit, ...enter, ...cross, ...exits, ...enters]
    : [...exits.reverse(), ...exit, ...cross, ...enter, ...enters];
}

const steps = fc.array(
  fc.array(fc.tuple(fc.constantFrom(...NAMES), fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: 4 }),
  { maxLength: 20 },
);

describe("contracts", () => {
  test("are evaluated as the rules say", { timeout: timeoutMs(60_000) }, () => {
    const world = createTestConditions();
    for (const name of NAMES) world.put(name, { kind: "value" });
    const contracts = contractsOver(world);
    const tops = fc.array(drawn, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(tops, fc.boolean(), steps, (children, isListed, trace) => {
        world.set({ a: 0, b: 0, c: 0 });
        const root = tidied({ name: "", when: undefined, exit: undefined, select: "first", children }, "", "");
        const regions = allOf(root);
        const siblings = regions.flatMap((region) => {
          const parent = [root, ...regions].find(({ children: all }) => all.includes(region));
          return (parent?.children ?? []).map((other) => [region.name, other.name]);
        });
        const transitions = [
          ...regions.flatMap(({ name }) => [
            ["*", name],
            [name, "*"],
          ]),
          ...siblings.filter(([from, to]) => from !== to),
        ].map(([from, to]) => ({ from, to }));
        const definition = {
          regions: root.children.map((child) => jsonOf(child, root)),
          order: isListed ? "listed" : "nested",
          transitions,
        };
        contracts.put("c", contractFromJson(definition, "c"));
        const values: Values = { a: 0, b: 0, c: 0 };
        let path: readonly Drawn[] = [];
        let evaluations = 0;
        const hits = new Map<string, number>();
        const handlers: string[] = [];
        const look = (isMarked: boolean): void => {
          contracts.run();
          if (isMarked) {
            evaluations++;
            const next = nextPath(root, path, values);
            if (next !== undefined) {
              for (const { name } of next) hits.set(name, (hits.get(name) ?? 0) + 1);
              handlers.push(...between(path, next, isListed));
              path = next;
            }
          }
          const read = contracts.read("c");
          expect(read.path).toEqual(path.map(({ name }) => name));
          expect(read.evaluations).toBe(evaluations);
        };
        look(true);
        const used = new Set(
          regions.flatMap(({ when, exit }) => [when?.name, exit?.name]).filter((name) => name !== undefined),
        );
        let triggers = 1;
        for (const writes of trace) {
          let isMarked = false;
          for (const [name, value] of writes) {
            world.set({ [name]: value });
            if (values[name] !== value && used.has(name)) {
              isMarked = true;
              triggers++;
            }
            values[name] = value;
          }
          look(isMarked);
        }
        const read = contracts.read("c");
        expect(read.triggers).toBe(triggers);
        const counted = Object.entries(read.hits).map(([name, count]) => [name.split("/").at(-1), count] as const);
        for (const [name, count] of counted) expect(count).toBe(hits.get(name ?? "") ?? 0);
        const kept = contracts.history("c").flatMap((one) => one.handlers);
        expect(kept).toEqual(handlers);
        contracts.remove("c");
      }),
      propertyParameters(2_000),
    );
  });
});
