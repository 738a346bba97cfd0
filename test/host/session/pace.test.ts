/**
 * WebSocket clients that never grant credit, over real sockets: what they are slow to read waits in their inbox, where its
 * ordering acts. What is asserted is which event comes before which, never how long it takes.
 */
import { describe, expect, test } from "vitest";
import { limits } from "../../../host/limits.ts";
import { connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";
import { until } from "../support/until.ts";

const DATA_BYTES = 1_000;
/** Events that fit the window as it is at the beginning, and one that is larger than what is left of it. */
const AHEAD_MAX = limits.paceBytes / DATA_BYTES + 1;

describe("a slow reader that grants no credit", () => {
  test.each(["ws-proto", "ws-json"] as const)(
    "%s: what is urgent overtakes at twice the load that it takes",
    async (carrier) => {
      // Nothing is tried with the window while time stands still.
      const host = await startHost({ timeless: true });
      const [sink, source] = await Promise.all([connectTo(host, carrier), connectTo(host, "tcp")]);
      sink.send({ ref: 1, hello: { inbox: { ordering: "priority" } } });
      await sink.take("welcome", 1);
      await sink.join("c");
      const data = "x".repeat(DATA_BYTES);
      const rounds = 20;
      const aheads: number[] = [];
      let urgent = 0;
      for (let round = 1; round <= rounds; round++) {
        sink.pause();
        // Two come in for each that is taken.
        const events = Array.from({ length: 200 }, () => ({ type: "t", data }));
        await source.publish("c", ...events);
        await source.publish("c", { type: "urgent", priority: 9, data });
        const before = sink.events.length;
        sink.resume();
        await sink.received(before + 100);
        await until(
          () => sink.events.findIndex(({ type }, index) => index >= before && type === "urgent") >= 0,
          () => `the urgent event of round ${round}`,
        );
        urgent++;
        aheads.push(sink.events.findIndex(({ type }, index) => index >= before && type === "urgent") - before);
      }
      expect(Math.max(...aheads), `${aheads}`).toBeLessThanOrEqual(AHEAD_MAX);
      await sink.received(rounds * 200 + urgent);
      expect(sink.events).toHaveLength(rounds * 200 + urgent);
    },
    60_000,
  );

  test("whoever keeps up gets everything in order, as fast as it comes", async () => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, "ws-proto"), connectTo(host, "tcp")]);
    await sink.join("c");
    const total = 20_000;
    for (let made = 0; made < total; made += 500)
      await source.publish("c", ...Array.from({ length: 500 }, () => ({ type: "t", data: "x".repeat(200) })));
    const events = await sink.received(total);
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
    expect(sink.told.filter(({ kind }) => kind === "dropped")).toEqual([]);
  });
});
