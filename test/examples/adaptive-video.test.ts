/**
 * Goal: a contract brings video through an overload, and takes nothing more than it needs; its plots are those of its numbers.
 * Method: the simulation of the plots, whole.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lagMs } from "../../examples/adaptive-video/contract.mjs";
import { plotsOf } from "../../examples/adaptive-video/plots.mjs";
import { phases, simulate } from "../../examples/adaptive-video/simulate.mjs";
import { root } from "../docs-blocks.ts";

const folder = join(root, "examples/adaptive-video");
const [calmS, busyS] = phases.map(({ untilS }) => untilS) as [number, number];
/** Seconds of a machine that is busy with other tests. */
const PATIENCE_MS = 60_000;

describe("examples/adaptive-video", () => {
  test("with the contract frames are young again soon; without, they age as long as it lasts", {
    timeout: PATIENCE_MS,
  }, async () => {
    const [without, governed] = await Promise.all([
      simulate({ governed: false, seed: 3 }),
      simulate({ governed: true, seed: 3 }),
    ]);
    const oldest = ({ samples }: typeof governed, from: number, to: number): number =>
      Math.max(...samples.filter(({ atS }) => atS > from && atS <= to).map((one) => one.lagMs));
    expect(oldest(without, 0, calmS)).toBeLessThan(lagMs.enter);
    expect(oldest(without, calmS + 1, busyS)).toBeGreaterThan(2_000);
    expect(oldest(governed, calmS + 3, busyS)).toBeLessThan(lagMs.exit);
  });

  test("goes there and back once, in the middle sampled by deadlines", { timeout: PATIENCE_MS }, async () => {
    const { transitions, samples } = await simulate({ governed: true, seed: 1 });
    expect(transitions.map(({ to }) => to)).toEqual(["full", "sampled", "full"]);
    const [, there, back] = transitions.map(({ atS }) => atS) as [number, number, number];
    expect(there).toBeGreaterThan(calmS);
    expect(there).toBeLessThan(calmS + 3);
    // Not while there is too much, however small the lag is by then.
    expect(back).toBeGreaterThan(busyS);
    expect(back).toBeLessThan(busyS + 3);
    const last = samples.filter(({ atS }) => atS > back + 1);
    const [said, taken] = [last, last].map((some, index) =>
      some.reduce((sum, one) => sum + (index === 0 ? one.said : one.taken), 0),
    ) as [number, number];
    expect(taken / said).toBeGreaterThan(0.97);
  });

  test("has the plots of the numbers that are committed", () => {
    const { runs } = JSON.parse(readFileSync(join(folder, "reference/results.json"), "utf8"));
    for (const [name, svg] of Object.entries(plotsOf(runs)))
      expect(readFileSync(join(folder, "reference", name), "utf8")).toBe(svg);
  });
});
