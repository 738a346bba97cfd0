/** Writes the instrumented module. Nothing of the original is renumbered: what is added stands behind what was there. */
import { EXPORT_FUNCTION, hookOf } from "./abi.ts";
import { type Added, RATES, writeBody, writeGetter, writeHelper, writeWrapper } from "./emit-code.ts";
import type { Charge } from "./opcodes.ts";
import type { Body } from "./scan-body.ts";
import { calleeCost } from "./scan-code.ts";
import type { Declarations } from "./scan-module.ts";
import { SECTION, type Sections } from "./sections.ts";
import { type FunctionType, TYPE_FUNCTION, TYPE_I32 } from "./types.ts";
import { Writer } from "./writer.ts";

const PAGE_BYTES = 65_536;
const HEADER_BYTES = 8;
const MUTABLE = 1;
const HAS_MAX = 1;

/** A function that is added. */
interface Extra {
  readonly type: FunctionType;
  /** Exported under that name, if under any. */
  readonly name?: string;
  /** Writes its body. */
  readonly write: (writer: Writer) => void;
}

/** Writes it. The original must have passed the scan and the engine: what it may not name is then not named. */
export function emitModule(
  bytes: Uint8Array,
  { places }: Sections,
  declared: Declarations,
  bodies: readonly Body[],
): Uint8Array<ArrayBuffer> {
  const { types, functions, typeIndexes, tables, memory, globals, exports } = declared;
  const added: Added = {
    fuel: globals,
    helpers: { bytes: functions.length, elements: functions.length + 1, pages: functions.length + 2 },
  };
  const extras = extrasOf(declared, bodies, added);
  const out = new Writer(Math.ceil(bytes.length * 1.5)).raw(bytes, 0, HEADER_BYTES);
  /** A section of the original with more entries behind its own. */
  const extended = (id: number, count: number, more: number, write: (writer: Writer) => void): void => {
    if (count + more === 0) return;
    const section = new Writer().u32(count + more);
    const place = places.get(id);
    if (place !== undefined) section.raw(bytes, place.from + numberBytes(bytes, place.from), place.to);
    write(section);
    out.section(id, section);
  };
  const copied = (id: number): void => {
    const place = places.get(id);
    if (place !== undefined)
      out
        .u8(id)
        .u32(place.to - place.from)
        .raw(bytes, place.from, place.to);
  };

  extended(SECTION.type, types.length, extras.length, (section) => {
    for (const { type } of extras) writeType(section, type);
  });
  copied(SECTION.import);
  extended(SECTION.function, typeIndexes.length, extras.length, (section) => {
    extras.forEach((_, index) => void section.u32(types.length + index));
  });
  if (tables.length > 0) {
    const section = new Writer().u32(tables.length);
    for (const { type, min, max } of tables) section.u8(type, HAS_MAX).u32(min).u32(max);
    out.section(SECTION.table, section);
  }
  if (memory !== undefined)
    out.section(SECTION.memory, new Writer().u32(1).u8(HAS_MAX).u32(memory.min).u32(memory.max));
  extended(SECTION.global, globals, 1, (section) => void section.u8(TYPE_I32, MUTABLE, 0x41, 0x00, 0x0b));
  extended(SECTION.export, exports.length, extras.filter(({ name }) => name !== undefined).length, (section) =>
    extras.forEach(({ name }, index) => {
      if (name !== undefined)
        section
          .name(name)
          .u8(EXPORT_FUNCTION)
          .u32(functions.length + index);
    }),
  );
  // No start section: what the module would run by itself is run under fuel.
  copied(SECTION.element);
  copied(SECTION.dataCount);
  const code = new Writer(bytes.length).u32(bodies.length + extras.length);
  const one = new Writer(4_096);
  for (const body of bodies) {
    writeBody(one.clear(), bytes, body, added);
    code.sized(one);
  }
  for (const { write } of extras) {
    write(one.clear());
    code.sized(one);
  }
  out.section(SECTION.code, code);
  copied(SECTION.data);
  return out.done();
}

/** Helpers first, in the order of their indexes, then what the host calls. */
function extrasOf(declared: Declarations, bodies: readonly Body[], { fuel }: Added): Extra[] {
  const { imports, functions, tables, memory, exports, start } = declared;
  const most: Record<Charge, number> = {
    bytes: (memory?.max ?? 0) * PAGE_BYTES,
    elements: Math.max(0, ...tables.map(({ max }) => max)),
    pages: memory?.max ?? 0,
  };
  const i32 = [TYPE_I32];
  const helper = (charge: Charge): Extra => ({
    type: { params: i32, results: i32 },
    write: (writer) => writeHelper(writer, fuel, RATES[charge], most[charge]),
  });
  const wrapper = (name: string, index: number): Extra => {
    const { params, results } = functions[index] as FunctionType;
    const cost = calleeCost(index, imports.length, bodies);
    return {
      name,
      type: { params: [TYPE_I32, ...params], results },
      write: (writer) => writeWrapper(writer, fuel, index, params.length, cost),
    };
  };
  const hooks = exports.filter(({ name, kind }) => kind === EXPORT_FUNCTION && hookOf(name) !== undefined);
  return [
    helper("bytes"),
    helper("elements"),
    helper("pages"),
    { name: "$sluice_fuel", type: { params: [], results: i32 }, write: (writer) => writeGetter(writer, fuel) },
    ...hooks.map(({ name, index }) => wrapper(`$${name}`, index)),
    ...(start === undefined ? [] : [wrapper("$sluice_start", start)]),
  ];
}

function writeType(writer: Writer, { params, results }: FunctionType): void {
  writer.u8(TYPE_FUNCTION);
  for (const list of [params, results]) writer.u32(list.length).u8(...list);
}

/** Bytes that a LEB128 number takes where it stands. */
function numberBytes(bytes: Uint8Array, at: number): number {
  let count = 1;
  while ((bytes[at + count - 1] as number) >= 0x80) count++;
  return count;
}
