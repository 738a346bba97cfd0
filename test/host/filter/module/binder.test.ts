/**
 * Which revision stands where: shared seats, switches with state, revisions that are taken back, and what is left at the end.
 */
import { describe, expect, test } from "vitest";
import { SluiceError } from "../../../../host/errors.ts";
import { Binder, type BoundModule } from "../../../../host/filter/module/binder.ts";
import type { Deciders, Target } from "../../../../host/filter/module/seat.ts";
import type { ModuleSource, ModuleVersion } from "../../../../host/filter/module/source.ts";
import type { ModuleBinding } from "../../../../host/filter/route.ts";
import type { Stage } from "../../../../host/filter/schema.ts";
import { batchOf, counterText, createBench, moduleText, TRAP, versionOf } from "./kit.ts";

/** Modules by name, each with its revisions; the last that was put is current. */
class Source implements ModuleSource {
  readonly #versions: ModuleVersion[] = [];
  readonly #current: ModuleVersion[] = [];
  #hear: (name: string) => void = () => {};

  put(version: ModuleVersion): void {
    this.#versions.push(version);
    this.#current.push(version);
    this.#hear(version.name);
  }

  resolve(name: string, digest?: string): ModuleVersion | undefined {
    if (digest === undefined) return this.#current.filter((one) => one.name === name).at(-1);
    return this.#versions.find((one) => one.name === name && one.digest === digest);
  }

  bindable(name: string, digest: string | undefined, stage: Stage): ModuleVersion {
    const version = this.resolve(name, digest);
    if (version === undefined) throw new SluiceError("filter_unknown", "none");
    if (!version.spec.manifest.hooks.includes(stage)) throw new SluiceError("invalid_value", `not at ${stage}`);
    return version;
  }

  onRevision(hear: (name: string) => void): void {
    this.#hear = hear;
  }

  rollback(name: string): ModuleVersion | undefined {
    if (this.#current.length < 2) return undefined;
    this.#current.pop();
    this.#hear(name);
    return this.resolve(name);
  }

  log(): void {}
}

/** A core that only keeps the books. */
class Books implements Deciders {
  readonly handles = new Set<number>();
  readonly bound = new Map<string, number>();
  readonly texts: string[] = [];
  refuse = false;
  #last = 0;

  add(): number {
    this.handles.add(++this.#last);
    return this.#last;
  }

  intern(_handle: number, text: string): void {
    this.texts.push(text);
  }

  bind({ channel, member }: Target, stage: Stage, handle: number): void {
    if (this.refuse) throw new Error("refused");
    this.bound.set(`${channel} ${member} ${stage}`, handle);
  }

  release(handle: number): void {
    expect([...this.bound.values()]).not.toContain(handle);
    this.handles.delete(handle);
  }

  /** The handle at the OUT stage of channel 1. */
  get out(): number {
    return this.bound.get("1 0 out") ?? 0;
  }
}

function setUp() {
  const bench = createBench();
  const source = new Source();
  const books = new Books();
  const { clocks, log, seed } = bench.deps;
  let settled = 0;
  const binder = new Binder({
    deciders: () => books,
    source,
    clocks,
    log,
    seed,
    pool: bench.pool,
    settle: () => void settled++,
  });
  const binding = (more: Partial<ModuleBinding> = {}): ModuleBinding => ({
    module: "test",
    digest: undefined,
    config: undefined,
    onError: undefined,
    fuel: undefined,
    ...more,
  });
  /** What the module of channel 1 says to so many events, and its revision. */
  const decide = (count = 1, stage: Stage = "out"): number[] => {
    const handle = books.bound.get(`1 0 ${stage}`) ?? 0;
    const decisions = binder.decide({ ...batchOf(count, 3), handle, stage });
    const words = [...decisions.words.subarray(0, count)];
    binder.rollBack();
    return words;
  };
  const counters = () => [...binder.totals.read()];
  return { ...bench, source, books, binder, binding, decide, counters, settled: () => settled };
}

const DROP = "(i32.const 0)";
const v = (version: number, text: string, more = {}) => versionOf(text, { version, ...more });

describe("binding", () => {
  test("both stages share an instance where they bind the same, and nothing is left when both have ended", () => {
    const { source, books, binder, binding, pool, decide } = setUp();
    source.put(v(1, counterText));
    const bound: BoundModule[] = [binder.bind(1, "out", binding()), binder.bind(1, "in", binding({ onError: "drop" }))];
    expect(pool.instances).toBe(1);
    expect(books.handles.size).toBe(1);
    // It counts the events of both.
    expect([...decide(3, "out"), ...decide(3, "in")]).toEqual([1, 1, 1, 1, 1, 0]);
    binder.bindMember(1, 7, "out", binding()).end();
    binder.bind(2, "out", binding()).end();
    expect(pool.instances).toBe(1);
    for (const one of bound) one.end();
    expect(pool).toMatchObject({ instances: 0, bytes: 0 });
    expect(books.handles.size).toBe(0);
    expect([...books.bound.values()]).toEqual([0, 0, 0, 0]);
    expect(binder.isUsed).toBe(false);
  });

  test.each<[string, Partial<ModuleBinding>]>([
    ["another configuration", { config: { limit: 2 } }],
    ["another revision", { digest: `sha256:${"2".padStart(64, "0")}` }],
  ])("they do not with %s", (_name, more) => {
    const { source, books, binder, binding, pool } = setUp();
    source.put(v(2, counterText));
    source.put(v(1, counterText));
    binder.bind(1, "out", binding());
    binder.bind(1, "in", binding(more));
    expect(pool.instances).toBe(2);
    expect(books.handles.size).toBe(2);
  });

  test("a binding in the place of another takes over, and the end of the other changes nothing", () => {
    const { source, books, binder, binding, decide, pool } = setUp();
    source.put(v(1, counterText));
    const one = binder.bind(1, "out", binding());
    decide(4);
    // The state goes on with another configuration, too.
    const two = binder.bind(1, "out", binding({ config: { limit: 6 } }));
    one.end();
    expect(decide(1)).toEqual([1]);
    const three = binder.bind(1, "out", binding({ config: { limit: 6 }, onError: "drop" }));
    expect(decide(2)).toEqual([1, 0]);
    two.end();
    expect(books.out).not.toBe(0);
    three.end();
    expect(books.out).toBe(0);
    expect(pool.instances).toBe(0);
  });

  test.each<[string, string, Partial<ModuleBinding>, object]>([
    ["no such module", counterText, { module: "none" }, { code: "filter_unknown" }],
    ["no such revision", counterText, { digest: "sha256:00" }, { code: "filter_unknown" }],
    [
      "a module without the hook",
      counterText,
      {},
      { code: "invalid_value", message: expect.stringContaining("at in") },
    ],
    [
      "one that refuses its configuration",
      moduleText({ more: `(func (export "sluice_init") (param i32 i32) (result i32) (i32.const 4))` }),
      {},
      { code: "invalid_value", message: expect.stringContaining("with 4") },
    ],
    [
      "one that traps at once",
      moduleText({ more: `(func (export "sluice_init") (param i32 i32) (result i32) unreachable)` }),
      {},
      { code: "invalid_value", message: expect.stringContaining("trap") },
    ],
    [
      "one that starts for ever",
      moduleText({ more: "(func $loop (loop $forever (br $forever))) (start $loop)" }),
      {},
      { code: "invalid_value", message: expect.stringContaining("fuel") },
    ],
  ])("%s is refused, and what was bound stays", (name, text, more, error) => {
    const { source, books, binder, binding, pool } = setUp();
    source.put(v(1, counterText, { name: "other" }));
    source.put(v(2, text, name.includes("hook") ? { hooks: ["out"] } : {}));
    const stage = name.includes("hook") ? "in" : "out";
    binder.bind(1, stage, binding({ module: "other" }));
    const before = books.bound.get(`1 0 ${stage}`);
    expect(() => binder.bind(1, stage, binding(more))).toThrow(expect.objectContaining(error));
    expect(books.bound.get(`1 0 ${stage}`)).toBe(before);
    expect(pool.instances).toBe(1);
    expect(books.handles.size).toBe(1);
  });

  test("what the core refuses leaves nothing behind", () => {
    const { source, books, binder, binding, pool } = setUp();
    source.put(v(1, counterText));
    books.refuse = true;
    expect(() => binder.bind(1, "out", binding())).toThrow("refused");
    expect(pool.instances).toBe(0);
    expect(books.handles.size).toBe(0);
  });

  test("there are as many instances as a host may have", () => {
    const { source, binder, binding, pool } = setUp();
    source.put(v(1, moduleText()));
    for (let channel = 1; channel <= 1_000; channel++) binder.bind(channel, "out", binding());
    expect(() => binder.bind(1_001, "out", binding())).toThrow(
      expect.objectContaining({ code: "limit_reached", limit: 1_000 }),
    );
    binder.clear();
    expect(pool).toMatchObject({ instances: 0, bytes: 0 });
  });

  test("constants get their numbers in the core", () => {
    const { source, books, binder, binding } = setUp();
    const more = `(import "sluice" "intern" (func $intern (param i32 i32) (result i32)))
      (data (i32.const 100) "loadtype\\ff")
      (func (export "sluice_init") (param i32 i32) (result i32)
        (if (i32.ne (call $intern (i32.const 100) (i32.const 4)) (i32.const 1)) (then (return (i32.const 1))))
        (if (i32.ne (call $intern (i32.const 104) (i32.const 4)) (i32.const 2)) (then (return (i32.const 2))))
        (if (i32.ne (call $intern (i32.const 100) (i32.const 4)) (i32.const 1)) (then (return (i32.const 3))))
        (call $intern (i32.const 108) (i32.const 1)))`;
    source.put(v(1, moduleText({ more })));
    binder.bind(1, "out", binding());
    expect(books.texts).toEqual(["load", "type"]);
  });
});

describe("another revision", () => {
  test("takes over at once with the state of the one before, at both stages", () => {
    const { source, books, binder, binding, decide, pool, counters } = setUp();
    source.put(v(1, counterText));
    binder.bind(1, "out", binding());
    binder.bind(1, "in", binding());
    decide(3);
    const before = books.out;
    source.put(v(2, counterText));
    expect(books.out).not.toBe(before);
    expect(books.bound.get("1 0 in")).toBe(books.out);
    expect([...decide(1, "out"), ...decide(2, "in")]).toEqual([1, 1, 0]);
    // The one before is kept for a while, then it is gone.
    expect(pool.instances).toBe(2);
    expect(counters().map(({ version, counters: { live }, switches }) => [version, live, switches])).toEqual([
      [1, 1, 0],
      [2, 1, 2],
    ]);
  });

  test("the one before is given up after a minute", () => {
    const { source, binder, binding, pool, clock, books } = setUp();
    source.put(v(1, counterText));
    binder.bind(1, "out", binding());
    source.put(v(2, counterText));
    clock.advance(59_999, 10);
    expect(pool.instances).toBe(2);
    clock.advance(1, 10);
    expect(pool.instances).toBe(1);
    expect(books.handles).toEqual(new Set([books.out]));
  });

  test("a binding with a digest stays", () => {
    const { source, binder, binding, books } = setUp();
    source.put(v(1, counterText));
    binder.bind(1, "out", binding({ digest: source.resolve("test")?.digest as string }));
    const before = books.out;
    source.put(v(2, counterText));
    expect(books.out).toBe(before);
    expect(binder.uses("test", source.resolve("test")?.digest as string)).toBe(0);
  });

  test.each([
    [
      "does not start",
      moduleText({ more: `(func (export "sluice_init") (param i32 i32) (result i32) unreachable)` }),
      {},
    ],
    ["lacks the hook", moduleText(), { hooks: ["in"] }],
  ])("one that %s does not take over", (_name, text, more) => {
    const { source, binder, binding, books, decide, lines } = setUp();
    source.put(v(1, counterText));
    binder.bind(1, "out", binding());
    const before = books.out;
    source.put(v(2, text, more));
    expect(books.out).toBe(before);
    expect(decide(6)).toEqual([1, 1, 1, 1, 1, 0]);
    expect(lines).toContainEqual(expect.objectContaining({ message: "filter module stays as it is" }));
  });

  test("one that cannot bear the state begins without", () => {
    const { source, binder, binding, decide } = setUp();
    source.put(v(1, counterText));
    binder.bind(1, "out", binding());
    decide(5);
    const more = `(func (export "sluice_restore") (param i32 i32) (result i32) unreachable)`;
    source.put(v(2, moduleText({ word: DROP, more })));
    expect(decide(2)).toEqual([0, 0]);
  });

  test("one that fails within a minute is taken back, with the state of then", () => {
    const { source, binder, binding, decide, counters, clock } = setUp();
    source.put(v(1, counterText));
    binder.bind(1, "out", binding({ onError: "drop" }));
    decide(3);
    source.put(v(2, moduleText({ word: TRAP })));
    clock.advance(30_000, 10);
    expect(decide(5)).toEqual([0, 0, 0, 0, 0]);
    expect(source.resolve("test")?.version).toBe(1);
    expect(decide(3)).toEqual([1, 1, 0]);
    expect(counters().map(({ rollbacks, counters: { live } }) => [rollbacks, live])).toEqual([
      [0, 1],
      [1, 0],
    ]);
  });

  test("later it is let alone only", () => {
    const { source, binder, binding, decide, clock } = setUp();
    source.put(v(1, counterText));
    binder.bind(1, "out", binding());
    source.put(v(2, moduleText({ word: TRAP })));
    clock.advance(60_000, 10);
    expect(decide(5)).toEqual([1, 1, 1, 1, 1]);
    expect(source.resolve("test")?.version).toBe(2);
  });

  test("a thousand switches to and fro lose no state and leave nothing", () => {
    const { source, binder, binding, decide, pool, books, counters, settled } = setUp();
    const versions = [v(1, counterText), v(2, counterText)] as const;
    source.put(versions[0]);
    const bound = binder.bind(1, "out", binding({ config: { limit: 1_000 } }));
    const got: number[] = [];
    for (let turn = 1; turn <= 1_000; turn++) {
      got.push(...decide(1));
      source.put(versions[(turn % 2) as 0 | 1]);
    }
    expect(got).toEqual(Array(1_000).fill(1));
    expect(decide(1)).toEqual([0]);
    expect(pool.instances).toBe(2);
    expect(books.handles.size).toBe(2);
    expect(settled()).toBeGreaterThanOrEqual(1_000);
    expect(counters().reduce((sum, { counters: { events } }) => sum + events, 0)).toBe(1_001);
    bound.end();
    expect(pool.instances).toBe(0);
  });
});
