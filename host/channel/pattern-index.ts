/**
 * Finds the patterns that match a name without looking at those that begin differently: a tree with one level per token.
 *
 *   sensors ──.*──► {A, B}          "sensors.a" follows .a, .* and .> at each level, so it meets three branches where
 *      └──.a──.>──► {C}             there are such patterns, however many others there are
 *
 * It costs the creation of a channel as many looks as there are branches that match its tokens so far: at most as many as the
 * patterns have tokens, and with patterns as people write them, a handful.
 */
import { type Step, stepsOf } from "./pattern.ts";

interface Branch<Entry> {
  readonly entries: Set<Entry>;
  /** By separator and token; `*` and `>` are tokens like others here, since no name has them. */
  readonly next: Map<string, Branch<Entry>>;
}

/** Entries by pattern. */
export class PatternIndex<Entry> {
  readonly #root: Branch<Entry> = branch();
  #count = 0;

  /** How many entries there are. */
  get count(): number {
    return this.#count;
  }

  /** @param pattern Checked by the caller. */
  add(pattern: string, entry: Entry): void {
    let at = this.#root;
    for (const step of stepsOf(pattern)) {
      const key = keyOf(step, step.token);
      let next = at.next.get(key);
      if (next === undefined) {
        next = branch();
        at.next.set(key, next);
      }
      at = next;
    }
    if (at.entries.has(entry)) return;
    at.entries.add(entry);
    this.#count += 1;
  }

  /** Takes an entry of a pattern away, and branches that lead to none any more. Returns whether it was there. */
  delete(pattern: string, entry: Entry): boolean {
    const path: { readonly from: Branch<Entry>; readonly key: string }[] = [];
    let at = this.#root;
    for (const step of stepsOf(pattern)) {
      const key = keyOf(step, step.token);
      const next = at.next.get(key);
      if (next === undefined) return false;
      path.push({ from: at, key });
      at = next;
    }
    if (!at.entries.delete(entry)) return false;
    this.#count -= 1;
    for (const { from, key } of path.reverse()) {
      const next = from.next.get(key) as Branch<Entry>;
      if (next.entries.size > 0 || next.next.size > 0) break;
      from.next.delete(key);
    }
    return true;
  }

  /** All entries whose pattern matches a name, each once, in no order. */
  matching(name: string): Entry[] {
    const found: Entry[] = [];
    let branches: readonly Branch<Entry>[] = [this.#root];
    const steps = stepsOf(name);
    for (const [index, step] of steps.entries()) {
      const further: Branch<Entry>[] = [];
      // `>` is the rest of one character at least: only a name that ends with a separator has none.
      const isRest = step.token !== "" || index < steps.length - 1;
      for (const { next } of branches) {
        if (isRest) for (const entry of next.get(keyOf(step, ">"))?.entries ?? []) found.push(entry);
        follow(further, next.get(keyOf(step, step.token)));
        if (step.token !== "") follow(further, next.get(keyOf(step, "*")));
      }
      if (further.length === 0) return found;
      branches = further;
    }
    for (const { entries } of branches) for (const entry of entries) found.push(entry);
    return found;
  }
}

function branch<Entry>(): Branch<Entry> {
  return { entries: new Set(), next: new Map() };
}

function keyOf({ separator }: Step, token: string): string {
  return separator + token;
}

function follow<Entry>(to: Branch<Entry>[], next: Branch<Entry> | undefined): void {
  if (next !== undefined) to.push(next);
}
