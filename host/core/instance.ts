/**
 * One instance of the core, checked and laid out.
 *
 * After a trap an instance is thrown away as a whole (service.ts): nothing in its memory can be trusted then.
 */
import {
  ABI_VERSION,
  FRAME_BYTES_MAX,
  OUT_OFFSET,
  OUT_SLOT_BYTES,
  OUT_SLOTS,
  PAGE_BYTES,
  REGIONS_END,
  RESULT_LIMIT,
  STAGE_BYTES,
  STAGE_OFFSET,
  STATUS_OK,
} from "../../core-wasm/abi.ts";
import { SluiceError } from "../errors.ts";
import type { CoreExports } from "./exports.ts";
import { errorFromStatus } from "./status.ts";
import { type CoreViews, createViews } from "./views.ts";

/** Arguments of calls lie behind the frame that may still be under way in STAGE. */
export const ARGUMENTS_AT = STAGE_OFFSET + FRAME_BYTES_MAX;
/** Room for them. */
export const ARGUMENTS_BYTES = STAGE_BYTES - FRAME_BYTES_MAX;
/** The last OUT slot is the host's own scratch space; no socket ever holds it. */
export const SCRATCH_AT = OUT_OFFSET + (OUT_SLOTS - 1) * OUT_SLOT_BYTES;
/** Room of the scratch space: a whole frame fits. */
export const SCRATCH_BYTES = OUT_SLOT_BYTES;

/** A live core. */
export interface Core {
  /** A plain copy of the instance's exports: faster to call than the frozen original, and replaceable by counting ones. */
  exports: CoreExports;
  readonly views: CoreViews;
  readonly epoch: number;
}

/** Whoever holds the present core; it changes when the core is restarted. */
export interface CoreHolder {
  readonly core: Core;
}

/** How large a core is, and which incarnation. */
export interface CoreSettings {
  readonly memoryBytes: number;
  readonly storeBytes: number;
  /** Absent: half of what the store leaves. */
  readonly mailboxBytes?: number;
  /** Larger than that of any former core of this host. */
  readonly epoch: number;
}

const encoder = new TextEncoder();

/**
 * Makes a core: instantiates, checks the ABI, grows the memory once and lays it out.
 *
 * @param module Compiled `core.wasm`.
 * @returns The core, empty.
 * @throws {SluiceError} `memory_too_small` naming the bytes needed; `internal` where the binary is not the one this host was made for.
 */
export function createCore(module: WebAssembly.Module, settings: CoreSettings): Core {
  const imports = WebAssembly.Module.imports(module);
  if (imports.length > 0) {
    throw new SluiceError(
      "internal",
      `The core must import nothing, but it imports ${imports.map((entry) => entry.name).join(", ")}`,
    );
  }
  const instance = new WebAssembly.Instance(module);
  const exports = { ...instance.exports } as unknown as CoreExports;
  const version = exports.abiVersion();
  if (version !== ABI_VERSION) {
    throw new SluiceError("internal", `The core speaks ABI ${version}, this host ABI ${ABI_VERSION}; build both anew`, {
      value: version,
      limit: ABI_VERSION,
    });
  }
  growMemory(exports.memory, settings.memoryBytes);
  const views = createViews(exports.memory);
  const status = exports.coreInit(settings.storeBytes, settings.epoch, settings.mailboxBytes);
  if (status !== STATUS_OK) throw errorFromStatus(status, settings.memoryBytes, views.result[RESULT_LIMIT] ?? 0);
  return { exports, views, epoch: settings.epoch };
}

function growMemory(memory: WebAssembly.Memory, memoryBytes: number): void {
  const least = REGIONS_END + PAGE_BYTES;
  if (memoryBytes < least) {
    throw new SluiceError(
      "memory_too_small",
      `Memory of ${memoryBytes} bytes is too small, the core needs at least ${least}`,
      {
        value: memoryBytes,
        limit: least,
      },
    );
  }
  const pages = Math.floor(memoryBytes / PAGE_BYTES) - memory.buffer.byteLength / PAGE_BYTES;
  if (pages <= 0) return;
  try {
    memory.grow(pages);
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new SluiceError(
      "memory_too_small",
      `The system refuses ${memoryBytes} bytes of memory for the core: ${cause}`,
      {
        value: memoryBytes,
      },
    );
  }
}

/** Where some text was put. */
export interface Placed {
  readonly at: number;
  readonly bytes: number;
}

/**
 * Puts text where arguments of calls lie.
 *
 * @param text What is beyond `bytesMax` bytes of UTF-8 is cut at a character.
 * @param bytesMax At most ARGUMENTS_BYTES.
 * @returns Its place, valid until the next call of this function.
 */
export function placeText(core: Core, text: string, bytesMax = ARGUMENTS_BYTES): Placed {
  const target = core.views.bytes.subarray(ARGUMENTS_AT, ARGUMENTS_AT + bytesMax);
  return { at: ARGUMENTS_AT, bytes: encoder.encodeInto(text, target).written };
}

/**
 * Puts bytes into the scratch space.
 *
 * @param bytes At most SCRATCH_BYTES of them.
 * @returns Their address, valid until the next use of the scratch space.
 */
export function placeScratch(core: Core, bytes: Uint8Array): number {
  core.views.bytes.set(bytes, SCRATCH_AT);
  return SCRATCH_AT;
}

/**
 * Puts event types into the scratch space as channelTypes() and memberTypes() take them: u16 length + bytes each.
 *
 * @param types Checked by the caller: at most TYPES_MAX of TYPE_BYTES_MAX bytes.
 * @returns Their address.
 */
export function placeTypes(core: Core, types: readonly string[]): number {
  const { bytes } = core.views;
  let at = SCRATCH_AT;
  for (const type of types) {
    const { written } = encoder.encodeInto(type, bytes.subarray(at + 2, SCRATCH_AT + SCRATCH_BYTES));
    bytes[at] = written & 255;
    bytes[at + 1] = written >>> 8;
    at += 2 + written;
  }
  return SCRATCH_AT;
}

/** What peers and callers hear: their request may or may not have been carried out. */
export function coreRestarted(cause: Error): SluiceError {
  return new SluiceError("core_restarted", "The core of this host failed and was restarted; come back", { cause });
}

/**
 * Tells whether an error is a trap of the core, which ends the instance, and not a mistake in the host's own code.
 *
 * Running out of stack inside the core comes as a RangeError of the engine, not as a RuntimeError.
 */
export function isTrap(error: unknown): error is Error {
  if (error instanceof WebAssembly.RuntimeError) return true;
  return isStackEnd(error) && WITHIN_WASM.some((frame) => error.stack?.includes(frame));
}

/** How V8 and JSC name frames of WebAssembly; the path of a file may well have "wasm" in it, too. */
const WITHIN_WASM = ["wasm-function[", "[wasm code]"];

/**
 * Tells whether the stack ended, be it within the core or before it was called.
 *
 * Without a regular expression: where the stack ends V8 refuses those with a SyntaxError that says so.
 */
export function isStackEnd(error: unknown): error is Error {
  if (!(error instanceof RangeError || error instanceof SyntaxError)) return false;
  return error.message.includes("call stack") || error.message.endsWith("Stack overflow");
}
