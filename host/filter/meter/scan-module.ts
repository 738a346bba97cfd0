/** Reads all sections but the code: what the module declares. */
import { checkExports, checkImports, EXPORT_FUNCTION, type Export, type Import } from "./abi.ts";
import { MEMORY_PAGES_CAP, type ModuleLimits } from "./limits.ts";
import { Reader } from "./reader.ts";
import { type Reasons, Unreadable } from "./refusal.ts";
import { nameOf, SECTION, type Sections } from "./sections.ts";
import { constantExpression, type FunctionType, functionType, hex, referenceType, valueType } from "./types.ts";

/** Bounds of a table or of memory. */
export interface Extent {
  readonly min: number;
  /** As lowered to the limit. */
  readonly max: number;
}

/** What a module declares. */
export interface Declarations {
  readonly types: FunctionType[];
  readonly imports: Import[];
  /** Type of every function, imports first; none where types could not be read. */
  readonly functions: (FunctionType | undefined)[];
  /** Whether types and functions could be read: bodies mean something only then. */
  areFunctionsKnown: boolean;
  /** The number of each defined function's type. */
  readonly typeIndexes: number[];
  readonly tables: (Extent & { readonly type: number })[];
  memory: Extent | undefined;
  globals: number;
  readonly exports: Export[];
  start: number | undefined;
  /** Functions that may be reached otherwise than by a direct call, as far as anything but code says so. */
  readonly referred: Set<number>;
}

const KIND_NAMES = ["function", "table", "memory", "global"];
const FLAG_MAX = 1;
const FLAG_SHARED = 2;
const FLAG_64 = 4;
/** Reads them. Notes what is wrong; what depends on it is not complained about again. */
export function declarationsOf(
  bytes: Uint8Array,
  { places }: Sections,
  limits: ModuleLimits,
  reasons: Reasons,
): Declarations {
  const found: Declarations = {
    types: [],
    imports: [],
    functions: [],
    areFunctionsKnown: false,
    typeIndexes: [],
    tables: [],
    memory: undefined,
    globals: 0,
    exports: [],
    start: undefined,
    referred: new Set(),
  };
  const read = (id: number, each: (reader: Reader) => void): boolean => {
    const place = places.get(id);
    if (place === undefined) return true;
    return reasons.attempt(`section ${nameOf(id)}`, () => {
      const reader = new Reader(bytes, place.from, place.to);
      each(reader);
      reader.finish();
    });
  };
  /** A vector; one of more elements than the limit is not read. */
  const list = (id: number, limit: number, what: string, each: (reader: Reader) => void): boolean =>
    read(id, (reader) => {
      const { at } = reader;
      const count = reader.u32();
      if (count > limit) throw new Unreadable(at, `${count} ${what}, limit is ${limit}`);
      for (let i = 0; i < count; i++) each(reader);
    });
  const typeAt = (reader: Reader): number => {
    const { at } = reader;
    const index = reader.u32();
    if (index >= found.types.length && areTypesKnown) throw new Unreadable(at, `there is no type ${index}`);
    return index;
  };

  const areTypesKnown = list(SECTION.type, limits.types, "types", (reader) =>
    found.types.push(functionType(reader, limits, reasons)),
  );
  const areImportsKnown = list(SECTION.import, limits.imports, "imports", (reader) => {
    const { at } = reader;
    const [module, name, kind] = [reader.name(), reader.name(), reader.u8()];
    if (kind !== EXPORT_FUNCTION)
      throw new Unreadable(at, `an import is a ${KIND_NAMES[kind] ?? hex(kind)}, only functions are given`);
    const type = found.types[typeAt(reader)];
    found.imports.push({ module, name, at, type });
    found.functions.push(type);
  });
  const areDefinedKnown = list(SECTION.function, limits.functions, "functions", (reader) => {
    const index = typeAt(reader);
    found.typeIndexes.push(index);
    found.functions.push(found.types[index]);
  });
  found.areFunctionsKnown = areTypesKnown && areImportsKnown && areDefinedKnown;
  list(SECTION.table, limits.tables, "tables", (reader) => {
    const { at } = reader;
    const type = referenceType(reader);
    const { min, max } = extent(reader, "a table", limits.tableElements);
    reasons.limit("section table", at, "elements of a table", min, limits.tableElements);
    found.tables.push({ type, min, max });
  });
  list(SECTION.memory, 1, "memories", (reader) => {
    const { at } = reader;
    const pagesMax = Math.min(limits.memoryPagesMax, MEMORY_PAGES_CAP);
    found.memory = extent(reader, "memory", pagesMax);
    const startMax = Math.min(limits.memoryPages, pagesMax);
    reasons.limit("section memory", at, "pages of memory to start with", found.memory.min, startMax);
  });
  list(SECTION.global, limits.globals, "globals", (reader) => {
    const { at } = reader;
    valueType(reader);
    const mutability = reader.u8();
    if (mutability > 1) throw new Unreadable(at, `a global has flags ${hex(mutability)}`);
    refer(found, constantExpression(reader));
    found.globals++;
  });
  const areExportsKnown = list(SECTION.export, limits.exports, "exports", (reader) => {
    const { at } = reader;
    const [name, kind, index] = [reader.name(), reader.u8(), reader.u32()];
    if (kind >= KIND_NAMES.length) throw new Unreadable(at, `an export is of kind ${hex(kind)}`);
    const type = kind === EXPORT_FUNCTION ? found.functions[index] : undefined;
    found.exports.push({ name, kind, index, at, type });
    if (kind === EXPORT_FUNCTION) refer(found, index);
  });
  read(SECTION.start, (reader) => {
    found.start = reader.u32();
  });
  list(SECTION.element, limits.elementSegments, "element segments", (reader) => elementSegment(reader, found));
  read(SECTION.dataCount, (reader) => reader.u32());
  list(SECTION.data, limits.dataSegments, "data segments", dataSegment);
  checkImports(found.imports, reasons);
  checkExports(found.exports, areExportsKnown, reasons);
  return found;
}

/** Reads bounds. An upper one beyond the limit, or none, becomes the limit. */
function extent(reader: Reader, what: string, limit: number): Extent {
  const { at } = reader;
  const flags = reader.u8();
  if ((flags & FLAG_SHARED) !== 0) throw new Unreadable(at, `${what} is shared, which is not allowed`);
  if ((flags & FLAG_64) !== 0) throw new Unreadable(at, `${what} has 64-bit addresses, which are not allowed`);
  if (flags > FLAG_MAX) throw new Unreadable(at, `${what} has flags ${hex(flags)}`);
  const min = reader.u32();
  const max = flags === FLAG_MAX ? Math.min(reader.u32(), limit) : limit;
  // A maximum below the minimum is the engine's to refuse, unless it is ours.
  return { min, max: min > limit ? min : max };
}

/** Segments of a table's elements come in eight forms: three flags. */
function elementSegment(reader: Reader, found: Declarations): void {
  const { at } = reader;
  const flags = reader.u32();
  if (flags > 7) throw new Unreadable(at, `an element segment has flags ${flags}`);
  const [isPassive, isExplicit, isExpressions] = [(flags & 1) !== 0, (flags & 2) !== 0, (flags & 4) !== 0];
  if (!isPassive && isExplicit) reader.u32();
  if (!isPassive) constantExpression(reader);
  if (isPassive || isExplicit) {
    if (isExpressions) referenceType(reader);
    else if (reader.u8() !== 0) throw new Unreadable(reader.at - 1, "an element segment is not of functions");
  }
  // Each takes a byte at least, so that a count beyond the section ends there.
  const count = reader.u32();
  for (let i = 0; i < count; i++) refer(found, isExpressions ? constantExpression(reader) : reader.u32());
}

function dataSegment(reader: Reader): void {
  const { at } = reader;
  const flags = reader.u32();
  if (flags > 2) throw new Unreadable(at, `a data segment has flags ${flags}`);
  if (flags === 2 && reader.u32() !== 0) throw new Unreadable(at, "a data segment is of another memory");
  if (flags !== 1) constantExpression(reader);
  reader.skip(reader.u32());
}

function refer({ referred }: Declarations, index: number | undefined): void {
  if (index !== undefined) referred.add(index);
}
