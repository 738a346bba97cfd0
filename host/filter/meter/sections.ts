/** Where the sections of a module lie. Nothing of their content is looked at but the names of custom ones. */
import type { ModuleLimits } from "./limits.ts";
import { Reader } from "./reader.ts";
import { type Reasons, Unreadable } from "./refusal.ts";

/** Numbers of the sections. */
export const SECTION = Object.freeze({
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  code: 10,
  data: 11,
  dataCount: 12,
});

/** Their order in a module; the count of data segments was given its number late. */
const ORDER: readonly number[] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 10, 11];
const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(SECTION).map(([name, id]) => [id, name]));

const MAGIC = [0x00, 0x61, 0x73, 0x6d];
const VERSION = [0x01, 0x00, 0x00, 0x00];
const VERSION_AT = MAGIC.length;
const HEADER_BYTES = MAGIC.length + VERSION.length;

const MANIFEST = "sluice.manifest";

/** A stretch of the upload. */
export interface Place {
  readonly from: number;
  readonly to: number;
}

/** What a module consists of. */
export interface Sections {
  /** Content of each section that there is. */
  readonly places: ReadonlyMap<number, Place>;
  /** Content of the custom section `sluice.manifest`, as bytes of its own. */
  readonly manifest: Uint8Array | undefined;
  /** Bytes of all custom sections, headers included. */
  readonly customBytes: number;
}

/** Finds them. Notes what is wrong and goes on as far as it can. */
export function sectionsOf(bytes: Uint8Array, limits: ModuleLimits, reasons: Reasons): Sections {
  const places = new Map<number, Place>();
  const found = { places, manifest: undefined as Uint8Array | undefined, customBytes: 0 };
  const isHeader = (expected: readonly number[], from: number): boolean =>
    expected.every((byte, index) => bytes[from + index] === byte);
  if (!isHeader(MAGIC, 0)) {
    reasons.add("module", 0, 'it does not begin with "\\0asm"');
    return found;
  }
  if (!isHeader(VERSION, VERSION_AT)) {
    reasons.add("module", VERSION_AT, "it is not a core module of version 1 (components are not taken)");
    return found;
  }
  let customs = 0;
  let last = -1;
  reasons.attempt("module", () => {
    const reader = new Reader(bytes, HEADER_BYTES, bytes.length);
    while (reader.at < reader.end) {
      const headerAt = reader.at;
      const id = reader.u8();
      const size = reader.u32();
      const from = reader.at;
      if (size > reader.end - from)
        throw new Unreadable(
          headerAt,
          `section ${nameOf(id)} says it has ${size} bytes, ${reader.end - from} are left`,
        );
      reader.skip(size);
      if (id === 0) {
        customs++;
        found.customBytes += reader.at - headerAt;
        const manifest = manifestIn(bytes, { from, to: reader.at }, reasons);
        if (manifest !== undefined && found.manifest !== undefined)
          reasons.add("module", headerAt, `there are two sections ${MANIFEST}`);
        found.manifest ??= manifest;
        continue;
      }
      const place = ORDER.indexOf(id);
      if (place < 0) reasons.add("module", headerAt, `section ${id} is not allowed`);
      else if (places.has(id)) reasons.add("module", headerAt, `there are two sections ${nameOf(id)}`);
      else if (place < last) reasons.add("module", headerAt, `section ${nameOf(id)} is out of order`);
      else places.set(id, { from, to: reader.at });
      last = Math.max(last, place);
    }
  });
  reasons.limit("module", 0, "custom sections", customs, limits.customSections);
  reasons.limit("module", 0, "bytes without custom sections", bytes.length - found.customBytes, limits.moduleBytes);
  return found;
}

/** What reasons call a section. */
export function nameOf(id: number): string {
  return id === 0 ? "custom" : (NAMES.get(id) ?? String(id));
}

function manifestIn(bytes: Uint8Array, { from, to }: Place, reasons: Reasons): Uint8Array | undefined {
  let manifest: Uint8Array | undefined;
  reasons.attempt("section custom", () => {
    const reader = new Reader(bytes, from, to);
    if (reader.name() === MANIFEST) manifest = bytes.slice(reader.at, to);
  });
  return manifest;
}
