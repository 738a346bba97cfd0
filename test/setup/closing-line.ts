/**
 * Ends every run with the plain line `N passed, N failed`, and names what was skipped and why.
 *
 * With CI=true or SLUICE_TEST_ALL=1 a skipped test fails the run: there, whatever a test needs is installed.
 */
import type { Reporter, TestCase, TestModule, Vitest } from "vitest/node";

/** What a run came to. */
export interface Tally {
  readonly passed: number;
  /** Failed tests, files that did not load, and errors outside tests. */
  readonly failed: number;
  /** Full name and reason of each. */
  readonly skipped: readonly string[];
}

/** Whether nothing may be skipped here. */
export const isComplete = process.env["CI"] === "true" || process.env["SLUICE_TEST_ALL"] === "1";

/** `12 passed, 0 failed`, with `, 1 skipped` where any was. */
export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ""}`;
}

/** A vitest reporter, named in vitest.config.ts. */
export default class ClosingLine implements Reporter {
  #isFiltered = false;

  onInit(vitest: Vitest): void {
    this.#isFiltered = vitest.config.testNamePattern !== undefined;
  }

  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const tally = tallyOf(modules, errors.length, this.#isFiltered);
    const isRefused = isComplete && tally.skipped.length > 0;
    if (isRefused) process.exitCode = 1;
    // Other reporters write after this; nothing does after exit.
    process.once("exit", () => {
      for (const name of tally.skipped) console.log(`skipped: ${name}`);
      if (isRefused) console.log("Nothing may be skipped where CI=true or SLUICE_TEST_ALL=1");
      // A run can fail before or beside its tests: a build, no file found, a leaked handle.
      const failed = tally.failed === 0 && process.exitCode ? 1 : tally.failed;
      console.log(closingLine({ ...tally, failed }));
    });
  }
}

/** `isFiltered`: tests that `-t` leaves out look like skipped ones without a reason, but nobody asked for them. */
function tallyOf(modules: readonly TestModule[], errors: number, isFiltered: boolean): Tally {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const count = (state: string): number => tests.filter((test) => test.result().state === state).length;
  const broken = modules.filter((module) => module.errors().length > 0).length;
  const skipped = tests.filter((test) => test.result().state === "skipped");
  return {
    passed: count("passed"),
    failed: count("failed") + broken + errors,
    skipped: skipped.filter((test) => !isFiltered || reasonOf(test) !== undefined).map(nameOf),
  };
}

function nameOf(test: TestCase): string {
  return `${test.module.relativeModuleId} > ${test.fullName}: ${reasonOf(test) ?? "no reason given"}`;
}

function reasonOf(test: TestCase): string | undefined {
  const result = test.result();
  return result.state === "skipped" ? result.note : undefined;
}
