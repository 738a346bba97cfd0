/** What inboxes have seen: in their resource, in `/metrics`, and what there is before anything was delivered. */

import parsePrometheus from "parse-prometheus-text-format";
import { describe, expect, test } from "vitest";
import { createTestControl } from "./support.ts";

interface Bucketed {
  readonly name: string;
  readonly type: string;
  readonly metrics: readonly {
    readonly buckets: Record<string, string>;
    readonly count: string;
    readonly sum: string;
  }[];
}

async function made() {
  const control = createTestControl();
  const { ask } = control;
  const id = (await ask("POST", "/v1/inboxes", {})).json["id"];
  await ask("PUT", `/v1/inboxes/${id}/joins/c`, {});
  const publish = (events: number) =>
    ask(
      "POST",
      "/v1/channels/c/events",
      Array.from({ length: events }, () => ({ type: "t" })),
    );
  const poll = () => ask("GET", `/v1/inboxes/${id}/events`);
  return { ...control, path: `/v1/inboxes/${id}`, publish, poll };
}

describe("the history of an inbox", () => {
  test("is null before anything was delivered, and quantiles of waits and depths then", async () => {
    const { ask, clock, path, publish, poll } = await made();
    expect((await ask("GET", path)).json["history"]).toBeNull();
    for (const events of [1, 1, 1, 8]) {
      await publish(events);
      clock.advance(3);
      await poll();
    }
    // 3 ms are 12 quarters, which is in the bucket from 8 to 16.
    const { history } = (await ask("GET", path)).json as Record<string, Record<string, Record<string, number>>>;
    expect(history).toMatchObject({ waitMs: { count: 11 }, depth: { count: 4 } });
    expect(history?.["waitMs"]?.["p50"]).toBeGreaterThan(2);
    expect(history?.["waitMs"]?.["p99"]).toBeLessThanOrEqual(4);
    expect(history?.["depth"]?.["p50"]).toBe(1);
    expect(history?.["depth"]?.["p99"]).toBeGreaterThan(4);
  });

  test("is no part of the tag, may be sent back, and is not in lists", async () => {
    const { ask, path, publish, poll } = await made();
    const before = await ask("GET", path);
    await publish(1);
    await poll();
    const after = await ask("GET", path);
    expect(after.headers.get("etag")).toBe(before.headers.get("etag"));
    expect((await ask("PATCH", path, { history: after.json["history"] })).status).toBe(200);
    const { json } = await ask("GET", "/v1/inboxes");
    expect(json["data"]).toEqual([expect.not.objectContaining({ history: expect.anything() })]);
  });
});

test("/metrics has histograms of waits, depths and lateness", async () => {
  const { ask, clock, publish, poll } = await made();
  const read = async () => {
    const families = parsePrometheus((await ask("GET", "/metrics")).text) as readonly Bucketed[];
    return (name: string) => families.find((family) => family.name === `sluice_${name}`);
  };
  expect((await read())("inbox_wait_seconds")).toMatchObject({ type: "HISTOGRAM", metrics: [{ count: "0" }] });
  await publish(3);
  clock.advance(1_000);
  await poll();
  const [wait, depth, lateness] = [...["inbox_wait_seconds", "inbox_depth_events", "deadline_lateness_seconds"]].map(
    await read(),
  );
  expect(wait?.metrics[0]).toMatchObject({
    count: "3",
    sum: "3",
    buckets: { "0.512": "0", "1.024": "3", "+Inf": "3" },
  });
  expect(depth?.metrics[0]).toMatchObject({ count: "1", sum: "3", buckets: { "2": "0", "4": "1", "+Inf": "1" } });
  expect(lateness?.metrics[0]).toMatchObject({ count: "0" });
});
