/**
 * Modules at work: decisions of every kind, and every way to fail; each event gets exactly one decision whatever happens.
 */
import { describe, expect, test } from "vitest";
import type { ModuleBatch } from "../../../../host/filter/module/batch.ts";
import { Decisions } from "../../../../host/filter/module/decisions.ts";
import { InstancePool } from "../../../../host/filter/module/pool.ts";
import { RunningModule, type RunOptions } from "../../../../host/filter/module/running.ts";
import type { OnError } from "../../../../host/filter/module/spec.ts";
import { batchOf, createBench, moduleText, tableOf, versionOf } from "./kit.ts";

const OUT: RunOptions = { hook: "out", onError: "pass" };

/** What each event got: "all", "none", "divert" or the slots. */
function decide(running: RunningModule, batch: ModuleBatch, options: RunOptions = OUT): (string | number[])[] {
  const decisions = new Decisions();
  running.decide(batch, options, decisions);
  const { words, used } = decisions;
  return Array.from({ length: batch.count }, (_, event) => {
    const word = words[event] as number;
    const at = batch.count + (word >>> 2);
    if ((word & 3) === 0) return word === 4 ? "divert" : "none";
    if ((word & 3) === 1) return "all";
    expect(at).toBeLessThan(used);
    if ((word & 3) === 3) return [...words.subarray(at + 1, at + 1 + (words[at] as number))];
    return Array.from({ length: batch.table.sinks }, (_, slot) => slot).filter(
      (slot) => ((words[at + (slot >>> 5)] as number) >>> (slot & 31)) & 1,
    );
  });
}

/** Puts a list or bitmap of these words behind the decisions and points every event to it. */
const answering = (kind: number, words: readonly number[], claimed = words.length): string =>
  moduleText({
    word: `(block (result i32)
      ${words.map((value, place) => `(i32.store ${behind(place)} (i32.const ${value}))`).join(" ")}
      (i32.const ${kind}))`,
    answer: `(i32.add (local.get $n) (i32.const ${claimed}))`,
  });

/** The address of a word of the variable area. */
const behind = (place: number): string =>
  `(i32.add (local.get $out) (i32.mul (i32.add (local.get $n) (i32.const ${place})) (i32.const 4)))`;

/** Traps on the event whose time is 2. */
const TRAP_AT_2 = `(block (result i32)
  (if (f64.eq (f64.load (i32.add (local.get $record) (i32.const 16))) (f64.const 2)) (then unreachable))
  (i32.const 0))`;

describe("decisions of a module", () => {
  test.each([
    ["drop", moduleText({ word: "(i32.const 0)" }), "none"],
    ["all", moduleText({ word: "(i32.const 1)" }), "all"],
    ["all, with an index that means nothing", moduleText({ word: "(i32.const 4093)" }), "all"],
    ["drop, with the index that means divert in the host", moduleText({ word: "(i32.const 4)" }), "none"],
    ["a bitmap", answering(2, [0b101, 0]), [0, 2]],
    ["an empty bitmap", answering(2, [0, 0]), []],
    ["a list", answering(3, [2, 39, 1]), [1, 39]],
    ["a list that names somebody twice", answering(3, [3, 5, 5, 5]), [5]],
    ["an empty list", answering(3, [0]), []],
  ])("%s", (_name, text, want) => {
    const running = createBench().run(text);
    expect(decide(running, batchOf(3, 40))).toEqual([want, want, want]);
    expect(running.counters.faults["bad-output"]).toBe(0);
  });

  test.each([
    ["no decision", moduleText({ word: "(i32.const -1)" })],
    ["a bitmap beyond its words", answering(2, [1], 1)],
    ["a bit that is no sink", answering(2, [0, 0x100])],
    ["a list beyond its words", answering(3, [3, 1, 2])],
    ["a list without end", answering(3, [-1, 1, 2])],
    ["a list that names no sink", answering(3, [1, 40])],
    ["an index far outside", moduleText({ word: "(i32.const 0x7ffffffe)" })],
    ["too few words", moduleText({ answer: "(i32.const 1)" })],
    ["more words than there is room for", moduleText({ answer: "(i32.const 1000000)" })],
  ])("%s is a fault of its output", (name, text) => {
    const running = createBench().run(text);
    const got = decide(running, batchOf(2, 40), { hook: "out", onError: "drop" });
    expect(running.counters.faults["bad-output"]).toBeGreaterThan(0);
    // What was written before a wrong length counts.
    expect(got).toEqual(name.includes("words") && !name.includes("beyond") ? ["all", "all"] : ["none", "none"]);
  });

  test("sinks that are no candidates are a fault", () => {
    const batch = batchOf(2, 40, (event) => (event === 0 ? [0, 2, 39] : [1, 2]));
    for (const text of [answering(2, [0b101, 0]), answering(3, [2, 2, 0])]) {
      const running = createBench().run(text);
      expect(decide(running, batch, { hook: "out", onError: "drop" })).toEqual([[0, 2], "none"]);
      expect(running.counters).toMatchObject({ sinksIn: 5, sinksOut: 2, faults: { "bad-output": 1 } });
    }
  });
});

describe("faults", () => {
  test.each<[OnError, string]>([
    ["pass", "all"],
    ["drop", "none"],
    ["divert", "divert"],
  ])("%s decides about the event it failed on, the module about all others", (onError, want) => {
    const bench = createBench();
    const running = bench.run(moduleText({ word: TRAP_AT_2 }));
    expect(decide(running, batchOf(6, 3), { hook: "out", onError })).toEqual([
      "none",
      "none",
      want,
      "none",
      "none",
      "none",
    ]);
    expect(running.counters).toMatchObject({ calls: 2, instances: 2, failed: 1, faults: { trap: 1 } });
    expect(bench.pool.instances).toBe(1);
  });

  test.each([
    ["trap", "unreachable"],
    ["trap", "(drop (i32.div_s (i32.const 1) (i32.const 0)))"],
    ["trap", "(drop (i32.load (i32.const -4)))"],
    ["fuel", "(loop $forever (br $forever))"],
    ["trap", "(memory.fill (i32.const 0) (i32.const 0) (i32.const -1))"],
    ["stack", "(call $deep)"],
    ["import", `(call $log (i32.const 1) (i32.const -8) (i32.const 16))`],
    ["import", "(drop (call $intern (i32.const 0) (i32.const 1)))"],
  ])("%s: %s", (cause, what) => {
    const bench = createBench();
    const running = bench.run(
      moduleText({
        word: `(block (result i32) ${what} (i32.const 0))`,
        more: `(import "sluice" "log" (func $log (param i32 i32 i32)))
               (import "sluice" "intern" (func $intern (param i32 i32) (result i32)))
               (func $deep (call $deep) (call $deep))`,
      }),
    );
    expect(decide(running, batchOf(2, 3), { ...OUT, fuel: 2_000_000 })).toEqual(["all", "all"]);
    expect(running.counters.faults).toMatchObject({ [cause]: 2 });
    expect(running.faults.records[0]).toMatchObject({ cause });
  });

  test("a negative answer is one", () => {
    const running = createBench().run(moduleText({ answer: "(i32.const -7)" }));
    expect(decide(running, batchOf(2, 3))).toEqual(["all", "all"]);
    expect(running.counters.faults.negative).toBe(1);
    expect(running.faults.records[0]?.text).toContain("-7");
  });

  test.each([
    ["not aligned", "(i32.add (i32.mul (local.get $kind) (i32.const 65536)) (i32.const 8))"],
    ["beyond the memory", "(i32.const 0x7ffffff0)"],
    ["overlapping", "(i32.const 1024)"],
    ["another one each time, at last beyond", "(i32.sub (i32.const 0) (i32.mul (local.get $bytes) (i32.const 16)))"],
  ])("an arena that is %s is one", (_name, place) => {
    const running = createBench().run(moduleText({ arena: place }));
    expect(decide(running, batchOf(1, 3))).toEqual(["all"]);
    expect(running.counters.faults.arena).toBe(1);
  });

  test("a memory that grows within the hook changes nothing", () => {
    const running = createBench().run(
      moduleText({ word: "(block (result i32) (drop (memory.grow (i32.const 1))) (i32.const 0))" }),
    );
    for (let batch = 0; batch < 5; batch++) expect(decide(running, batchOf(4, 3))).toEqual(Array(4).fill("none"));
    expect(running.counters.memoryBytes).toBe(16 * 65_536);
  });

  test("after three in a row it is let alone, then tried, and given up after ten times", () => {
    const bench = createBench();
    const running = bench.run(moduleText({ word: "(block (result i32) unreachable)" }));
    expect(decide(running, batchOf(10, 3), { hook: "in", onError: "drop" })).toEqual(Array(10).fill("none"));
    expect(running.counters).toMatchObject({ calls: 3, failed: 3, skipped: 7, openings: 1 });
    expect(bench.opened).toEqual([running]);
    for (let pauseMs = 1_000, openings = 2; openings <= 10; openings++, pauseMs = Math.min(300_000, pauseMs * 2)) {
      bench.clock.advance(pauseMs - 1, 0);
      decide(running, batchOf(1, 3));
      expect(running.counters.calls).toBe(openings + 1);
      bench.clock.advance(1, 0);
      expect(running.breaker.state).toBe("half-open");
      decide(running, batchOf(1, 3));
      expect(running.counters).toMatchObject({ calls: openings + 2, openings });
    }
    expect(running.breaker.state).toBe("disabled");
    bench.clock.advance(86_400_000, 0);
    decide(running, batchOf(1, 3));
    expect(running.counters.calls).toBe(12);
  });

  test("ten thousand leave nothing behind", () => {
    const bench = createBench();
    const running = bench.run(moduleText({ word: TRAP_AT_2 }));
    const batch = batchOf(4, 3);
    for (let fault = 0; fault < 10_000; fault++) {
      decide(running, batch);
      bench.clock.advance(60_000, 0);
      bench.real.advance(60_000, 0);
    }
    expect(running.counters).toMatchObject({ faults: { trap: 10_000 }, live: 1, memoryBytes: 3 * 65_536 });
    expect(bench.pool).toMatchObject({ instances: 1, bytes: 3 * 65_536 });
    expect(running.faults.records).toHaveLength(5);
    expect(bench.lines.length).toBeLessThan(20);
  });
});

describe("the memory of all", () => {
  /** Grows to 16 pages, 1 MiB, when it is asked; begins with 3. */
  const growing = moduleText({ word: "(block (result i32) (drop (memory.grow (i32.const 13))) (i32.const 0))" });
  const MIB = 2 ** 20;
  const START = 3 * 65_536;

  test("is 256 MiB: whoever grows beyond fails, and no other", () => {
    const bench = createBench();
    const others = Array.from({ length: 255 }, () => bench.run(growing));
    for (const one of others) expect(decide(one, batchOf(1, 3))).toEqual(["none"]);
    const [small, last] = [bench.run(moduleText()), bench.run(growing)];
    expect([small.start(), last.start()]).toEqual([undefined, undefined]);
    expect(bench.pool.bytes).toBe(255 * MIB + 2 * START);
    expect(decide(last, batchOf(1, 3))).toEqual(["none"]);
    expect(last.counters).toMatchObject({ live: 0, faults: { memory: 1 } });
    expect(decide(small, batchOf(2, 3))).toEqual(["all", "all"]);
    expect(bench.pool.bytes).toBe(255 * MIB + START);
    for (const one of [...others, small]) expect(one.counters.faults.memory).toBe(0);
    // It comes back, and once another has gone it may grow.
    others[0]?.end();
    expect(decide(last, batchOf(1, 3))).toEqual(["none"]);
    expect(last.counters).toMatchObject({ live: 1, memoryBytes: MIB, faults: { memory: 1 } });
  });

  test("counts what grows while it starts or saves, too", () => {
    const { deps, run } = createBench();
    const pool = new InstancePool(10, 10 * 65_536);
    const start = (more: string): RunningModule => {
      const running = new RunningModule(run(moduleText({ more })).version, new Uint8Array(2), { ...deps, pool });
      expect(running.start()?.cause).toBe(more.includes("init") ? "memory" : undefined);
      return running;
    };
    const grow = (name: string): string =>
      `(func (export "${name}") (param i32 i32) (result i32) (drop (memory.grow (i32.const 8))) (i32.const 0))`;
    expect(start(grow("sluice_init")).counters).toMatchObject({ live: 0, faults: { memory: 1 } });
    const saving = start(grow("sluice_save"));
    saving.save();
    expect(saving.counters).toMatchObject({ live: 0, faults: { memory: 1 } });
    expect(pool).toMatchObject({ instances: 0, bytes: 0 });
  });
});

describe("what it costs", () => {
  test("over its budget it is not asked, until the next second has paid", () => {
    const bench = createBench();
    const { service } = bench.deps.clocks;
    // 60 ms pass whenever somebody asks what time it is: with each batch.
    const now = (): number => {
      bench.real.advance(60, 0);
      return service.now();
    };
    const throttled = new RunningModule(versionOf(moduleText()), new Uint8Array(0), {
      ...bench.deps,
      clocks: { service: { ...service, now }, real: bench.real },
    });
    for (let call = 0; call < 20; call++) decide(throttled, batchOf(1, 3));
    expect(throttled.counters.throttled).toBeGreaterThan(0);
    const { calls } = throttled.counters;
    bench.real.advance(2_000, 0);
    decide(throttled, batchOf(1, 3));
    expect(throttled.counters.calls).toBe(calls + 1);
  });
});

describe("state", () => {
  /** Counts the events it sees; drops those after the fifth. Saves and restores the count. */
  const counter = (trap = false): string =>
    moduleText({
      word: `(block (result i32)
        (i32.store (i32.const 16) (i32.add (i32.load (i32.const 16)) (i32.const 1)))
        ${trap ? "(if (i32.eq (i32.load (i32.const 16)) (i32.const 4)) (then unreachable))" : ""}
        (i32.le_u (i32.load (i32.const 16)) (i32.const 5)))`,
      more: `
        (func (export "sluice_save") (param $at i32) (param $cap i32) (result i32)
          (i32.store (local.get $at) (i32.load (i32.const 16))) (i32.const 4))
        (func (export "sluice_restore") (param $at i32) (param $bytes i32) (result i32)
          (if (i32.ne (local.get $bytes) (i32.const 4)) (then (return (i32.const 9))))
          (i32.store (i32.const 16) (i32.load (local.get $at))) (i32.const 0))`,
    });

  test("goes from one to the next", () => {
    const bench = createBench();
    const one = bench.run(counter());
    expect(decide(one, batchOf(3, 3))).toEqual(["all", "all", "all"]);
    const next = new RunningModule(one.version, new Uint8Array(2), bench.deps, one.save());
    one.end();
    expect(decide(next, batchOf(3, 3))).toEqual(["all", "all", "none"]);
    expect(next.counters.restored).toBe(1);
    expect(bench.pool.instances).toBe(1);
  });

  test("is that of the last save after a fault, while that is fresh", () => {
    const bench = createBench();
    const running = bench.run(counter(true));
    decide(running, batchOf(2, 3));
    // Two are saved; the fourth traps and is gone, as is the third: the next is the third again.
    expect(decide(running, batchOf(2, 3))).toEqual(["all", "all"]);
    decide(running, batchOf(1, 3));
    expect(running.counters).toMatchObject({ restored: 1, faults: { trap: 1 } });
    bench.clock.advance(10_000, 0);
    decide(running, batchOf(1, 3));
    decide(running, batchOf(1, 3));
    expect(running.counters).toMatchObject({ instances: 3, restored: 1, faults: { trap: 2 } });
  });

  test("that a revision cannot read is left", () => {
    const bench = createBench();
    const { version } = bench.run(counter());
    const running = new RunningModule(version, new Uint8Array(2), bench.deps, new Uint8Array(3));
    expect(decide(running, batchOf(6, 3))).toEqual(["all", "all", "all", "all", "all", "none"]);
    expect(running.counters).toMatchObject({ restored: 0, instances: 1 });
  });
});

describe("numbers of texts", () => {
  /** Asks so many times for the number of the text at 100, which is counted up, and hands the last one over as its state. */
  const asking = (times: number, code: string): string =>
    moduleText({
      more: `(import "sluice" "intern" (func $intern (param i32 i32) (result i32)))
        (data (i32.const 100) "a\\ef\\bf\\bd\\00\\ff")
        (func (export "sluice_init") (param i32 i32) (result i32)
          (local $turn i32)
          (loop $next
            ${code}
            (local.set $turn (i32.add (local.get $turn) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $turn) (i32.const ${times}))))
          (i32.const 0))
        (func (export "sluice_save") (param $at i32) (param i32) (result i32)
          (i32.store (local.get $at) (i32.load (i32.const 96))) (i32.const 4))`,
    });
  const ask = (bytes: number, at = 100): string =>
    `(i32.store (i32.const 96) (call $intern (i32.const ${at}) (i32.const ${bytes})))`;
  const numbered = (text: string) => {
    const running = createBench().run(text);
    expect(running.start()).toBeUndefined();
    const state = running.save() ?? new Uint8Array(4);
    return { texts: [...running.interned.keys()], last: new DataView(state.buffer).getUint32(0, true) };
  };

  test("are given to UTF-8, the character for what is no text included, and to nothing else", () => {
    expect(numbered(asking(1, ask(4)))).toEqual({ texts: ["a\ufffd"], last: 1 });
    expect(numbered(asking(1, ask(6)))).toEqual({ texts: [], last: 0 });
    expect(numbered(asking(1, ask(1, 105)))).toEqual({ texts: [], last: 0 });
    expect(numbered(asking(1, ask(257)))).toEqual({ texts: [], last: 0 });
  });

  test("are given out for so many texts, and looked up so often", () => {
    const another = `(i32.store (i32.const 100)
      (i32.add (i32.const 0x20202020)
        (i32.add (i32.and (local.get $turn) (i32.const 31)) (i32.shl (i32.shr_u (local.get $turn) (i32.const 5)) (i32.const 8)))))`;
    expect(numbered(asking(1_024, `${another} ${ask(4)}`)).last).toBe(1_024);
    const more = numbered(asking(1_025, `${another} ${ask(4)}`));
    expect([more.texts.length, more.last]).toEqual([1_024, 0]);
    expect(numbered(asking(2_048, ask(4))).last).toBe(1);
    expect(numbered(asking(2_049, ask(4))).last).toBe(0);
  });
});

describe("sinks and texts", () => {
  /** Chooses the last sink that it was told of as changed. */
  const told = moduleText({
    word: `(block (result i32)
      (i32.store ${behind(0)} (i32.const 1))
      (i32.store ${behind(1)} (i32.load (i32.const 32)))
      (i32.const 3))`,
    answer: "(i32.add (local.get $n) (i32.const 2))",
    more: `(func (export "sluice_sinks") (param $changed i32) (param $n i32) (param $sinks i32)
      (i32.store (i32.const 36) (i32.add (i32.load (i32.const 36)) (i32.const 1)))
      (i32.store (i32.const 32) (i32.load (i32.add (local.get $changed) (i32.mul (i32.sub (local.get $n) (i32.const 1)) (i32.const 4))))))`,
  });

  test("it hears of all sinks once, then of those that change", () => {
    const running = createBench().run(told);
    expect(decide(running, batchOf(1, 40))).toEqual([[39]]);
    expect(decide(running, batchOf(1, 40))).toEqual([[39]]);
    expect(decide(running, { ...batchOf(1, 40), table: tableOf(40, [3, 7]) })).toEqual([[7]]);
    // More than there was room for: all again.
    expect(decide(running, batchOf(1, 400))).toEqual([[399]]);
  });

  test("what it says is plain text, and not too much of it", () => {
    const bench = createBench();
    const running = bench.run(
      moduleText({
        word: "(block (result i32) (call $log (i32.const 2) (i32.const 100) (i32.const 12)) (i32.const 0))",
        more: `(import "sluice" "log" (func $log (param i32 i32 i32)))
               (data (i32.const 100) "a\\1b[2Jb\\ff\\0a\\e2\\80\\aec")`,
      }),
    );
    for (let batch = 0; batch < 100; batch++) decide(running, batchOf(120, 3));
    expect(bench.said[0]).toEqual({ level: "warn", text: "a�[2Jb���c" });
    expect(running.counters.logLines).toBe(Math.floor(65_536 / 12));
    expect(running.counters.logLines + running.counters.logDropped).toBe(12_000);
    const before = running.counters.logLines;
    bench.clock.advance(60_000, 0);
    decide(running, batchOf(120, 3));
    expect(running.counters.logLines).toBe(before + 100);
  });
});
