/**
 * Goal: the load is real (plausible on this machine, and it reacts to work), and its timing follows the clock it is given.
 */
import { describe, expect, test } from "vitest";
import { type Clock, createMachineClock } from "../../../host/clock.ts";
import { startLagProbe } from "../../../host/monitor/lag.ts";
import { type LoadSample, type MachineReadings, startLoadMonitor } from "../../../host/monitor/load.ts";
import { createMachineReadings } from "../../../host/monitor/machine.ts";

/** A clock that stands until advance(). */
function createManualClock(): Clock & { advance(ms: number): void; timers(): number } {
  let now = 0;
  let timers: Array<{ at: number; run: () => void }> = [];
  return {
    now: () => now,
    timers: () => timers.length,
    setTimer(run, delayMs) {
      const timer = { at: now + delayMs, run };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        const due = timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
        if (due === undefined) break;
        timers = timers.filter((timer) => timer !== due);
        now = Math.max(now, due.at);
        due.run();
      }
      now = end;
    },
  };
}

/** Readings that say what the test says; stands in for a machine, which no test can order about. */
function createReadings(cpu: () => { busy: number; total: number }): MachineReadings {
  return {
    cores: 2,
    cpuTimes: cpu,
    memory: () => ({ usedBytes: 25, totalBytes: 100 }),
    residentBytes: () => 7,
    loadAverage: () => [1.234, 0.5, 0.25],
  };
}

describe("startLoadMonitor()", () => {
  test("takes differences between samples and puts units into names", () => {
    const clock = createManualClock();
    const times = [
      { busy: 1000, total: 9000 },
      { busy: 1050, total: 9200 },
      { busy: 1250, total: 9400 },
    ];
    const samples: LoadSample[] = [];
    startLoadMonitor(
      createReadings(() => times.shift() ?? { busy: 1250, total: 9400 }),
      clock,
      (sample) => samples.push(sample),
    );
    clock.advance(2000);
    expect(samples.map((sample) => sample.data.cpuFraction)).toEqual([0.25, 1]);
    expect(samples[0]).toEqual({
      attributes: { cpu: 0.25, memory: 0.25, loop_lag_ms: 0, load_1min: 1.23 },
      data: {
        cpuFraction: 0.25,
        cores: 2,
        memoryFraction: 0.25,
        memoryUsedBytes: 25,
        memoryTotalBytes: 100,
        residentBytes: 7,
        loopLagMeanMs: 0,
        loopLagMaxMs: 0,
        loadAverage1Min: 1.23,
        loadAverage5Min: 0.5,
        loadAverage15Min: 0.25,
        periodMs: 1000,
      },
    });
  });

  test("stays within 0 and 1 where counters stand still or run backwards", () => {
    const clock = createManualClock();
    const times = [
      { busy: 10, total: 20 },
      { busy: 10, total: 20 },
      { busy: 5, total: 30 },
      { busy: 50, total: 40 },
    ];
    const seen: number[] = [];
    startLoadMonitor(
      createReadings(() => times.shift() ?? { busy: 50, total: 40 }),
      clock,
      (sample) => seen.push(sample.attributes.cpu),
    );
    clock.advance(3000);
    expect(seen).toEqual([0, 0, 1]);
  });

  test("does not drift where timers fire late, and skips what a blocked loop missed", () => {
    const machine = createManualClock();
    let lateMs = 300;
    // Every timer fires late, as under a busy loop.
    const clock: Clock = { now: machine.now, setTimer: (run, delayMs) => machine.setTimer(run, delayMs + lateMs) };
    const at: number[] = [];
    startLoadMonitor(
      createReadings(() => ({ busy: 0, total: 0 })),
      clock,
      () => at.push(machine.now()),
    );
    machine.advance(2100);
    lateMs = 2500;
    machine.advance(400);
    lateMs = 0;
    machine.advance(6500);
    // Set while 2500 ms late: due at 3000, fired at 5500; the sample of 4000 is skipped, 6000 is on time again.
    expect(at).toEqual([1300, 2300, 5500, 6000, 7000, 8000, 9000]);
  });

  test("leaves no timer behind once it is stopped", () => {
    const clock = createManualClock();
    let samples = 0;
    const stop = startLoadMonitor(
      createReadings(() => ({ busy: 0, total: 0 })),
      clock,
      () => {
        samples += 1;
      },
    );
    clock.advance(1000);
    stop();
    expect(clock.timers()).toBe(0);
    expect(samples).toBe(1);
  });
});

describe("startLagProbe()", () => {
  test("tells mean and greatest lateness since the last reading", () => {
    const machine = createManualClock();
    let lateMs = 0;
    const clock: Clock = { now: machine.now, setTimer: (run, delayMs) => machine.setTimer(run, delayMs + lateMs) };
    const probe = startLagProbe(clock, 20);
    machine.advance(40);
    expect(probe.take()).toEqual({ meanMs: 0, maxMs: 0 });
    lateMs = 30;
    // The timer under way fires in time at 60, the next one at 60 + 20 + 30.
    machine.advance(70);
    expect(probe.take()).toEqual({ meanMs: 15, maxMs: 30 });
  });

  test("counts a delay that is still going on", () => {
    const machine = createManualClock();
    let now = 0;
    const clock: Clock = { now: () => now, setTimer: machine.setTimer };
    const probe = startLagProbe(clock, 20);
    now = 520;
    expect(probe.take()).toEqual({ meanMs: 500, maxMs: 500 });
  });
});

describe("createMachineReadings()", () => {
  /** The next sample of the real machine; `meanwhile` runs once the monitor has started. */
  function nextSample(meanwhile: () => void = () => undefined): Promise<LoadSample> {
    return new Promise((resolve) => {
      const stop = startLoadMonitor(
        createMachineReadings(),
        createMachineClock(),
        (sample) => {
          stop();
          resolve(sample);
        },
        400,
      );
      setImmediate(meanwhile);
    });
  }

  test("reads plausible values of this machine", async () => {
    const { data, attributes } = await nextSample();
    expect(attributes.cpu).toBeGreaterThanOrEqual(0);
    expect(attributes.cpu).toBeLessThanOrEqual(1);
    expect(data.cores).toBeGreaterThanOrEqual(1);
    expect(attributes.memory).toBeGreaterThan(0);
    expect(attributes.memory).toBeLessThan(1);
    expect(data.memoryUsedBytes).toBeLessThan(data.memoryTotalBytes);
    expect(data.residentBytes).toBeGreaterThan(10 * 2 ** 20);
    expect(data.residentBytes).toBeLessThan(data.memoryTotalBytes);
    expect(data.loopLagMaxMs).toBeGreaterThanOrEqual(data.loopLagMeanMs);
    expect(data.loadAverage1Min).toBeGreaterThanOrEqual(0);
    expect(data.periodMs).toBeGreaterThanOrEqual(399);
  });

  test("reacts to work: a burning loop shows as CPU of about one core and as loop lag", async () => {
    const burnMs = 380;
    const { data } = await nextSample(() => {
      const end = performance.now() + burnMs;
      while (performance.now() < end) Math.sqrt(end);
    });
    // One of the cores was ours for most of the period. Halved: on a loaded machine the others take their share.
    expect(data.cpuFraction).toBeGreaterThan(0.5 / data.cores);
    expect(data.loopLagMaxMs).toBeGreaterThan(burnMs / 2);
  });
});
