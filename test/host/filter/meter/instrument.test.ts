/** What instrumented modules do: they give what they gave before, count it, and stop. */
import { describe, expect, test } from "vitest";
import { COSTS, instrument, moduleLimits } from "../../../../host/filter/meter/index.ts";
import { filterOf, type ModuleParts } from "./assemble.ts";

type Call = (...args: number[]) => number;

/** Calls a hook with fuel; tells what it gave and what it took, or why it ended. */
function run(parts: ModuleParts, fuel: number, hook = "$sluice_in", ...args: number[]) {
  const { bytes } = instrument(filterOf(parts));
  const imports = { sluice: { rand: () => 7 } };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), imports);
  const left = exports["$sluice_fuel"] as Call;
  try {
    const result = (exports[hook] as Call)(fuel, ...args);
    return { result, taken: fuel - left(), isSpent: left() < 0, exports };
  } catch (error) {
    return { error: error instanceof WebAssembly.RuntimeError ? "trap" : String(error), isSpent: left() < 0, exports };
  }
}

const hook = (code: string, locals = ""): ModuleParts => ({
  functions: [{ type: "iiii:i", locals, code, exports: ["sluice_in"] }],
});
/** Counts its first argument down, doing something each time. */
const loop = (inner: string): string =>
  `loop void ${inner} local.get 0 i32.const 1 i32.sub local.tee 0 br_if 0 end i32.const 5`;

describe("fuel", () => {
  test("is taken for each instruction and for entering the function", () => {
    // Beyond what makes a leaf, by five instructions of arithmetic and one result.
    const adds = "i32.const 1 i32.add ".repeat(30);
    expect(run(hook(`i32.const 0 ${adds}`), 1_000)).toMatchObject({ result: 30, taken: COSTS.entry + 61 });
  });

  test("is taken for a leaf by the wrapper", () => {
    expect(run(hook("i32.const 3"), 1_000)).toMatchObject({ result: 3, taken: COSTS.entry + 1 });
    expect(run(hook("i32.const 3"), 2)).toEqual(expect.objectContaining({ error: "trap", isSpent: true }));
  });

  test("is taken for loads where memory may be large, as far as a manifest asks for it", () => {
    const limits = { ...moduleLimits, memoryPagesMax: 256 };
    const taken = (max: number, code: string): number => {
      const parts = { ...hook(`${code.repeat(40)} i32.const 1`), memory: { min: 1, max } };
      const module = new WebAssembly.Module(instrument(filterOf(parts), limits).bytes);
      const { exports } = new WebAssembly.Instance(module, {});
      (exports["$sluice_in"] as Call)(10_000);
      return 10_000 - (exports["$sluice_fuel"] as Call)();
    };
    for (const code of ["i32.const 8 i64.load 0 drop ", "i32.const 8 v128.load 0 drop "])
      expect(taken(65, code) - taken(64, code)).toBe(40 * COSTS.farLoad);
    const store = "i32.const 8 i64.const 0 i64.store 0 ";
    expect(taken(65, store)).toBe(taken(64, store));
  });

  test("is taken for each turn of a loop", () => {
    const once = run(hook(loop("")), 1_000, "$sluice_in", 1).taken ?? 0;
    const ten = run(hook(loop("")), 1_000, "$sluice_in", 10).taken ?? 0;
    expect(ten - once).toBe(9 * (COSTS.turn + 5));
  });

  test.each(["loop void br 0 end unreachable", "block void loop void br 0 end end i32.const 1", loop("")])(
    "ends what never ends: %s",
    (code) => expect(run(hook(code), 100_000, "$sluice_in", 0)).toMatchObject({ error: "trap", isSpent: true }),
  );

  test("that is not spent tells a trap from the end of fuel", () => {
    expect(run(hook("unreachable"), 1_000)).toMatchObject({ error: "trap", isSpent: false });
    expect(run(hook(`${loop("")} i32.const 0 i32.div_s`), 1_000, "$sluice_in", 3)).toMatchObject({ isSpent: false });
  });

  test.each([
    ["memory.fill", "i32.const 0 i32.const 0 local.get 1 memory.fill", COSTS.bytes],
    ["memory.copy", "i32.const 0 i32.const 0 local.get 1 memory.copy", COSTS.bytes],
    ["memory.grow", "local.get 1 memory.grow drop", COSTS.pages],
  ] as const)(
    "grows with the operand of %s, in functions that keep fuel in a local and in others",
    (_name, code, rate) => {
      for (const around of [(inner: string) => `${inner} i32.const 5`, (inner: string) => loop(`${inner} `.trim())]) {
        const small = run(hook(around(code)), 10_000_000, "$sluice_in", 1, 0);
        const large = run(hook(around(code)), 10_000_000, "$sluice_in", 1, 16);
        expect(large.result).toBe(5);
        expect((large.taken ?? 0) - (small.taken ?? 0)).toBe(rate.per * (16 >> rate.shift));
        expect(small.taken).toBeGreaterThanOrEqual(rate.fixed);
      }
    },
  );

  test("is taken for lengths beyond all memory, which then fail by themselves", () => {
    const fill = hook("i32.const 0 i32.const 0 local.get 1 memory.fill i32.const 1");
    expect(run(fill, 100_000_000, "$sluice_in", 0, -1)).toMatchObject({ error: "trap", isSpent: false });
    const grow = hook("local.get 1 memory.grow");
    expect(run(grow, 100_000_000, "$sluice_in", 0, -1)).toMatchObject({ result: -1 });
    expect(run(grow, 100_000_000, "$sluice_in", 0, 64)).toMatchObject({ result: -1 });
    expect(run(grow, 100_000_000, "$sluice_in", 0, 63)).toMatchObject({ result: 1 });
  });

  test("is taken for an import by the caller", () => {
    const parts = { ...hook("call 0"), imports: [{ module: "sluice", name: "rand", type: ":i" }] };
    expect(run(parts, 1_000)).toMatchObject({ result: 7, taken: COSTS.entry + 4 + COSTS.import });
  });

  test("goes on counting in the function that is called, and behind it", () => {
    const busy = { type: "iiii:i", code: loop("") };
    const caller = {
      type: "iiii:i",
      code: loop("i32.const 3 i32.const 0 i32.const 0 i32.const 0 call 0 drop"),
      exports: ["sluice_in"],
    };
    const alone = run({ functions: [{ ...busy, exports: ["sluice_in"] }] }, 10_000, "$sluice_in", 3).taken ?? 0;
    expect(run({ functions: [busy, caller] }, 10_000, "$sluice_in", 2).taken).toBeGreaterThan(2 * alone);
  });
});

describe("a module that starts by itself", () => {
  const parts = {
    globals: [{ type: "i", isMutable: true, init: "i32.const 0" }],
    functions: [
      { type: ":", code: "i32.const 9 global.set 0" },
      { type: "iiii:i", code: "global.get 0", exports: ["sluice_in"] },
    ],
    start: 0,
  };

  test("does so under fuel only", () => {
    expect(instrument(filterOf(parts)).hasStart).toBe(true);
    const { exports } = run(parts, 100);
    expect((exports["$sluice_in"] as Call)(100)).toBe(0);
    (exports["$sluice_start"] as Call)(100);
    expect((exports["$sluice_in"] as Call)(100)).toBe(9);
  });

  test("may not do so for ever", () => {
    const endless = { ...parts, functions: [{ type: ":", code: "loop void br 0 end" }], start: 0 };
    expect(run(endless, 10_000, "$sluice_start")).toMatchObject({ error: "trap", isSpent: true });
  });
});

describe("what is told", () => {
  test("of a module", () => {
    const manifest = [...new TextEncoder().encode("{}")];
    const parts = {
      imports: [{ module: "sluice", name: "now", type: ":d" }],
      customs: [
        { name: "name", bytes: [1, 2, 3] },
        { name: "sluice.manifest", bytes: manifest },
      ],
      memory: { min: 2 },
    };
    expect(instrument(filterOf(parts))).toMatchObject({
      manifest: Uint8Array.from(manifest),
      hooks: { in: true, out: false, sinks: false, init: false, save: false, restore: false },
      hasStart: false,
      imports: ["sluice.now"],
      exports: ["memory", "sluice_abi_1", "sluice_arena", "sluice_in"],
      functions: 3,
      weight: 0,
      memoryPages: 2,
      memoryPagesMax: 64,
      strippedBytes: 30,
    });
  });

  test("is not kept from shared memory that changes", () => {
    const bytes = filterOf({});
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
    shared.set(bytes);
    const { bytes: before } = instrument(shared);
    shared.fill(0);
    expect(WebAssembly.validate(before)).toBe(true);
  });
});
