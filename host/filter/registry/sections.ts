/**
 * Custom sections of a module: the manifest that travels in one, found and appended.
 *
 * A module carries its manifest so that one file, with one digest, is all that decides. Nothing here says whether the rest
 * is a module: that is for the instrumenter, which reads every byte.
 *
 * Source: https://webassembly.github.io/spec/core/binary/modules.html#custom-section
 */
import { SluiceError } from "../../errors.ts";
import { limits } from "../../limits.ts";

/** Name of the section with the manifest. */
export const MANIFEST_SECTION = "sluice.manifest";

const PREAMBLE_BYTES = 8;
const CUSTOM = 0;
/** Of a 32-bit number in LEB128. */
const LEB_BYTES_MAX = 5;

/**
 * The content of the first custom section of a name.
 *
 * @returns A view into `bytes`; undefined where there is none, or where the sections before it make no sense.
 */
export function customSection(bytes: Uint8Array, name: string): Uint8Array | undefined {
  let at = PREAMBLE_BYTES;
  while (at < bytes.length) {
    const id = bytes[at];
    const size = readLeb(bytes, at + 1);
    if (size === undefined || size.end + size.value > bytes.length) return undefined;
    const end = size.end + size.value;
    if (id === CUSTOM) {
      const length = readLeb(bytes, size.end);
      if (length === undefined || length.end + length.value > end) return undefined;
      const content = length.end + length.value;
      if (new TextDecoder().decode(bytes.subarray(length.end, content)) === name) return bytes.subarray(content, end);
    }
    at = end;
  }
  return undefined;
}

/** A module with a manifest appended; it must have none yet. */
export function withManifest(bytes: Uint8Array, manifest: Uint8Array): Uint8Array {
  const name = new TextEncoder().encode(MANIFEST_SECTION);
  const body = [...leb(name.length), ...name];
  const head = [CUSTOM, ...leb(body.length + manifest.length), ...body];
  const whole = new Uint8Array(bytes.length + head.length + manifest.length);
  whole.set(bytes);
  whole.set(head, bytes.length);
  whole.set(manifest, bytes.length + head.length);
  return whole;
}

/**
 * One content of a module and the manifest that came beside it.
 *
 * @param manifest JSON as UTF-8; undefined: there is none.
 * @throws {SluiceError} `body_too_large` for a module beyond the limit, `contradiction` where it has a manifest already.
 */
export function contentOf(module: Uint8Array, manifest: Uint8Array | undefined): Uint8Array {
  const limit = limits.filterUploadBytes;
  if (module.length > limit)
    throw new SluiceError("body_too_large", `Cannot take a module of ${module.length} bytes, limit is ${limit}`, {
      value: module.length,
      limit,
    });
  if (manifest === undefined) return module;
  if (customSection(module, MANIFEST_SECTION) === undefined) return withManifest(module, manifest);
  throw new SluiceError(
    "contradiction",
    `Cannot take the part manifest, the module has one in its section ${MANIFEST_SECTION}`,
    { value: ["manifest", MANIFEST_SECTION] },
  );
}

function readLeb(bytes: Uint8Array, from: number): { readonly value: number; readonly end: number } | undefined {
  let value = 0;
  for (let index = 0; index < LEB_BYTES_MAX; index++) {
    const byte = bytes[from + index];
    if (byte === undefined) return undefined;
    // A product, because a shift by 28 would make it negative.
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, end: from + index + 1 };
  }
  return undefined;
}

function leb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...leb(value >>> 7)];
}
