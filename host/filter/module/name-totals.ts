/** What is counted of a name: sums over all its versions, for there are 64 names and many more versions. */
import { addCounters, type Counting, type ModuleCounters, noModuleCounters, type RevisionTotals } from "./counters.ts";

/** Modules at work, as far as they are counted. */
export interface ModulesAtWork {
  readonly totals: {
    /** By version, those that are bound no more included. */
    read(): Iterable<RevisionTotals>;
  };
}

/** What is counted of all versions of a name. */
export interface NameTotals {
  readonly counters: Counting;
  readonly switches: number;
  readonly rollbacks: number;
}

/** The same in one object, as it is shown. */
export interface NameCounters extends ModuleCounters {
  /** Bindings that went over to another version. */
  readonly switches: number;
  /** Versions that were taken back because they failed. */
  readonly rollbacks: number;
}

/** Sums of all versions, by name. */
export function totalsByName(modules: ModulesAtWork | undefined): Map<string, NameTotals> {
  const sums = new Map<string, { counters: Counting; switches: number; rollbacks: number }>();
  for (const { name, counters, switches, rollbacks } of modules?.totals.read() ?? []) {
    const sum = sums.get(name) ?? { counters: noModuleCounters(), switches: 0, rollbacks: 0 };
    addCounters(sum.counters, counters);
    sum.switches += switches;
    sum.rollbacks += rollbacks;
    sums.set(name, sum);
  }
  return sums;
}

/** The counters of a name; zeros where it was never bound. */
export function countersView(totals: NameTotals | undefined): NameCounters {
  const { counters, switches, rollbacks } = totals ?? { counters: noModuleCounters(), switches: 0, rollbacks: 0 };
  return { ...counters, switches, rollbacks };
}
