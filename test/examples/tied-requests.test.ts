/**
 * Goal: of several servers that got a request one does the work, whoever began it first, and old loads do not matter to that.
 * Method: the simulation of the web cluster, where the host decides which cancel stands.
 */
import { describe, expect, test } from "vitest";
import { figure9b, staleLoad } from "../../examples/web-cluster/figures.mjs";
import { tiedServers } from "./tied.ts";

const seed = 7;
/** Seconds of a machine that is busy with other tests; by itself none takes more than a few. */
const PATIENCE_MS = 60_000;

describe("staleLoad()", { timeout: PATIENCE_MS }, () => {
  test("tied requests are three times as fast as least loaded on loads of one second, and near the ideal", async () => {
    const rows = await staleLoad({
      utilisation: 0.6,
      agesMs: [1000],
      seconds: 40,
      seed,
      names: ["least loaded", "tied, 2 at random", "ideal"],
    });
    const [least, two, ideal] = rows.map(({ runs }) => runs[0]?.meanMs ?? Number.NaN);
    expect(two).toBeLessThan((least ?? 0) / 3);
    expect(two).toBeLessThan(1.5 * (ideal ?? 0));
    for (const { runs } of rows) {
      expect(runs[0]?.timedOut).toBe(0);
      expect(runs[0]?.work).toBeLessThan(1.1);
    }
  });
});

describe("figure9b()", { timeout: PATIENCE_MS }, () => {
  test("has one server work and answer where others are called off, at most n cancels for a request", async () => {
    const [one, three] = await figure9b({ copies: [1, 3], seconds: 20, seed });
    expect(three?.withCancel.responsesUsed).toBe(three?.withCancel.forwarded);
    expect(three?.withCancel.responsesSent).toBe(three?.withCancel.forwarded);
    // At most n cancels for a request, as the paper says.
    expect(three?.withCancel.cancels).toBeLessThanOrEqual(3 * (three?.withCancel.forwarded ?? 0));
    expect(three?.withCancel.work).toBeLessThan(1.02 * (one?.work ?? 0));
  });
});

describe("simulate()", { timeout: PATIENCE_MS }, () => {
  test("answers every request exactly once, whoever began it first", async () => {
    const { outcomes, sent, counts } = await tiedServers(3);
    expect(outcomes).toHaveLength(sent);
    expect(outcomes.filter(({ served }) => served === "timeout")).toEqual([]);
    expect(counts.local).toBe(sent);
    // Each copy was done, withdrawn before it began, or given up.
    expect(counts.local + counts.withdrawn + counts.abandoned).toBe(2 * sent);
  });
});
