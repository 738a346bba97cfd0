/**
 * Conditions of kind `monitor`: what a URL or a file says, looked at every so often. What may be read, and how, is the runtime's.
 *
 * A look that fails changes nothing: the last value stays with its moment, and why it failed is told beside it.
 */
import { CONDITION_TEXT_BYTES_MAX } from "../../core-wasm/condition/abi.ts";
import type { Clock } from "../clock.ts";
import { SluiceError } from "../errors.ts";
import { limits } from "../limits.ts";
import { type Feed, polled, type Write } from "./feed.ts";
import type { DefinitionOf } from "./schema.ts";

/** Reads one kind of source. */
export interface MonitorSource {
  /** Before anything is read. @throws {SluiceError} `forbidden` for what the operator has not allowed, `invalid_value`. */
  assertMayRead(target: string): void;
  /** Reads all of it once. Rejects with what went wrong in a few words, past a time and a size as well. */
  read(target: string, signal: AbortSignal): Promise<string>;
}

/** What this runtime can read; a source that is absent is `not_supported`. */
export interface MonitorSources {
  readonly url?: MonitorSource;
  readonly path?: MonitorSource;
}

/**
 * Reads a source now and every `pollMs`, never twice at a time.
 *
 * @throws {SluiceError} `not_supported`, and what assertMayRead() throws.
 */
export function monitorFeed(
  { url, path, pollMs }: DefinitionOf<"monitor">,
  write: Write,
  { clock, monitors = {} }: { readonly clock: Clock; readonly monitors?: MonitorSources | undefined },
): Feed {
  const by = url === undefined ? "path" : "url";
  const target = url ?? path ?? "";
  const source = monitors[by];
  if (source === undefined)
    throw new SluiceError("not_supported", `This host has no monitors by ${by}, its runtime was not told how`, {
      value: by,
      limit: Object.keys(monitors),
    });
  source.assertMayRead(target);
  const ended = new AbortController();
  let isReading = false;
  let problem: string | undefined;
  const look = async (): Promise<void> => {
    // A source that takes longer than the time between two looks is asked less often, not more at a time.
    if (isReading) return;
    isReading = true;
    try {
      const value = valueFrom(await source.read(target, ended.signal));
      problem = undefined;
      if (!ended.signal.aborted) write(value);
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error);
    } finally {
      isReading = false;
    }
  };
  write(undefined);
  const { end } = polled(clock, pollMs, () => void look());
  return {
    problem: () => problem,
    end() {
      end?.();
      ended.abort();
    },
  };
}

/** A scalar as JSON, or a number as people write it. */
function valueFrom(text: string): boolean | number | string {
  const value = scalarFrom(text.trim());
  if (typeof value === "number" && !Number.isFinite(value)) throw new Error("the number is beyond what can be said");
  if (typeof value !== "string") return value;
  const bytes = new TextEncoder().encode(value).length;
  if (bytes > CONDITION_TEXT_BYTES_MAX)
    throw new Error(`a text of ${bytes} bytes, limit is ${CONDITION_TEXT_BYTES_MAX}`);
  return value.toWellFormed();
}

function scalarFrom(text: string): boolean | number | string {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  if (text === "true" || text === "false" || text.startsWith('"')) {
    try {
      return JSON.parse(text);
    } catch {
      // Said below.
    }
  }
  throw new Error(`neither a JSON number, boolean or string nor a plain number: ${JSON.stringify(text.slice(0, 32))}`);
}

/** @throws {SluiceError} `limit_reached` where a host with that many monitors may have no further one. */
export function assertMonitors(name: string, count: number): void {
  if (count < limits.monitors) return;
  throw new SluiceError(
    "limit_reached",
    `Cannot create monitor "${name}", this host has ${count}, limit is ${limits.monitors}`,
    { value: name, limit: limits.monitors },
  );
}
