/** What is counted of a module at work. */
import type { Clock } from "../../clock.ts";
import { type FaultCause, faultCauses, type ModuleFault } from "./fault.ts";

/** Since its revision was bound; all but the last two only grow. */
export interface ModuleCounters {
  /** Batches that it was called with, those that are run again after a fault included. */
  readonly calls: number;
  /** Events of which it was asked. */
  readonly events: number;
  /** Time within it, in nanoseconds. */
  readonly ns: number;
  /** Fuel that it used, for its state and its start included. */
  readonly fuel: number;
  readonly faults: { readonly [Cause in FaultCause]: number };
  /** Candidates of all its events, and how many of them it chose. */
  readonly sinksIn: number;
  readonly sinksOut: number;
  /** Events that `onError` decided, because it failed on them, was let alone after failing, or was over its budget. */
  readonly failed: number;
  readonly skipped: number;
  readonly throttled: number;
  /** Instances that were made, and how many of them began with the state of another. */
  readonly instances: number;
  readonly restored: number;
  /** How often its faults made it be let alone. */
  readonly openings: number;
  readonly logLines: number;
  readonly logDropped: number;
  /** Instances that are there now, and the bytes of their memory. */
  readonly live: number;
  readonly memoryBytes: number;
}

/** The same, to be counted up. */
export type Counting = { -readonly [Name in keyof Omit<ModuleCounters, "faults">]: number } & {
  readonly faults: { [Cause in FaultCause]: number };
};

/** Nothing yet. */
export function noModuleCounters(): Counting {
  return {
    calls: 0,
    events: 0,
    ns: 0,
    fuel: 0,
    faults: Object.fromEntries(faultCauses.map((cause) => [cause, 0])) as Counting["faults"],
    sinksIn: 0,
    sinksOut: 0,
    failed: 0,
    skipped: 0,
    throttled: 0,
    instances: 0,
    restored: 0,
    openings: 0,
    logLines: 0,
    logDropped: 0,
    live: 0,
    memoryBytes: 0,
  };
}

/** Adds counters to others. */
export function addCounters(sum: Counting, { faults, ...others }: ModuleCounters): void {
  for (const [name, value] of Object.entries(others)) sum[name as keyof typeof others] += value;
  for (const cause of faultCauses) sum.faults[cause] += faults[cause];
}

/** The same of what is no more: of that nothing is live. */
export function retired(counters: ModuleCounters): ModuleCounters {
  return { ...counters, live: 0, memoryBytes: 0 };
}

/** Counters of one revision, wherever it is or was bound. */
export interface RevisionTotals {
  readonly name: string;
  readonly version: number;
  readonly digest: string;
  readonly counters: ModuleCounters;
  /** How often a binding that follows the name was given this revision, and how often it was taken back for its faults. */
  readonly switches: number;
  readonly rollbacks: number;
}

/** What is counted of a module at work, as those who sum it up see it. */
interface Counted {
  readonly version: { readonly name: string; readonly version: number; readonly digest: string };
  readonly counters: ModuleCounters;
}

/** One revision while it is counted. */
interface Revision {
  readonly version: Counted["version"];
  readonly running: Set<Counted>;
  readonly ended: Counting;
  switches: number;
  rollbacks: number;
}

/** Revisions that are remembered; of the oldest that are bound no more nothing is told any longer. */
const REVISIONS_MAX = 1_000;

/** What all modules of a host have counted since its start. */
export class ModuleTotals {
  readonly #revisions = new Map<string, Revision>();

  /** The account of a revision, for what its modules do not count themselves. */
  of(version: Counted["version"]): { switches: number; rollbacks: number } {
    return this.#of(version);
  }

  /** Counts this, too. */
  add(running: Counted): void {
    this.#of(running.version).running.add(running);
  }

  /** Keeps what it has counted; it must not count on. */
  retire(running: Counted): void {
    const revision = this.#of(running.version);
    revision.running.delete(running);
    addCounters(revision.ended, retired(running.counters));
  }

  /** All of them. */
  *read(): Generator<RevisionTotals> {
    for (const { version, running, ended, switches, rollbacks } of this.#revisions.values()) {
      const counters = noModuleCounters();
      addCounters(counters, ended);
      for (const one of running) addCounters(counters, one.counters);
      yield { name: version.name, version: version.version, digest: version.digest, counters, switches, rollbacks };
    }
  }

  #of(version: Counted["version"]): Revision {
    const key = `${version.name}@${version.digest}`;
    const known = this.#revisions.get(key);
    if (known !== undefined) return known;
    const made: Revision = { version, running: new Set(), ended: noModuleCounters(), switches: 0, rollbacks: 0 };
    this.#revisions.set(key, made);
    if (this.#revisions.size > REVISIONS_MAX) this.#forgetOne();
    return made;
  }

  #forgetOne(): void {
    for (const [key, { running }] of this.#revisions) {
      if (running.size > 0) continue;
      this.#revisions.delete(key);
      return;
    }
  }
}

/** One failure, for people. */
export interface FaultRecord {
  /** Moment on the service clock, ms since 1970. */
  readonly at: number;
  readonly cause: FaultCause;
  readonly text: string;
  readonly functionIndex: number | undefined;
}

/** The first of them say most: what follows is often only their consequence. */
const FAULTS_KEPT = 5;

/** The first faults of a module. */
export class FaultLog {
  readonly records: FaultRecord[] = [];
  readonly #clock: Clock;

  /** @param clock Of the service. */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Keeps one while there is room. @returns Whether there was: who writes it to a log asks this, too. */
  take(fault: ModuleFault): boolean {
    if (this.records.length >= FAULTS_KEPT) return false;
    const { cause, message, functionIndex } = fault;
    this.records.push({ at: this.#clock.now(), cause, text: message, functionIndex });
    return true;
  }
}
