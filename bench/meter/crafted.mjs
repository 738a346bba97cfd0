// Code that gets as much time for its fuel as its author could think of: each takes fuel until it is spent.
//
// Whatever is slow on real machines is here: caches missed, pages crossed, branches mispredicted, numbers below the smallest normal
// one, calls out of the module, and instructions that an engine carries out by a call into itself.

/** @typedef {import('../../test/host/filter/meter/assemble.ts').ModuleParts} Parts */
/** @typedef {{ name: string, parts: Parts, prepare?: (memory: Uint32Array<ArrayBuffer>) => void }} Crafted */

const PAGES = 64;
/** As far as any limit goes. */
const PAGES_CAP = 256;
const LOCALS = "iiildfv";
/** A number below the smallest normal one; sums, products and roots of such are slow on many machines. */
const SUBNORMAL = "1e-310";
const UNROLLED = 64;

/** For ever, some times per turn, of which the last result is kept lest a compiler leave all out. @param {string} code @param {string} [keep] */
const forever = (code, keep = "local.get 0 i32.store 8") =>
  `loop void ${`${code} `.repeat(UNROLLED)} i32.const 0 ${keep} br 0 end unreachable`;
/** The hook in place of the module. @param {string} code @param {Partial<Parts>} [more] @returns {Parts} */
const hook = (code, more = {}) => ({
  memory: { min: PAGES, max: PAGES },
  functions: [...(more.functions ?? []), { type: "iiii:i", locals: LOCALS, code, exports: ["sluice_in"] }],
  ...Object.fromEntries(Object.entries(more).filter(([name]) => name !== "functions")),
});
const table = { tables: [{ min: 10_000, max: 10_000 }], elements: [{ offset: 0, functions: [0, 0, 0, 0] }] };
/** A number that no predictor guesses, in local 0, from itself. */
const SCRAMBLE = "local.get 0 i32.const 1664525 i32.mul i32.const 1013904223 i32.add local.set 0";
/** An address in another page of 4 KiB, and in another line, than those before. @param {number} pages */
const scattered = (pages) =>
  `local.get 0 i32.const ${65 * 4_096 + 64} i32.add local.tee 0 i32.const ${pages * 65_536 - 4} i32.and`;
/** Its best digits. */
const RANDOM = `${SCRAMBLE} local.get 0 i32.const 16 i32.shr_u`;

/** Stores to each page of 4 KiB of the 64 KiB at the address in local 4. */
const TOUCH = Array.from({ length: 16 }, (_, page) => `local.get 4 i32.const 1 i32.store ${page * 4_096}`).join(" ");

/** Every word of memory names another one, all in one round, in no order. @param {Uint32Array<ArrayBuffer>} memory */
function chain(memory) {
  const lines = memory.length / 16;
  const order = Uint32Array.from({ length: lines }, (_, index) => index);
  let state = 1;
  for (let i = lines - 1; i > 0; i--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const j = state % (i + 1);
    [order[i], order[j]] = [order[j] ?? 0, order[i] ?? 0];
  }
  for (let i = 0; i < lines; i++) memory[(order[i] ?? 0) * 16] = (order[(i + 1) % lines] ?? 0) * 64;
}

/** Type of each local that results are chained through. @type {Readonly<Record<string, string>>} */
const KEPT = Object.freeze({
  0: "i32.store 8",
  7: "i64.store 8",
  8: "f64.store 8",
  9: "f32.store 8",
  10: "v128.store 16",
});
/** A unary or binary instruction on a local of its own, over and over. @param {string} local @param {string} start @param {string} code */
const chained = (local, start, code) =>
  hook(
    `${start} local.set ${local} ${forever(`local.get ${local} ${code} local.set ${local}`, `local.get ${local} ${KEPT[local]}`)}`,
  );

/** @type {readonly Crafted[]} */
export const crafted = Object.freeze([
  { name: "nothing", parts: hook("loop void br 0 end unreachable") },
  { name: "chase-4-mib", parts: hook(forever("local.get 0 i32.load 0 local.set 0")), prepare: chain },
  {
    name: "chase-16-mib",
    parts: hook(forever("local.get 0 i32.load 0 local.set 0"), { memory: { min: PAGES_CAP, max: PAGES_CAP } }),
    prepare: chain,
  },
  ...[PAGES, PAGES_CAP].map((pages) => ({
    // No load waits for another one here.
    name: `scattered-loads-${pages / 16}-mib`,
    parts: hook(forever(`${scattered(pages)} i32.load 0 local.set 1`, "local.get 1 i32.store 8"), {
      memory: { min: pages, max: pages },
    }),
  })),
  ...[PAGES, PAGES_CAP].map((pages) => ({
    name: `scattered-stores-${pages / 16}-mib`,
    parts: hook(forever(`${scattered(pages)} local.get 0 i32.store 0`), { memory: { min: pages, max: pages } }),
  })),
  {
    name: "page-crossing-load",
    parts: hook(forever(`${RANDOM} i32.const 63 i32.and i32.const 12 i32.shl i64.load 4093 drop`)),
  },
  { name: "page-crossing-store", parts: hook(forever("i32.const 0 i64.const 1 i64.store 4093")) },
  {
    name: "mispredicted-branch",
    parts: hook(
      forever(`${RANDOM} i32.const 1 i32.and if void local.get 0 local.set 1 end`, "local.get 1 i32.store 8"),
    ),
  },
  {
    name: "mispredicted-table",
    parts: hook(
      `loop void ${SCRAMBLE} block void block void block void block void local.get 0 i32.const 28 i32.shr_u br_table 0,1,2,3,1,0,2,3,3,1,2,0,0 end i32.const 1 local.set 1 br 3 end i32.const 2 local.set 1 br 2 end end br 0 end unreachable`,
    ),
  },
  { name: "i32-div", parts: chained("0", "i32.const 123456789", "local.get 1 i32.div_s") },
  { name: "i64-div", parts: chained("7", "i64.const 1234567890123456789", "local.get 1 i64.extend_i32_s i64.div_s") },
  { name: "i64-rem", parts: chained("7", "i64.const 1234567890123456789", "i64.const 1234567890123456790 i64.rem_s") },
  { name: "f64-div", parts: chained("8", "f64.const 1.1", "f64.const 1.0000001 f64.div") },
  { name: "f64-sqrt", parts: chained("8", "f64.const 1.1", "f64.sqrt") },
  { name: "f64-mul-subnormal", parts: chained("8", `f64.const ${SUBNORMAL}`, "f64.const 0.99999999 f64.mul") },
  { name: "f64-add-subnormal", parts: chained("8", `f64.const ${SUBNORMAL}`, "f64.const 1e-320 f64.add") },
  { name: "f64-div-subnormal", parts: chained("8", `f64.const ${SUBNORMAL}`, "f64.const 1.00000001 f64.div") },
  {
    name: "f64-sqrt-subnormal",
    parts: hook(
      forever(
        `local.get 8 f64.const ${SUBNORMAL} f64.add f64.sqrt f64.const 1e-308 f64.mul local.set 8`,
        "local.get 8 f64.store 8",
      ),
    ),
  },
  { name: "f32-mul-subnormal", parts: chained("9", "f32.const 1e-40", "f32.const 0.9999 f32.mul") },
  { name: "promote-subnormal", parts: chained("9", "f32.const 1e-40", "f64.promote_f32 f32.demote_f64") },
  {
    name: "f64x2-mul-subnormal",
    parts: chained("10", `f64.const ${SUBNORMAL} f64x2.splat`, "f64.const 0.99999999 f64x2.splat f64x2.mul"),
  },
  { name: "f64x2-div", parts: chained("10", "f64.const 1.1 f64x2.splat", "local.get 10 f64x2.div") },
  { name: "f64-nearest", parts: chained("8", "f64.const 1.5", "f64.nearest f64.floor f64.trunc") },
  { name: "f64-min", parts: chained("8", "f64.const 1.5", "f64.const 1.25 f64.min f64.const 1.125 f64.max") },
  { name: "trunc-sat", parts: chained("8", "f64.const 1e300", "i64.trunc_sat_f64_u f64.convert_i64_u") },
  { name: "i64x2-mul", parts: chained("10", "i32.const 3 i32x4.splat", "local.get 10 i64x2.mul") },
  { name: "i8x16-shr", parts: chained("10", "i32.const 3 i32x4.splat", "local.get 0 i8x16.shr_s i8x16.popcnt") },
  {
    name: "global",
    parts: hook(forever("global.get 0 i32.const 1 i32.add global.set 0"), {
      globals: [{ type: "i", isMutable: true, init: "i32.const 0" }],
    }),
  },
  { name: "table-get", parts: hook(forever("i32.const 0 table.get 0 drop"), table) },
  { name: "table-set", parts: hook(forever("i32.const 1 ref.func 0 table.set 0"), table) },
  { name: "table-set-same", parts: hook(forever("i32.const 1 i32.const 0 table.get 0 table.set 0"), table) },
  { name: "ref-func", parts: hook(forever("ref.func 0 drop"), table) },
  { name: "table-fill-none", parts: hook(forever("i32.const 0 ref.null r i32.const 0 table.fill 0"), table) },
  { name: "table-fill-some", parts: hook(forever("i32.const 0 ref.func 0 i32.const 8 table.fill 0"), table) },
  { name: "table-fill-all", parts: hook(forever("i32.const 0 ref.func 0 i32.const 10000 table.fill 0"), table) },
  { name: "table-copy-all", parts: hook(forever("i32.const 0 i32.const 1 i32.const 9999 table.copy 0 0"), table) },
  { name: "table-grow-none", parts: hook(forever("ref.null r i32.const 0 table.grow 0 drop"), table) },
  { name: "table-grow-refused", parts: hook(forever("ref.null r i32.const 1 table.grow 0 drop"), table) },
  {
    name: "table-grow-one",
    parts: hook(forever("ref.func 0 i32.const 1 table.grow 0 drop"), { ...table, tables: [{ min: 4 }] }),
  },
  { name: "memory-size", parts: hook(forever("memory.size drop")) },
  { name: "memory-fill-none", parts: hook(forever("i32.const 0 i32.const 0 i32.const 0 memory.fill")) },
  { name: "memory-fill-few", parts: hook(forever("i32.const 4095 i32.const 0 i32.const 15 memory.fill")) },
  { name: "memory-fill-all", parts: hook(forever("i32.const 0 i32.const 0 i32.const 4194304 memory.fill")) },
  { name: "memory-copy-few", parts: hook(forever("i32.const 4095 i32.const 8191 i32.const 15 memory.copy")) },
  { name: "memory-copy-all", parts: hook(forever("i32.const 1 i32.const 4 i32.const 4194300 memory.copy")) },
  { name: "memory-grow-none", parts: hook(forever("i32.const 0 memory.grow drop")) },
  { name: "memory-grow-refused", parts: hook(forever("i32.const 1 memory.grow drop")) },
  {
    name: "memory-grow-one",
    parts: hook(`${"i32.const 1 memory.grow drop ".repeat(PAGES)} unreachable`, { memory: { min: 1, max: PAGES } }),
  },
  {
    name: "fresh-pages",
    // The system has to give each page of 4 KiB when it is first stored to: growing pays for that.
    parts: hook(
      `loop void i32.const 1 memory.grow local.tee 4 i32.const 0 i32.ge_s if void local.get 4 i32.const 16 i32.shl local.set 4 ${TOUCH} br 1 end end i32.const 0`,
      { memory: { min: 1, max: PAGES } },
    ),
  },
  {
    name: "call-leaf",
    parts: hook(forever("call 0"), { functions: [{ type: ":" }] }),
  },
  {
    name: "call-indirect",
    parts: hook(forever(`${RANDOM} i32.const 3 i32.and call_indirect :`), {
      functions: [
        { type: ":" },
        { type: ":", code: "nop" },
        { type: ":", code: "nop nop" },
        { type: ":", code: "nop nop nop" },
      ],
      tables: [{ min: 4, max: 4 }],
      elements: [{ offset: 0, functions: [0, 1, 2, 3] }],
    }),
  },
  {
    name: "call-import",
    parts: hook(forever("call 0 drop"), { imports: [{ module: "sluice", name: "now", type: ":d" }] }),
  },
  {
    name: "log-none",
    parts: hook(forever("i32.const 1 i32.const 0 i32.const 0 call 0"), {
      imports: [{ module: "sluice", name: "log", type: "iii:" }],
    }),
  },
  {
    name: "log-all",
    parts: hook(forever("i32.const 1 i32.const 0 i32.const 4194304 call 0"), {
      imports: [{ module: "sluice", name: "log", type: "iii:" }],
    }),
  },
  {
    name: "random",
    parts: hook(forever("call 0 drop"), { imports: [{ module: "sluice", name: "rand", type: ":i" }] }),
  },
  {
    // A text of 256 bytes that is another one each time.
    name: "number-texts",
    parts: hook(forever(`${SCRAMBLE} i32.const 0 local.get 0 i32.store 0 i32.const 0 i32.const 256 call 0 drop`), {
      imports: [{ module: "sluice", name: "intern", type: "ii:i" }],
    }),
  },
  {
    name: "recursion",
    parts: hook("call 0 unreachable", { functions: [{ type: ":", code: "call 0" }] }),
  },
  {
    name: "recursion-with-locals",
    parts: hook("call 0 unreachable", { functions: [{ type: ":", locals: "l".repeat(900), code: "call 0" }] }),
  },
]);
