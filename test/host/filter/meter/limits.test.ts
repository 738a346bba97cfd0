/** Every limit: what is at it is taken, one more is refused with both numbers. */
import { describe, expect, test } from "vitest";
import { instrument, type ModuleLimits, ModuleRefused, moduleLimits } from "../../../../host/filter/meter/index.ts";
import { filterOf, type ModuleParts, moduleOf, vector } from "./assemble.ts";

/** Why it is refused; nothing where it is taken. */
function reasonsOf(bytes: Uint8Array, limits: Partial<ModuleLimits> = {}): readonly string[] {
  try {
    instrument(bytes, { ...moduleLimits, ...limits });
    return [];
  } catch (error) {
    if (error instanceof ModuleRefused) return error.reasons;
    throw error;
  }
}

const hook = (code: string, locals = ""): ModuleParts => ({
  functions: [{ type: "iiii:i", locals, code, exports: ["sluice_in"] }],
});
const many = <Item>(count: number, item: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, index) => item(index));
const blocks = (count: number): string => `${"block void ".repeat(count)}${"end ".repeat(count)} i32.const 0`;

/** By limit, a module that has so many of it, with four in hand for what every module has. */
const modules: { readonly [Name in keyof ModuleLimits]?: (count: number) => Uint8Array } = {
  customSections: (count) => filterOf({ customs: many(count, () => ({ name: "x", bytes: [] })) }),
  // Of a filter the types () → (), (i32, i32) → i32 and that of a hook.
  types: (count) => filterOf({ types: ["l:l", "f:f", "d:d", "ll:l", "ff:f", "dd:d"].slice(0, count - 3) }),
  params: (count) => filterOf({ types: [`${"i".repeat(count)}:`] }),
  results: (count) => filterOf({ types: [`:${"i".repeat(count)}`], functions: [] }),
  imports: (count) => filterOf({ imports: many(count, () => ({ module: "sluice", name: "rand", type: ":i" })) }),
  exports: (count) => filterOf({ exports: many(count - 4, (index) => ({ name: `x${index}`, kind: 0, index: 0 })) }),
  functions: (count) => filterOf({ functions: many(count - 3, () => ({ type: ":" })) }),
  globals: (count) => filterOf({ globals: many(count, () => ({ type: "i", init: "i32.const 0" })) }),
  tables: (count) => filterOf({ tables: many(count, () => ({ min: 0 })) }),
  tableElements: (count) => filterOf({ tables: [{ min: count }] }),
  elementSegments: (count) =>
    filterOf({ tables: [{ min: 1 }], elements: many(count, () => ({ offset: 0, functions: [0] })) }),
  dataSegments: (count) => filterOf({ data: many(count, () => ({ bytes: [1] })) }),
  memoryPages: (count) => filterOf({ memory: { min: count } }),
  // The number of groups of locals and the last `end`.
  bodyBytes: (count) => filterOf(hook(`${"nop ".repeat(count - 4)} i32.const 0`)),
  locals: (count) => filterOf(hook("i32.const 0", "i".repeat(count - 4))),
  operands: (count) => filterOf(hook(`${"i32.const 0 ".repeat(count)}${"drop ".repeat(count - 1)}`)),
  // The function is one.
  nesting: (count) => filterOf(hook(blocks(count - 1))),
  branchTargets: (count) =>
    filterOf(hook(`block void local.get 0 br_table ${many(count + 1, () => 0).join()} end i32.const 0`)),
  functionWeight: (count) => filterOf(hook(`${"block void end ".repeat(count / 8)}i32.const 0`)),
  moduleWeight: (count) => filterOf(hook(`${"block void end ".repeat(count / 8)}i32.const 0`)),
};

describe("limits", () => {
  test.each(Object.entries(modules))("%s", (name, moduleWith) => {
    const step = name.endsWith("Weight") ? 8 : 1;
    const limit = name.endsWith("Weight") ? 80 : 8;
    expect(reasonsOf(moduleWith(limit), { [name]: limit })).toEqual([]);
    const [reason = "", ...others] = reasonsOf(moduleWith(limit + step), { [name]: limit });
    expect(reason).toMatch(/byte \d+: /);
    expect(reason).toContain(`${name === "nesting" ? `more than ${limit}` : limit + step} `);
    expect(reason).toMatch(new RegExp(`limit is ${limit}$|${limit} .* is the limit$`));
    expect(others).toEqual([]);
  });

  test("uploadBytes, where nothing more is looked at", () => {
    const bytes = filterOf({});
    expect(reasonsOf(bytes, { uploadBytes: bytes.length })).toEqual([]);
    expect(reasonsOf(new Uint8Array(bytes.length), { uploadBytes: bytes.length - 1 })).toEqual([
      `module, byte 0: ${bytes.length} bytes, limit is ${bytes.length - 1}`,
    ]);
  });

  test("moduleBytes, of which custom sections are none", () => {
    const size = filterOf({}).length;
    const bytes = filterOf({ customs: [{ name: "name", bytes: new Array(1_000).fill(0) }] });
    expect(reasonsOf(bytes, { moduleBytes: size })).toEqual([]);
    expect(reasonsOf(bytes, { moduleBytes: size - 1 })).toEqual([
      `module, byte 0: ${size} bytes without custom sections, limit is ${size - 1}`,
    ]);
  });

  test("memoryPagesMax and the cap lower what a module asks for", () => {
    const pages = (max: number | undefined, memoryPagesMax: number): number =>
      instrument(filterOf({ memory: { min: 1, ...(max === undefined ? {} : { max }) } }), {
        ...moduleLimits,
        memoryPagesMax,
      }).memoryPagesMax;
    expect([pages(undefined, 64), pages(5, 64), pages(100, 64), pages(undefined, 5_000)]).toEqual([64, 5, 64, 256]);
  });

  test("tableElements lowers what a table asks for", () => {
    const { bytes } = instrument(
      filterOf({ tables: [{ min: 1 }], exports: [{ name: "t", kind: 1, index: 0 }] }),
      moduleLimits,
    );
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
    expect(() => (exports["t"] as WebAssembly.Table).grow(moduleLimits.tableElements)).toThrow(RangeError);
    expect((exports["t"] as WebAssembly.Table).grow(moduleLimits.tableElements - 1)).toBe(1);
  });

  test("reasons, beyond which they are counted", () => {
    const imports = many(9, (index) => ({ module: "env", name: `f${index}`, type: ":" }));
    const reasons = reasonsOf(filterOf({ imports }), { reasons: 4 });
    expect(reasons).toHaveLength(5);
    expect(reasons.at(-1)).toBe("and 5 more reasons");
  });
});

describe("weight", () => {
  const weightOf = (code: string, locals = ""): number => instrument(filterOf(hook(code, locals))).weight;

  test("of a branch is the slots that a compiler keeps: locals, operands and a few", () => {
    expect(weightOf("block void end i32.const 0")).toBe(4 + 4);
    expect(weightOf("block void end i32.const 0", "ii")).toBe(4 + 2 + 4);
    expect(weightOf(`${"i32.const 0 ".repeat(10)} block void end ${"drop ".repeat(9)}`)).toBe(4 + 4 + 10);
    expect(weightOf("block void local.get 0 br_if 0 end i32.const 0")).toBe(2 * 8);
    expect(weightOf("block void block void local.get 0 br_table 0,1,0,1 end end i32.const 0")).toBe(2 * 8 + 3 * 8);
  });

  test("of calls is a part of that", () => {
    const calls = (count: number): number => weightOf(`${"memory.size memory.grow drop ".repeat(count)}i32.const 0`);
    expect(calls(1)).toBe(0);
    expect(calls(64)).toBe(5);
  });

  test("refuses small functions that take seconds to compile", () => {
    const deep = `${"local.get 0 ".repeat(999)}${"local.get 0 if void end ".repeat(9_000)}${"drop ".repeat(998)}`;
    expect(reasonsOf(filterOf(hook(deep)))[0]).toMatch(/compile weight, limit is 50000/);
    const broad = `${"local.get 0 if void end ".repeat(9_000)}i32.const 0`;
    expect(reasonsOf(filterOf(hook(broad, "i".repeat(990))))[0]).toMatch(/compile weight, limit is 50000/);
  });
});

describe("a refusal", () => {
  test("has the reasons of all sections and functions", () => {
    const bytes = moduleOf({
      imports: [{ module: "wasi_snapshot_preview1", name: "fd_write", type: "iiii:i" }],
      functions: [
        { type: "iii:i", code: "local.get 0", exports: ["sluice_in"] },
        { type: ":", raw: [0, 0xfe, 0x00, 0x0b] },
        { type: ":", raw: [0, 0x06, 0x40, 0x0b] },
      ],
      memory: { min: 70 },
      sections: { 4: vector([[0x6e, 0x00, 0x01]]) },
    });
    const reasons = reasonsOf(bytes);
    for (const expected of [
      /^section import, byte \d+: "wasi_snapshot_preview1.fd_write" is not given to filters/,
      /^section table, byte \d+: reference type 0x6e is not allowed$/,
      /^section memory, byte \d+: 70 pages of memory to start with, limit is 16$/,
      /^section export, byte \d+: sluice_in has type \(i32, i32, i32\) → i32, the ABI has \(i32, i32, i32, i32\) → i32$/,
      /^exports: no function sluice_abi_1; this host speaks ABI 1, the module none$/,
      /^exports: no memory/,
      /^exports: no sluice_arena$/,
      /^function 2, byte \d+: instruction 0xfe is not allowed$/,
      /^function 3, byte \d+: instruction 0x06 is not allowed$/,
    ])
      expect(reasons).toContainEqual(expect.stringMatching(expected));
    expect(reasons).toHaveLength(9);
  });

  test("says what the engine says of what only it knows", () => {
    expect(reasonsOf(filterOf(hook("i64.const 0")))).toEqual([
      expect.stringMatching(/^The engine refuses the module: /),
    ]);
  });

  test("says where bytes end", () => {
    const bytes = filterOf({});
    for (let length = 0; length < bytes.length; length++)
      expect(reasonsOf(bytes.subarray(0, length)).length, `${length} bytes`).toBeGreaterThan(0);
  });

  test.each([
    [
      "an ABI of another major",
      { functions: [{ type: ":", exports: ["sluice_abi_2"] }], memory: { min: 1 } },
      /the module 2/,
    ],
    [
      "a global that is read for another",
      filterParts({ init: [0x23, 0x00, 0x0b] }),
      /a constant cannot begin with 0x23/,
    ],
    ["a constant that is computed", filterParts({ init: [0x41, 0, 0x41, 0, 0x6a, 0x0b] }), /more than one constant/],
  ])("of %s", (_name, parts: ModuleParts, expected) => {
    expect(reasonsOf(moduleOf(parts))).toContainEqual(expect.stringMatching(expected));
  });

  test("shows names so that no terminal obeys them", () => {
    const reasons = reasonsOf(filterOf({ imports: [{ module: "\u001b[2J", name: "x".repeat(5_000), type: ":" }] }));
    expect(reasons[0]).toContain('"\\u001b[2J.xxx');
    expect(reasons[0]?.length).toBeLessThan(250);
  });
});

function filterParts({ init }: { readonly init: readonly number[] }): ModuleParts {
  return { sections: { 6: vector([[0x7f, 0, ...init]]) } };
}
