/** Modules that a host takes, and that hurt nobody when they run. */
import { filterOf, u32 } from "../../host/filter/meter/assemble.ts";
import { type Attack, contained, many } from "./attack.ts";

const forever = (code: string): string => `loop void ${code} br 0 end unreachable`;
const busy = { type: ":", code: "loop void br 0 end" };
const table = { tables: [{ min: 4, max: 8 }], elements: [{ offset: 0, functions: [0, 1] }] };
/** With two functions in it that do nothing. */
const tableParts = { ...table, functions: [{ type: ":" }, { type: ":" }] };
const log = { imports: [{ module: "sluice", name: "log", type: "iii:" }] };

const loops: readonly Attack[] = [
  contained("a loop without end", "fuel", forever("")),
  contained("a loop that could end", "fuel", "loop void i32.const 1 br_if 0 end i32.const 1"),
  contained("a loop in a function that is called", "fuel", "call 0 i32.const 1", { functions: [busy] }),
  contained("a loop of jumps by table", "fuel", "loop void loop void i32.const 1 br_table 0,1,0 end end i32.const 1"),
  contained("a tail call of itself", "fuel", "call 0 i32.const 1", {
    functions: [{ type: ":", code: "return_call 0" }],
  }),
  contained("tail calls in turn", "fuel", "call 0 i32.const 1", {
    functions: [
      { type: ":", code: "return_call 1" },
      { type: ":", code: "return_call 0" },
    ],
  }),
  contained("a tail call through a table", "fuel", "call 0 i32.const 1", {
    ...table,
    functions: [{ type: ":", code: "i32.const 0 return_call_indirect :" }, { type: ":" }],
  }),
  contained("calls through a table in a loop", "fuel", forever("i32.const 1 call_indirect :"), {
    ...table,
    functions: [{ type: ":" }, { type: ":" }],
  }),
  contained("calls that double", "fuel", "i32.const 60 call 0 i32.const 1", {
    functions: [
      {
        type: "i:",
        code: "local.get 0 if void local.get 0 i32.const 1 i32.sub call 0 local.get 0 i32.const 1 i32.sub call 0 end",
      },
    ],
  }),
  contained("an import in a loop", "fuel", forever("call 0 drop"), {
    imports: [{ module: "sluice", name: "now", type: ":d" }],
  }),
  // What these take of the stack is the engine's to say: it or the fuel ends first.
  contained("recursion", "trap", "call 0 i32.const 1", { functions: [{ type: ":", code: "call 0 nop" }] }),
  contained("recursion of two", "trap", "call 0 i32.const 1", {
    functions: [
      { type: ":", code: "call 1 nop" },
      { type: ":", code: "call 0 nop" },
    ],
  }),
  contained("recursion with 900 locals", "trap", "call 0 i32.const 1", {
    functions: [{ type: ":", locals: "l".repeat(900), code: "call 0 nop" }],
  }),
];

const memory: readonly Attack[] = [
  contained("growing in a loop", "fuel", forever("i32.const 1 memory.grow drop")),
  contained("growing by 65,535 pages", "well", "i32.const 65535 memory.grow i32.const -1 i32.ne"),
  contained("growing by all but one", "well", "i32.const -1 memory.grow i32.const -1 i32.ne"),
  contained("filling in a loop", "fuel", forever("i32.const 0 i32.const 1 i32.const 65536 memory.fill")),
  contained("copying in a loop", "fuel", forever("i32.const 0 i32.const 8 i32.const 65528 memory.copy")),
  contained("filling 4 GiB", "trap", "i32.const 0 i32.const 1 i32.const -1 memory.fill i32.const 1"),
  contained("a load beyond the end", "trap", "i32.const -4 i32.load 0"),
  contained("a store beyond the end", "trap", "i32.const 2147483647 i32.const 1 i32.store 2147483647 i32.const 1"),
  contained("a table that grows in a loop", "fuel", forever("ref.null r i32.const 1 table.grow 0 drop"), tableParts),
  contained(
    "a table that is filled in a loop",
    "fuel",
    forever("i32.const 0 ref.null r i32.const 4 table.fill 0"),
    tableParts,
  ),
  contained(
    "filling more than a table",
    "trap",
    "i32.const 0 ref.null r i32.const -1 table.fill 0 i32.const 1",
    tableParts,
  ),
];

const traps: readonly Attack[] = [
  contained("unreachable", "trap", "unreachable"),
  contained("division by zero", "trap", "i32.const 1 i32.const 0 i32.div_s"),
  contained("the one quotient too large", "trap", "i32.const -2147483648 i32.const -1 i32.div_s"),
  contained("a number that is none", "trap", "f64.const NaN i32.trunc_f64_s"),
  contained("a call of nothing", "trap", "i32.const 3 call_indirect : i32.const 1", tableParts),
  contained("a call beyond the table", "trap", "i32.const -1 call_indirect : i32.const 1", tableParts),
  contained("a call of another type", "trap", "i64.const 1 i32.const 0 call_indirect l:l drop i32.const 1", tableParts),
  contained(
    "a trap on the third event",
    "trap",
    "local.get 1 i32.const 3 i32.ge_u if void unreachable end local.get 1",
  ),
];

const floods: readonly Attack[] = [
  contained("lines of the log without end", "fuel", forever("i32.const 0 i32.const 0 i32.const 8 call 0"), log),
  contained(
    "a line of the log from nowhere",
    "well",
    "i32.const 0 i32.const -16 i32.const 2147483647 call 0 local.get 1",
    log,
  ),
  {
    name: "a megabyte in a custom section",
    ends: "well",
    bytes: () => new Uint8Array(Buffer.concat([filterOf({}), Buffer.of(0, ...u32(900_000), 0), Buffer.alloc(899_999)])),
  },
  contained("4,000 functions", "well", "local.get 1", { functions: many(4_000, () => ({ type: ":" })) }),
];

const starts: readonly Attack[] = [
  contained("a start that does not end", "fuel", "local.get 1", { functions: [busy], start: 0 }),
  contained("a start that traps", "trap", "local.get 1", { functions: [{ type: ":", code: "unreachable" }], start: 0 }),
  contained("data beyond memory", "trap", "local.get 1", { data: [{ offset: 65_535, bytes: [1, 2, 3] }] }),
];

/** All of them. */
export const containments: readonly Attack[] = [...loops, ...memory, ...traps, ...floods, ...starts];
