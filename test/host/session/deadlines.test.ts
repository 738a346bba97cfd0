/** Deadlines over real sockets, on a service clock that stands still: who is told of a miss, when, and where late events go. */
import { describe, expect, test } from "vitest";
import { defaultDefinition } from "../../../host/channel/definition.ts";
import type { ManualClock } from "../../../host/clock.ts";
import { connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";

const late = (policy: "deliver" | "drop" | "divert") => ({
  ...defaultDefinition,
  delivery: { ...defaultDefinition.delivery, late: policy, divertTo: policy === "divert" ? "late" : null },
});

async function world(policy: "deliver" | "drop" | "divert", kind: "tcp" | "ws-json" = "ws-json") {
  const host = await startHost({ timeless: true });
  const { service } = host;
  service.channels.put("c", late(policy));
  const [source, sink] = await Promise.all([connectTo(host, "ws-json"), connectTo(host, kind)]);
  await source.join("c", { role: "source", misses: true });
  sink.send({ ref: 50, inbox: { held: true } });
  await sink.join("c");
  /** Lets time pass, as the test controls do. */
  const advance = (ms: number) => {
    service.settle();
    (service.clocks.service as ManualClock).advance(ms, 10_000);
    service.settle();
  };
  return { host, source, sink, advance };
}

describe("a miss", () => {
  test.each(["tcp", "ws-json"] as const)(
    "over %s is told to a sink that holds its inbox, and to its source",
    async (kind) => {
      const { source, sink, advance } = await world("drop", kind);
      await source.publish("c", { type: "t", id: "a", ttlMs: 100 });
      // At its very moment it is in time.
      advance(100);
      advance(1);
      const told = { channel: "c", id: "a", by: 1, sequence: 1, reason: "waited" };
      expect(await source.take("missed")).toEqual({ ...told, sinks: 1 });
      expect(await sink.take("missed")).toMatchObject(kind === "ws-json" ? told : { id: "a", by: 1 });
      expect(await sink.take("dropped")).toMatchObject({ reason: "late" });
    },
  );

  test("is found at its own moment however far the clock jumps", async () => {
    const { source, sink, advance } = await world("deliver");
    await source.publish("c", { type: "t", id: "a", ttlMs: 100 });
    await source.publish("c", { type: "t", id: "b", ttlMs: 86_400_000 * 30 });
    advance(86_400_000 * 31);
    expect([await sink.take("missed"), await sink.take("missed")]).toMatchObject([
      { id: "a", by: 1 },
      { id: "b", by: 1 },
    ]);
  });

  test("sends the event to the channel that its own diverts to", async () => {
    const { host, source, advance } = await world("divert");
    const watcher = await connectTo(host, "ws-json");
    await watcher.join("late");
    await source.publish("c", { type: "t", id: "a", ttlMs: 10 });
    advance(20);
    await watcher.received(1);
    expect(watcher.events.map(({ id }) => id)).toEqual(["a"]);
    expect(host.service.statistics()).toMatchObject({ missedTotal: 1, divertedTotal: 1 });
  });
});
