/**
 * Goal: the example shows what the KECho paper's figures 8 and 9 show.
 * Method: the same simulation as for the plots, in fewer and shorter runs; every decision in it is the host's.
 */
import { describe, expect, test } from "vitest";
import { meanOf } from "../../examples/lib/statistics.mjs";
import { figure8, figure9a, figure9b } from "../../examples/web-cluster/figures.mjs";
import { tiedServers } from "./tied.ts";

const seed = 7;
/** Seconds of a machine that is busy with other tests; by itself none takes more than a few. */
const PATIENCE_MS = 60_000;

describe("figure8()", { timeout: PATIENCE_MS }, () => {
  test("levels at the time-out without forwarding, and at the wait after which is forwarded with it", async () => {
    const [low, high] = await figure8({ rates: [20, 50], seconds: 40, seed });
    // Below what a server can do, 26 per second, both are the same.
    expect(low?.withoutMs).toBeLessThan(200);
    expect(low?.localMs).toBeCloseTo(low?.withoutMs ?? 0, 0);
    expect(low?.forwarded).toBe(0);
    expect(high?.withoutMs).toBeGreaterThan(4500);
    expect(high?.withoutMs).toBeLessThanOrEqual(5000);
    expect(high?.timedOut).toBeGreaterThan(0.4);
    expect(high?.localMs).toBeGreaterThan(2200);
    expect(high?.localMs).toBeLessThan(2600);
    // Two events and the work at another server.
    expect(high?.remoteMs).toBeGreaterThan(2500 + 36);
    expect(high?.remoteMs).toBeLessThan(2800);
    expect(high?.lost).toBe(0);
  });
});

describe("figure9a()", { timeout: PATIENCE_MS }, () => {
  test("delivers every load to every other server, unless loads are attributes only", async () => {
    const [one, five] = await figure9a({ perSecond: [1, 5], seconds: 10, seed });
    expect(one?.events.loadsHeard).toBeCloseTo(7 * (one?.events.loadEvents ?? 0), -1);
    expect(five?.events.loadEvents).toBeCloseTo(5 * (one?.events.loadEvents ?? 0), -1);
    expect(five?.attributes.loadsHeard).toBe(0);
  });
});

describe("figure9b()", { timeout: PATIENCE_MS }, () => {
  test("discards all responses but the first", async () => {
    const [one, three] = await figure9b({ copies: [1, 3], seconds: 20, seed });
    expect(one?.responsesSent).toBe(one?.responsesUsed);
    expect(three?.responsesUsed).toBe(three?.forwarded);
    expect(three?.responsesSent).toBe(3 * (three?.forwarded ?? 0));
  });
});

describe("simulate()", { timeout: PATIENCE_MS }, () => {
  test("gives the same for the same seed, and something else for another", async () => {
    const [one, again, other] = [await tiedServers(1), await tiedServers(1), await tiedServers(2)];
    expect(again.outcomes).toEqual(one.outcomes);
    expect(again.counts).toEqual(one.counts);
    expect(meanOf(other.outcomes.map(({ ms }) => ms))).not.toBe(meanOf(one.outcomes.map(({ ms }) => ms)));
  });
});
