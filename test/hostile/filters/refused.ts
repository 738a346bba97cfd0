/** Modules that no host takes. */
import { filterOf, type ModuleParts, moduleOf, text, u32, vector } from "../../host/filter/meter/assemble.ts";
import { type Attack, many, refused, refusedBytes, withHook } from "./attack.ts";

const HEADER = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00];
const PLAIN = Buffer.from(filterOf({}));

const hook = (code: string, parts: ModuleParts = {}): ModuleParts => ({
  ...parts,
  functions: withHook(code, parts) ?? [],
});
/** A body of bytes, as the second function. */
const raw = (...bytes: number[]): ModuleParts => ({ functions: [{ type: ":" }, { type: ":", raw: bytes }] });
const importOf = (module: string, name: string, type: string): ModuleParts => ({ imports: [{ module, name, type }] });
/** The import section with something else than a function. */
const importKind = (...kind: number[]): ModuleParts => ({
  sections: { 2: vector([[...text("env"), ...text("x"), ...kind]]) },
});
const engine = /^The engine refuses the module: /;

const memories: readonly Attack[] = [
  refused("memory of 65,536 pages", { memory: { min: 65_536 } }, /65536 pages of memory to start with, limit is 16$/),
  refused("64-bit memory", { sections: { 5: [1, 0x04, 1] } }, /memory has 64-bit addresses/),
  refused("shared memory", { sections: { 5: [1, 0x03, 1, 2] } }, /memory is shared/),
  refused("two memories", { sections: { 5: [2, 0, 1, 0, 1] } }, /2 memories, limit is 1$/),
  refused("a second memory by alignment", raw(0, 0x41, 0, 0x28, 0x42, 1, 0, 0x1a, 0x0b), /alignment 66 is not allowed/),
  refused("3,000 data segments", { data: many(3_000, () => ({ bytes: [1] })) }, /3000 data segments, limit is 1024$/),
  refused(
    "table of 10,000,000 elements",
    { tables: [{ min: 10_000_000 }] },
    /10000000 elements of a table, limit is 10000$/,
  ),
  refused("three tables", { tables: many(3, () => ({ min: 1 })) }, /3 tables, limit is 2$/),
  refused(
    "elements that are no functions",
    { tables: [{ min: 1 }], elements: [{ offset: 0, functions: [99] }] },
    engine,
  ),
];

const imports: readonly Attack[] = [
  refused(
    "WASI",
    importOf("wasi_snapshot_preview1", "fd_write", "iiii:i"),
    /"wasi_snapshot_preview1.fd_write" is not given/,
  ),
  refused("the constructor of an object", importOf("sluice", "constructor", ":"), /"sluice.constructor" is not given/),
  refused("a prototype", importOf("__proto__", "toString", ":"), /"__proto__.toString" is not given/),
  refused("an import of another type", importOf("sluice", "log", "l:l"), /"sluice.log" has type \(i64\) → i64/),
  refused("imported memory", importKind(2, 0, 1), /an import is a memory, only functions are given/),
  refused("imported table", importKind(1, 0x70, 0, 1), /an import is a table/),
  refused("imported global that changes", importKind(3, 0x7f, 1), /an import is a global/),
  refused(
    "500 imports",
    { imports: many(500, () => ({ module: "sluice", name: "rand", type: ":i" })) },
    /500 imports, limit is 32$/,
  ),
];

const exports: readonly Attack[] = [
  refused(
    "an export of the host's name",
    { exports: [{ name: "$sluice_fuel", kind: 0, index: 0 }] },
    /"\$sluice_fuel" begins with \$sluice/,
  ),
  refused(
    "a wrapper of its own",
    { exports: [{ name: "$sluice_in", kind: 0, index: 0 }] },
    /"\$sluice_in" begins with \$sluice/,
  ),
  refused(
    "a write to the global that will hold the fuel",
    hook("i32.const 1000000000 global.set 0 i32.const 1"),
    engine,
  ),
  refused("a call of the helper that will be added", hook("i32.const 1 call 4"), engine),
  refusedBytes(
    "no hook",
    () => moduleOf({ memory: { min: 1 }, functions: [{ type: ":", exports: ["sluice_abi_1"] }] }),
    /no hook, neither sluice_in nor sluice_out/,
    /no sluice_arena/,
    /no memory named "memory"/,
  ),
  refused(
    "a hook of another type",
    { functions: [{ type: "l:", exports: ["sluice_in"] }] },
    /sluice_in has type \(i64\) → \(\), the ABI has/,
  ),
  refused(
    "a hook that is a global",
    { globals: [{ type: "i", init: "i32.const 0" }], exports: [{ name: "sluice_save", kind: 3, index: 0 }] },
    /sluice_save must be a function/,
  ),
  refusedBytes(
    "another ABI",
    () => moduleOf({ functions: [{ type: ":", exports: ["sluice_abi_7"] }] }),
    /speaks ABI 1, the module 7$/,
  ),
  refused(
    "5,000 exports",
    { exports: many(5_000, (index) => ({ name: `x${index}`, kind: 0, index: 0 })) },
    /5004 exports, limit is 256$/,
  ),
  refused("one name twice", { exports: many(2, () => ({ name: "x", kind: 0, index: 0 })) }, /"x" is exported twice/),
  refused("a name that is no text", { sections: { 7: vector([[2, 0xc3, 0x28, 0, 0]]) } }, /a name is not UTF-8/),
];

const features: readonly Attack[] = [
  refused("atomics", raw(0, 0xfe, 0x03, 0x00, 0x0b), /instruction 0xfe is not allowed/),
  refused("exceptions", raw(0, 0x06, 0x40, 0x0b, 0x0b), /instruction 0x06 is not allowed/),
  refusedBytes("a section of exception tags", () => [...HEADER, 13, 3, 1, 0, 0], /section 13 is not allowed/),
  refused("types of the garbage collector", { sections: { 1: [1, 0x5f, 0] } }, /type form 0x5f is not allowed/),
  refused("instructions of the garbage collector", raw(0, 0xfb, 0x00, 0x00, 0x0b), /instruction 0xfb is not allowed/),
  refused("relaxed vectors", raw(0, 0xfd, 0x80, 0x02, 0x0b), /instruction 0xfd 0x100 is not allowed/),
  refusedBytes("a component", () => [0x00, 0x61, 0x73, 0x6d, 0x0d, 0x00, 0x01, 0x00], /components are not taken/),
  refused(
    "a constant that is computed",
    { sections: { 6: vector([[0x7f, 0, 0x41, 0, 0x41, 0, 0x6a, 0x0b]]) } },
    /more than one constant/,
  ),
];

const malformed: readonly Attack[] = [
  refused("a number of six bytes", raw(0, 0x41, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x1a, 0x0b), /longer than 32 bits/),
  refused(
    "a number with bits above its last",
    raw(0, 0x20, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x1a, 0x0b),
    /longer than 32 bits/,
  ),
  refusedBytes(
    "a section beyond the end",
    () => [...HEADER, 1, 0x7f, 1],
    /section type says it has 127 bytes, 1 are left/,
  ),
  refusedBytes("a section twice", () => [...HEADER, 1, 1, 0, 1, 1, 0], /there are two sections type/),
  refusedBytes("sections in another order", () => [...HEADER, 3, 1, 0, 1, 1, 0], /section type is out of order/),
  refused("a body longer than said", { sections: { 10: vector([[3, 0, 0x0b]]) } }, /bodies for|it ends before/),
  refusedBytes("bytes cut off", () => PLAIN.subarray(0, -7), /section code says it has \d+ bytes/),
  refusedBytes("bytes behind the end", () => [...PLAIN, 0], /it ends too early/),
  refusedBytes("nothing", () => [], /does not begin with/),
  refusedBytes("something else", () => new TextEncoder().encode('{"hooks":["in"]}'), /does not begin with/),
  refused(
    "bodies for functions that are not there",
    { sections: { 10: vector([[2, 0, 0x0b]]) } },
    /1 bodies for 3 functions/,
  ),
  refused("4,294,967,295 types", { sections: { 1: u32(0xffff_ffff) } }, /4294967295 types, limit is 1000/),
  refused("4,294,967,295 locals", raw(1, ...u32(0xffff_ffff), 0x7f, 0x0b), /4294967295 locals, limit is 1000/),
  refused("an else without an if", raw(0, 0x05, 0x0b), /else stands without an if/),
  refused("a jump to a block that is not there", raw(0, 0x0c, 5, 0x0b), /there is no block 5 around it/),
  refused("instructions behind the end", raw(0, 0x0b, 0x01, 0x0b), /2 bytes follow its end/),
];

const sizes: readonly Attack[] = [
  refused("50,000 locals", raw(1, ...u32(50_000), 0x7f, 0x0b), /50000 locals, limit is 1000/),
  refused(
    "100,000 blocks within one another",
    {
      functions: [
        { type: ":" },
        { type: ":", raw: [0, ...many(100_000, () => [0x02, 0x40]).flat(), ...many(100_001, () => 0x0b)] },
      ],
    },
    /function 1, .* bytes of body, limit is 131072/,
  ),
  refused(
    "300 blocks within one another",
    hook(`${"block void ".repeat(300)}${"end ".repeat(300)}i32.const 1`),
    /more than 256 blocks within one another/,
  ),
  refused(
    "a jump to 60,000 places",
    hook(`block void local.get 0 br_table ${many(60_001, () => 0).join()} end i32.const 1`),
    /60000 targets of br_table, limit is 4096/,
  ),
  refused(
    "2,000 custom sections",
    { customs: many(2_000, () => ({ name: "x", bytes: [] })) },
    /2000 custom sections, limit is 256/,
  ),
  refusedBytes(
    "more than 1 MiB",
    () => Buffer.concat([PLAIN, Buffer.of(11, ...u32(1_048_576)), Buffer.alloc(1_048_576)]),
    /bytes without custom sections, limit is 1048576/,
  ),
  refusedBytes("more than 8 MiB", () => new Uint8Array(8_388_609), /8388609 bytes, limit is 8388608/),
  refused("50,000 types", { sections: { 1: vector(many(50_000, () => [0x60, 0, 0])) } }, /50000 types, limit is 1000/),
  refused("900 parameters", { types: [`${"i".repeat(900)}:`] }, /900 parameters of a type, limit is 32/),
  refused("6,000 functions", { functions: many(6_000, () => ({ type: ":" })) }, /functions, limit is 5000/),
  refused(
    "a body of 200 KiB",
    { functions: [{ type: ":" }, { type: ":", raw: [0, ...many(204_800, () => 0x01), 0x0b] }] },
    /bytes of body, limit is 131072/,
  ),
];

/** What keeps a compiler busy for long. @see weight.ts */
const compileBombs: readonly Attack[] = [
  ...[
    ["ifs", "local.get 0 if void end", 9_000],
    ["loops", "loop void end", 6_600],
    ["jumps", "block void local.get 0 br_if 0 end", 9_000],
    ["tables of jumps", "block void local.get 0 br_table 0,0,0,0 end", 6_000],
    ["calls", "call 0", 30_000],
  ].flatMap(([what, code, count]) => {
    const repeated = `${code} `.repeat(Number(count));
    const weight = /compile weight, limit is 50000/;
    const locals = {
      ...raw(),
      functions: [
        { type: ":" },
        { type: "iiii:i", locals: "i".repeat(990), code: `${repeated} i32.const 1`, exports: ["sluice_in"] },
      ],
    };
    const operands = hook(`${"local.get 0 ".repeat(990)}${repeated}${"drop ".repeat(989)}`, {
      functions: [{ type: ":" }],
    });
    return [
      refused(`${count} ${what} among 990 locals`, locals, weight),
      refused(`${count} ${what} above 990 operands`, operands, weight),
    ];
  }),
  refused(
    "20,000 operands",
    hook(`${"i32.const 1 ".repeat(20_000)}${"drop ".repeat(19_999)}`),
    /20000 operands on the stack, limit is 1000/,
  ),
  refused(
    "40 heavy functions",
    { functions: many(40, () => ({ type: ":", locals: "i".repeat(900), code: "block void end ".repeat(50) })) },
    /compile weight of all functions, limit is 200000/,
  ),
];

/** All of them. */
export const refusals: readonly Attack[] = [
  ...memories,
  ...imports,
  ...exports,
  ...features,
  ...malformed,
  ...sizes,
  ...compileBombs,
];
