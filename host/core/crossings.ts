/**
 * Counts calls from JavaScript into the core, on demand: a bench or a test asks, nothing is paid otherwise.
 */
import type { CoreExports } from "./exports.ts";

/** Calls per export since counting began, and their sum. */
export interface Crossings {
  readonly total: number;
  readonly calls: Readonly<Record<string, number>>;
}

/** Exports that count, and what they counted. */
export interface CountedExports {
  readonly exports: CoreExports;
  /** What was counted since the last reset(). */
  read(): Crossings;
  reset(): void;
}

/**
 * Wraps every function of the core.
 *
 * @param exports Of the instance; they are not changed.
 * @returns Exports that count each call and then make it.
 */
export function countCrossings(exports: CoreExports): CountedExports {
  const calls = new Map<string, number>();
  const wrapped: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(exports)) {
    if (typeof value !== "function") {
      wrapped[name] = value;
      continue;
    }
    const call = value as (...parameters: number[]) => number;
    wrapped[name] = (...parameters: number[]): number => {
      calls.set(name, (calls.get(name) ?? 0) + 1);
      return call(...parameters);
    };
  }
  return {
    exports: wrapped as unknown as CoreExports,
    read() {
      let total = 0;
      for (const count of calls.values()) total += count;
      return { total, calls: Object.fromEntries(calls) };
    },
    reset() {
      calls.clear();
    },
  };
}
