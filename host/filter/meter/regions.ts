/**
 * Regions: stretches of a function that are paid for at one place.
 *
 * A region's check stands where it begins, so that code is paid for before it runs. What is paid at a place must be passed as often as
 * the code is run: regions begin at the entry of a function, at the head of a loop, in the arms of an `if`, behind a `br_if`, and
 * behind a block that something in it jumps over. Everything else belongs to the region before it, which dominates it in the same turn of the
 * same loop. For the same reason a cheap region may be paid by its parent: too much where it is not taken, never too little.
 */
import { COSTS } from "./costs.ts";
import type { Charge } from "./opcodes.ts";

/** One region. */
export interface Region {
  readonly kind: "check";
  /** Offset of the code before which its check stands. */
  readonly at: number;
  readonly isLoop: boolean;
  /** The region that dominates this one in the same turn; none of a function's entry. */
  readonly parent: Region | undefined;
  /** Loops around it, its own included. */
  readonly depth: number;
  cost: number;
  /** Paid for other regions, within `cost`. */
  folded: number;
  /** Its parent pays. */
  isFolded: boolean;
}

/** A place where something is put between two instructions: a check, fuel kept in a local spilled or reloaded, or a helper's call. */
export type Point = Region | { readonly kind: "spill" | "reload" | Charge; readonly at: number };

/** Makes a region. */
export function regionAt(at: number, parent: Region | undefined, depth: number, isLoop = false): Region {
  return { kind: "check", at, isLoop, parent, depth, cost: isLoop ? COSTS.turn : 0, folded: 0, isFolded: false };
}

/** Lets parents pay for cheap regions. `regions` in the order of their places: children follow their parents, and fold first. */
export function foldRegions(regions: readonly Region[]): void {
  for (let i = regions.length - 1; i > 0; i--) {
    const region = regions[i] as Region;
    const payer = region.parent;
    if (region.isLoop || payer === undefined) continue;
    const isCheap = region.cost <= COSTS.foldMax && payer.folded + region.cost <= COSTS.foldSumMax;
    if (region.cost > 0 && !isCheap) continue;
    payer.cost += region.cost;
    payer.folded += region.cost;
    region.isFolded = true;
  }
}

/** What a thing is taken to happen how often, by the loops around it. */
const FREQUENCIES = [1, 8, 64, 512, 4_096];

/** How often something within that many loops is taken to happen. */
export function frequencyAt(depth: number): number {
  return FREQUENCIES[Math.min(depth, FREQUENCIES.length - 1)] as number;
}

/**
 * Whether fuel is better kept in a local while the function runs: a check is cheaper then, and each call dearer.
 *
 * @param callFrequency Sum of {@link frequencyAt} of its calls.
 */
export function isLocalBetter(regions: readonly Region[], callFrequency: number): boolean {
  let checks = 0;
  for (const region of regions) if (!region.isFolded) checks += frequencyAt(region.depth);
  return regions.some(({ isLoop }) => isLoop) && checks > 2 * callFrequency;
}
