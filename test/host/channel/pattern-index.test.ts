/** Goal: the index finds what the expressions find, and looks at little. Method: random patterns and names against matcherOf(). */
import { describe, expect, test } from "vitest";
import { matcherOf } from "../../../host/channel/pattern.ts";
import { PatternIndex } from "../../../host/channel/pattern-index.ts";
import { createRandom, seedOfRun } from "../../hostile/mutate.ts";

function found(index: PatternIndex<string>, name: string): string[] {
  return index.matching(name).sort();
}

describe("PatternIndex", () => {
  test("finds the patterns that match, each entry once", () => {
    const index = new PatternIndex<string>();
    for (const pattern of ["sensors.*", "sensors.>", ">", "*.a", "sensors.a", "sensors/a", "*"])
      index.add(pattern, pattern);
    expect(found(index, "sensors.a")).toEqual(["*.a", ">", "sensors.*", "sensors.>", "sensors.a"]);
    expect(found(index, "sensors.a.b")).toEqual([">", "sensors.>"]);
    expect(found(index, "sensors")).toEqual(["*", ">"]);
    expect(found(index, "sensors.")).toEqual([">"]);
    expect(found(index, "sensors/a")).toEqual([">", "sensors/a"]);
  });

  test("forgets what is deleted, and only that", () => {
    const index = new PatternIndex<string>();
    index.add("a.*", "one");
    index.add("a.*", "two");
    index.add("a.*.c", "three");
    expect(index.delete("a.*", "three")).toBe(false);
    expect(index.delete("b.*", "one")).toBe(false);
    expect(index.delete("a.*", "one")).toBe(true);
    expect(index.delete("a.*", "one")).toBe(false);
    expect([found(index, "a.b"), found(index, "a.b.c"), index.count]).toEqual([["two"], ["three"], 2]);
    index.delete("a.*.c", "three");
    index.delete("a.*", "two");
    expect([found(index, "a.b"), index.count]).toEqual([[], 0]);
  });

  test("finds what matcherOf() finds, of random patterns and names", () => {
    const seed = seedOfRun();
    const random = createRandom(seed);
    const pick = <Item>(items: readonly Item[]): Item => items[random(items.length)] as Item;
    const text = (tokens: readonly string[], last: readonly string[]): string => {
      let made = pick(tokens);
      for (let rest = random(4); rest > 0; rest--) made += pick([".", "/"]) + pick(rest === 1 ? last : tokens);
      return made;
    };
    const index = new PatternIndex<string>();
    const patterns = new Set(
      Array.from({ length: 600 }, () => text(["a", "b", "ab", "*", "*"], ["a", "", "*", ">", ">"])),
    );
    for (const pattern of patterns) index.add(pattern, pattern);
    for (const pattern of [...patterns].slice(0, 200)) {
      index.delete(pattern, pattern);
      patterns.delete(pattern);
    }
    const matchers = Array.from(patterns, (pattern) => ({ pattern, matches: matcherOf(pattern) }));
    for (let round = 0; round < 2_000; round++) {
      const name = text(["a", "b", "ab", ""], ["a", "b", "ab", ""]);
      const wanted = matchers.filter(({ matches }) => matches.test(name)).map(({ pattern }) => pattern);
      expect(found(index, name), `seed ${seed}, name ${name}`).toEqual(wanted.sort());
    }
  });

  test("costs a name that matches nothing the same with 10 and with 100,000 other patterns", () => {
    const index = new PatternIndex<number>();
    const cost = (): number => {
      const from = performance.now();
      for (let round = 0; round < 20_000; round++) index.matching(`none.${round}.x`);
      return performance.now() - from;
    };
    for (let at = 0; at < 10; at++) index.add(`p${at}.*`, at);
    cost();
    const few = Math.min(cost(), cost(), cost());
    for (let at = 0; at < 100_000; at++) index.add(`p${at}.*.>`, at);
    // A scan would take ten thousand times as long.
    expect(Math.min(cost(), cost(), cost())).toBeLessThan(few * 20 + 20);
  });
});
