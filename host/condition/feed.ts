/** What writes a condition, whatever its kind. */
import type { Clock } from "../clock.ts";
import type { ConditionValue } from "./schema.ts";

/** What writes one condition. */
export interface Feed {
  /** Checks a value that somebody wants to set. Absent: nobody sets it. @throws {SluiceError} `invalid_value`. */
  readonly assertTakes?: (value: boolean | number | string) => void;
  /** Sets it. */
  readonly put?: (value: boolean | number | string) => void;
  /** Adds to it. Absent: nobody does. */
  readonly add?: (amount: number) => void;
  /** Why it could not tell a value of late; undefined: it could. */
  readonly problem?: () => string | undefined;
  /** Stops its timers. */
  end?(): void;
}

/** Writes the cell. */
export type Write = (value: ConditionValue) => void;

/** Runs now and every so often, until it is ended. */
export function polled(clock: Clock, everyMs: number, run: () => void): Feed {
  let dueAt = clock.now() + everyMs;
  let cancel = clock.setTimer(tick, everyMs);
  function tick(): void {
    const now = clock.now();
    // What a blocked loop has missed is not made up for.
    dueAt += everyMs * Math.max(1, Math.ceil((now - dueAt) / everyMs));
    cancel = clock.setTimer(tick, dueAt - now);
    run();
  }
  run();
  return { end: () => cancel() };
}
