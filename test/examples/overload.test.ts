/**
 * Goal: at 150 % load each ordering loses what it is said to lose, and what is told of it is what happened.
 * Method: the simulation of the plot, shorter; the same program over real sockets; the committed plot from the committed numbers.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { accountOf } from "../../examples/overload/account.mjs";
import { classes, loadOf, orderings, pace, streamsOf } from "../../examples/overload/mix.mjs";
import { plotsOf } from "../../examples/overload/plots.mjs";
import { simulate } from "../../examples/overload/simulate.mjs";
import { root } from "../docs-blocks.ts";
import { type RunningHost, startHost, startProgram, stopHost } from "../host/cli/sluice.ts";

const folder = join(root, "examples/overload");
const seconds = 12;
/** Seconds of a machine that is busy with other tests; by itself none takes more than a few. */
const PATIENCE_MS = 60_000;

type Line = Awaited<ReturnType<typeof simulate>>["lines"][number];
const byName = async (ordering: string, seed: number): Promise<Record<string, Line>> =>
  Object.fromEntries((await simulate({ ordering, seconds, seed })).lines.map((line) => [line.name, line]));
const share = (line: Line | undefined): number => (line?.met ?? 0) / (line?.sent ?? 0);

describe("simulate()", { timeout: PATIENCE_MS }, () => {
  test("has 1.5 times as much to do as can be done, of which windows need less than all", () => {
    expect(loadOf(pace)).toBeCloseTo(1.5);
    const must = classes.map(({ streams, window }) => (window ? streams * (1 - window.lose / window.of) : 0));
    const need = must.reduce((sum, one) => sum + one, 0) * (pace.serviceMs / pace.periodMs);
    expect(need).toBeLessThanOrEqual(1);
  });

  test.each(orderings)("loses no event without saying so, ordering %s", async (ordering) => {
    for (const line of (await simulate({ ordering, seconds, seed: 5 })).lines) {
      expect(line.met + line.late + line.dropped + line.waiting).toBe(line.sent);
      // What has deadlines is in time or dropped; only the log may be there still.
      if (line.name !== "log") expect([line.late, line.waiting]).toEqual([0, 0]);
    }
  });

  test("fifo loses of each class alike, control too", async () => {
    const { control, sensors, video, log } = await byName("fifo", 7);
    for (const line of [control, sensors, video]) expect(share(line)).toBeLessThan(0.75);
    expect(control?.violated).toBeGreaterThan(0);
    expect(share(log)).toBeGreaterThan(0.9);
  });

  test("priority loses at the bottom only, beyond what may be lost there", async () => {
    const { control, sensors, video } = await byName("priority", 7);
    expect([share(control), share(sensors)]).toEqual([1, 1]);
    expect(share(video)).toBeLessThan(0.4);
    expect(video?.violated).toBeGreaterThan(0);
    expect(control?.p99Ms).toBeLessThan(4 * pace.serviceMs);
  });

  test("deadline does as much as can be done, and loses of each class alike", async () => {
    const lines = await byName("deadline", 7);
    for (const name of ["control", "sensors", "video"]) {
      expect(share(lines[name])).toBeGreaterThan(0.65);
      expect(share(lines[name])).toBeLessThan(0.95);
      expect(lines[name]?.violated).toBeGreaterThan(0);
    }
  });

  test.each([1, 2, 3])("window breaks no window, seed %i", async (seed) => {
    const { control, sensors, video } = await byName("window", seed);
    expect(share(control)).toBe(1);
    for (const line of [control, sensors, video]) {
      expect(line?.windows).toBeGreaterThan(0);
      expect(line?.violated).toBe(0);
    }
  });

  test("gives the same for the same seed", async () => {
    const run = { ordering: "deadline", seconds: 3, seed: 4 };
    expect(await simulate(run)).toEqual(await simulate(run));
  });
});

describe("accountOf()", () => {
  const channel = "plant.sensors-1";
  const run = { sent: new Map(streamsOf().map((one) => [one.channel, 8])), dropped: new Map(), latencyMs: 1 };
  const came = (number: number, waitedMs = 5) => ({ channel, number, waitedMs, withinMs: 10 });
  const sensors = (taken: ReturnType<typeof came>[]) =>
    accountOf({ ...run, taken }).find(({ name }) => name === "sensors");

  test("counts windows from the first event on, each by itself", () => {
    // 1 of 4 may be lost. Two that lie side by side in different windows break none of them.
    const whole = [0, 1, 2, 5, 6, 7].map((number) => came(number));
    const [streams, perStream] = [classes.find(({ name }) => name === "sensors")?.streams ?? 0, 2];
    const others = (streams - 1) * perStream;
    expect(sensors(whole)).toMatchObject({ windows: others + 2, violated: others });
    // What comes late is missed as well.
    expect(sensors([...whole.slice(1), came(0, 11.5)])).toMatchObject({ violated: others + 1, met: 5, late: 1 });
  });

  test.each([{ taken: [came(1), came(1)] }, { taken: [came(8)] }])("refuses what cannot be: $taken", ({ taken }) => {
    expect(() => sensors(taken)).toThrow(/came twice or was never said/);
  });
});

describe("examples/overload", () => {
  test("has the plot of the numbers that are committed", () => {
    const { runs } = JSON.parse(readFileSync(join(folder, "reference/results.json"), "utf8"));
    for (const [name, svg] of Object.entries(plotsOf(runs)))
      expect(readFileSync(join(folder, "reference", name), "utf8")).toBe(svg);
  });
});

describe("examples/overload --live", () => {
  let host: RunningHost;
  beforeAll(async () => {
    host = await startHost();
  });
  afterAll(async () => {
    await stopHost(host);
  });
  const live = (url: string) =>
    startProgram(process.execPath, [join(folder, "run.mjs"), "--live", "--host", url, "--seconds", "0.6"]).finished;

  test("runs every ordering over sockets", async () => {
    const { code, stdout, stderr } = await live(host.url);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const ordering of orderings) expect(stdout).toMatch(new RegExp(`^${ordering}: control \\d+ % in time`, "m"));
  });

  test("says how to start a host where there is none", async () => {
    const { code, stderr } = await live("http://127.0.0.1:9");
    expect(code).toBe(1);
    expect(stderr).toContain("Start one: npm start");
  });
});
