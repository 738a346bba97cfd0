/**
 * A module asked in a dry run: a fresh instance decides one event, and is thrown away. The module at work learns nothing of it:
 * its instance, counters, log, breaker and budget stay as they are. Dry runs have a budget of their own, so that asking often is
 * no way to keep a host busy.
 */
import type { Stage } from "../schema.ts";
import { DECISION_DIVERT, KIND_ALL, KIND_DROP, type ModuleBatch } from "./batch.ts";
import type { Budget } from "./budget.ts";
import { Decisions, onErrorWords } from "./decisions.ts";
import { type FaultCause, ModuleFault } from "./fault.ts";
import { ModuleInstance } from "./instance.ts";
import { ModuleLog, type ModuleLogLevel } from "./log.ts";
import type { InstancePool } from "./pool.ts";
import { callFuel, type RunningModule, type RunOptions, takeAnswer } from "./running.ts";

/** What a module says of one event. */
export type AskedDecision = "all" | "some" | "drop" | "divert";

/** Why `onError` decided: a fault of the dry run, or what keeps the module from being asked at work, too. */
export interface AskedFault {
  readonly cause: FaultCause | "resting" | "budget";
  readonly text: string;
}

/** What became of asking. */
export interface Asked {
  readonly name: string;
  readonly version: number;
  readonly digest: string;
  readonly stage: Stage;
  /** Undefined where it could not be asked; `unasked` says why. */
  readonly decision: AskedDecision | undefined;
  readonly unasked: string | undefined;
  /** Whether `onError` has decided. */
  readonly failed: boolean;
  readonly fault: AskedFault | undefined;
  /** Sinks that it was shown, and that it left. */
  readonly candidates: number;
  readonly chosen: number;
  /** Fuel of the call and of making the instance. */
  readonly fuel: number;
  /** Whether the module at work may know more than what it was asked with. */
  readonly approximate: boolean;
  /** Age of the state that it was given, ms; undefined: it began anew. */
  readonly stateAgeMs: number | undefined;
  readonly log: ReadonlyArray<{ readonly level: ModuleLogLevel; readonly text: string }>;
  /** As the core takes them. */
  readonly words: Uint32Array;
}

/** What dry runs share. */
export interface ScratchDeps {
  readonly pool: Pick<InstancePool, "assertRoom">;
  readonly budget: Budget;
}

/** Lines that one dry run keeps, those of the start included. */
const LINES_MAX = 100;

/** Asks about the one event of a batch. */
export function askScratch(
  running: RunningModule,
  batch: ModuleBatch,
  options: RunOptions,
  { pool, budget }: ScratchDeps,
): Asked {
  const { version } = running;
  const { state, stateAgeMs, real, ...settings } = running.bearings;
  const { limits } = version.spec.manifest;
  const log: { level: ModuleLogLevel; text: string }[] = [];
  const usage = { fuel: 0 };
  const decisions = new Decisions();
  decisions.begin(batch);
  const candidates = decisions.candidates(0);
  let approximate = version.spec.exports.includes("sluice_save");
  const asked = (decided: Pick<Asked, "decision" | "unasked" | "failed" | "fault" | "chosen">): Asked => ({
    name: version.name,
    version: version.version,
    digest: version.digest,
    stage: options.hook,
    candidates,
    fuel: usage.fuel,
    approximate,
    stateAgeMs,
    log,
    words: decisions.words.subarray(0, decisions.used),
    ...decided,
  });

  let fault: AskedFault | undefined = running.rest;
  if (fault === undefined) {
    const unasked = whyNot(pool, budget);
    if (unasked !== undefined)
      return asked({ decision: undefined, unasked, failed: false, fault: undefined, chosen: 0 });
    const startedAt = real.now();
    try {
      const instance = ModuleInstance.create(version.module, version.spec, {
        ...settings,
        log: new ModuleLog(settings.clock, limits, (level, text) => {
          if (log.length < LINES_MAX) log.push({ level, text });
        }),
        usage,
        state,
      });
      // What it could not restore it was not asked with.
      approximate ||= instance.restored !== undefined;
      const fuel = callFuel(limits, 1, options.fuel);
      const answer = instance.call(options.hook, batch.records, 1, batch.table, fuel);
      const wrong = takeAnswer(answer, 1, decisions, undefined);
      fault = faultView(answer.fault ?? wrong);
    } catch (error) {
      if (!(error instanceof ModuleFault)) throw error;
      fault = faultView(error);
    } finally {
      budget.spend(usage.fuel, real.now() - startedAt);
    }
  }
  // What it decided before it failed counts, as it does at work.
  const failed = decisions.setOpen(onErrorWords[options.onError]) > 0;
  const decision = decisionOf(decisions.words[0] as number);
  const chosen = decision === "all" ? candidates : decision === "some" ? decisions.chosen : 0;
  return asked({ decision, unasked: undefined, failed, fault, chosen });
}

function whyNot(pool: ScratchDeps["pool"], budget: Budget): string | undefined {
  if (!budget.allows()) return "Dry runs of modules have used up what they may compute in a second";
  try {
    pool.assertRoom();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function faultView(fault: ModuleFault | undefined): AskedFault | undefined {
  return fault && { cause: fault.cause, text: fault.message };
}

function decisionOf(word: number): AskedDecision {
  if (word === DECISION_DIVERT) return "divert";
  if (word === KIND_ALL) return "all";
  return word === KIND_DROP ? "drop" : "some";
}
