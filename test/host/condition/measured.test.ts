/** Conditions of channels and inboxes: what they tell is what happened on a real host, over HTTP. */
import { expect, onTestFinished, test } from "vitest";
import { serveHost } from "../../../host/index.ts";

test("channels and inboxes: what waits, how long it waited, and which deadlines were missed", async () => {
  const host = await serveHost({ listen: "127.0.0.1:0", tcp: null, testControls: true, onFatal: () => {} });
  onTestFinished(() => host.close());
  const ask = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${host.url}/v1/${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    expect(answer.status, text).toBeLessThan(300);
    return text === "" ? {} : JSON.parse(text);
  };
  await ask("PUT", "channels/jobs", { delivery: { late: "drop" } });
  const { id } = await ask("POST", "inboxes", { idleMs: 60_000 });
  await ask("PUT", `inboxes/${id}/joins/jobs`);
  const metrics = ["depth", "waitP99", "missed"];
  for (const metric of metrics) {
    await ask("PUT", `conditions/channel-${metric.toLowerCase()}`, { kind: "channel", channel: "jobs", metric });
    await ask("PUT", `conditions/inbox-${metric.toLowerCase()}`, { kind: "inbox", inbox: id, metric });
  }
  const advance = (advanceMs: number) => ask("POST", "test/clock", { advanceMs });
  const read = async (of: string) =>
    Promise.all(metrics.map(async (metric) => (await ask("GET", `conditions/${of}-${metric.toLowerCase()}`)).value));
  await ask("POST", "channels/jobs/events", [{ type: "a" }, { type: "b" }, { type: "c", ttlMs: 500 }]);
  await advance(1_000);
  for (const of of ["channel", "inbox"]) expect((await read(of)).slice(0, 1)).toEqual([2]);
  await advance(3_000);
  await ask("GET", `inboxes/${id}/events`);
  await advance(1_000);
  for (const of of ["channel", "inbox"]) {
    const [depth, wait, missed] = await read(of);
    expect([depth, missed]).toEqual([0, 1]);
    // Buckets of waits are about as wide as what they stand for.
    expect(wait).toBeGreaterThan(2_000);
  }
});
