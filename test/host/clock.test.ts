import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createClocks, createManualClock } from "../../host/clock.ts";

describe("createClocks()", () => {
  test("tells milliseconds since 1970 that never go back", () => {
    const { service } = createClocks();
    const from = Date.now();
    let before = service.now();
    expect(Math.abs(before - from)).toBeLessThan(5_000);
    for (let look = 0; look < 1_000; look++) {
      const now = service.now();
      expect(now).toBeGreaterThanOrEqual(before);
      before = now;
    }
  });

  test("a step of the machine's clock moves neither: nothing becomes late by it, and nothing young", () => {
    const { service, real } = createClocks();
    const before = service.now();
    onTestFinished(() => void vi.useRealTimers());
    vi.useFakeTimers({ toFake: ["Date"] });
    for (const hours of [-48, 48]) {
      vi.setSystemTime(before + hours * 3_600_000);
      expect(Math.abs(Date.now() - before)).toBeGreaterThan(3_600_000);
      for (const clock of [service, real, createClocks().service]) {
        expect(clock.now()).toBeGreaterThanOrEqual(before);
        expect(clock.now() - before).toBeLessThan(3_600_000);
      }
    }
  });

  test("a timer runs once, and not at all when it was cancelled", async () => {
    const { real } = createClocks();
    let runs = 0;
    const cancel = real.setTimer(() => runs++, 1);
    cancel();
    await new Promise<void>((resolve) => real.setTimer(resolve, 5));
    expect(runs).toBe(0);
  });
});

describe("createManualClock()", () => {
  test("begins at 0 and stands still", () => {
    const clock = createManualClock();
    expect(clock.now()).toBe(0);
    clock.advance(2.5, 1);
    expect(clock.now()).toBe(2.5);
  });

  test("timers run at their moment, those of one moment in the order in which they were set", () => {
    const clock = createManualClock();
    const ran: string[] = [];
    const note = (name: string) => () => ran.push(`${name}@${clock.now()}`);
    clock.setTimer(note("late"), 30);
    clock.setTimer(note("first"), 10);
    clock.setTimer(note("second"), 10);
    clock.setTimer(() => clock.setTimer(note("nested"), 5), 10);
    clock.setTimer(note("never"), 10)();
    expect(clock.advance(29, 100)).toBe(4);
    expect(ran).toEqual(["first@10", "second@10", "nested@15"]);
    expect([clock.now(), clock.waiting]).toEqual([29, 1]);
    clock.advance(1, 100);
    expect(ran.at(-1)).toBe("late@30");
  });

  test("a timer that sets itself again is stopped by timersMax", () => {
    const clock = createManualClock();
    const again = (): void => void clock.setTimer(again, 1);
    again();
    expect(clock.advance(1_000_000, 50)).toBe(50);
    expect(clock.now()).toBe(50);
  });
});
