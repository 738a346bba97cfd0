/** What the parts of a host's membership share: what is known, the times, chance, and a way out. */
import type { Address, Body } from "./message.ts";
import type { Records } from "./records.ts";
import type { GroupTimes } from "./settings.ts";

/** Handed to each part. */
export interface Surroundings {
  readonly records: Records;
  readonly times: GroupTimes;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Sends a message, which may be lost. */
  readonly send: (to: Address, body: Body) => void;
}

/** Some of a list by chance, each at most once; the list is not changed. */
export function choose<Value>(list: readonly Value[], count: number, random: () => number): Value[] {
  const rest = [...list];
  const chosen: Value[] = [];
  while (chosen.length < count && rest.length > 0) {
    const index = Math.floor(random() * rest.length);
    chosen.push(rest[index] as Value);
    // The last one fills the hole.
    rest[index] = rest.at(-1) as Value;
    rest.pop();
  }
  return chosen;
}
