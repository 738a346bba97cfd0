/**
 * A service without sockets whose loop turns when the test says so, and whose clock the test moves.
 */
import { onTestFinished } from "vitest";
import type { Clock } from "../../../host/clock.ts";
import { createLog } from "../../../host/log.ts";
import type { ServiceOptionsInput } from "../../../host/options.ts";
import { createService, type Service, type ServiceSettings } from "../../../host/service.ts";
import { coreModule } from "../../core-wasm/harness.ts";

/** A clock that stands still until it is moved; timers run in order. */
export class ManualClock implements Clock {
  #now = 1_000_000;
  #timers: { at: number; run: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  setTimer(run: () => void, delayMs: number): () => void {
    const timer = { at: this.#now + delayMs, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** How many timers wait. */
  get waiting(): number {
    return this.#timers.length;
  }

  /** Lets time pass; timers that come due run at their moment. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= until).sort((one, other) => one.at - other.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = until;
  }
}

/** A service under test. */
export interface TestService {
  readonly service: Service;
  readonly clock: ManualClock;
  /** Runs what waits for the end of the loop's turn; returns whether anything did. */
  turn(): boolean;
  /** Turns until nothing waits. */
  settle(): void;
  readonly log: Readonly<Record<string, unknown>>[];
}

/** Makes a service. */
export function createTestService(
  options: ServiceOptionsInput = {},
  settings: Partial<Pick<ServiceSettings, "decider" | "filters" | "onEpoch" | "onFatal">> = {},
): TestService {
  const clock = new ManualClock();
  const log: Record<string, unknown>[] = [];
  let waiting: (() => void)[] = [];
  const service = createService({
    module: coreModule(),
    options: { memoryBytes: 96 * 2 ** 20, hostId: "host", ...options },
    clocks: { service: clock, real: clock },
    log: createLog({ level: "debug", sink: (line) => log.push(JSON.parse(line)), now: () => 0 }),
    defer: (run) => waiting.push(run),
    ...settings,
  });
  onTestFinished(() => service.close());
  const turn = (): boolean => {
    const due = waiting;
    waiting = [];
    for (const run of due) run();
    return due.length > 0;
  };
  return {
    service,
    clock,
    turn,
    log,
    settle() {
      for (let turns = 0; turn(); turns++) if (turns > 10_000) throw new Error("The service does not come to rest");
    },
  };
}
