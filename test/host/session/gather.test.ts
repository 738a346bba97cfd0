import { describe, expect, test } from "vitest";
import type { ManualClock } from "../../../host/clock.ts";
import { createTestControl } from "../control/support.ts";
import { TestCarrier } from "../support/carrier.ts";
import { carriers, connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";
import { createTestService } from "../support/service.ts";

/** A sink whose deliveries wait for others. */
function gathering(select: { events?: number; bytes?: number; delayMs: number; mode?: string }, late = false) {
  const made = createTestService();
  if (late) {
    const { definition } = made.service.channels.resolve("c");
    made.service.channels.put("c", { ...definition, delivery: { ...definition.delivery, late: "drop" } });
  }
  const sink = new TestCarrier(made.service);
  const source = new TestCarrier(made.service);
  sink.send({ kind: { case: "inbox", value: { select: { mode: "batch", ...select } } } });
  sink.join("c");
  made.settle();
  const publish = (count: number, ttlMs?: bigint): void => {
    const events = Array.from({ length: count }, () => ({ type: "t", ...(ttlMs === undefined ? {} : { ttlMs }) }));
    source.send({ kind: { case: "publish", value: { channel: "c", events } } });
    made.settle();
  };
  const advance = (ms: number): number => {
    made.clock.advance(ms);
    made.settle();
    return sink.delivered();
  };
  return { ...made, sink, publish, advance };
}

describe("select.delayMs", () => {
  test("has the first wait so long for others, and no longer", () => {
    const { sink, publish, advance } = gathering({ events: 10, delayMs: 100 });
    publish(1);
    expect(sink.delivered()).toBe(0);
    expect(advance(60)).toBe(0);
    publish(2);
    expect(advance(39)).toBe(0);
    expect(advance(1)).toBe(3);
    publish(1);
    expect(advance(99)).toBe(3);
    expect(advance(1)).toBe(4);
  });

  test("lets a full batch go at once, by events and by bytes", () => {
    const { sink, publish } = gathering({ events: 3, delayMs: 1_000 });
    publish(2);
    expect(sink.delivered()).toBe(0);
    publish(1);
    expect(sink.delivered()).toBe(3);
    const small = gathering({ bytes: 40, delayMs: 1_000 });
    small.publish(5);
    expect(small.sink.delivered()).toBe(5);
  });

  test("single events do not wait", () => {
    const { sink, publish } = gathering({ mode: "single", delayMs: 1_000 });
    publish(1);
    expect(sink.delivered()).toBe(1);
  });

  test("lets what has a deadline go before it would be late", () => {
    const { sink, publish, advance } = gathering({ events: 10, delayMs: 1_000 }, true);
    publish(1);
    publish(1, 50n);
    expect(advance(44)).toBe(0);
    expect(advance(1)).toBe(2);
    publish(1, 3n);
    expect(sink.delivered()).toBe(3);
  });

  test("does not wait for more than credit allows", () => {
    const { sink, publish } = gathering({ events: 10, delayMs: 1_000 });
    sink.send({ kind: { case: "credit", value: { events: 2n, bytes: 1_000_000n } } });
    publish(1);
    expect(sink.delivered()).toBe(0);
    publish(1);
    expect(sink.delivered()).toBe(2);
  });

  test("answers do not wait", () => {
    const { sink, publish, settle } = gathering({ events: 10, delayMs: 1_000 });
    publish(1);
    sink.send({ ref: 7, kind: { case: "ping", value: {} } });
    settle();
    expect(sink.frames().at(-1)).toMatchObject({ case: "pong" });
    expect(sink.delivered()).toBe(0);
  });

  test.each(carriers)("holds over %s, and ends at the earliest deadline", async (carrier) => {
    const host = await startHost({ timeless: true });
    const { service } = host;
    const [source, sink] = await Promise.all([connectTo(host, "ws-json"), connectTo(host, carrier)]);
    sink.send({ inbox: { select: { delayMs: 1_000 } } });
    await sink.join("c");
    const advance = (ms: number) => {
      service.settle();
      (service.clocks.service as ManualClock).advance(ms, 100);
      service.settle();
    };
    await source.publish("c", { type: "a" });
    advance(999);
    // A frame that comes back later shows that nothing came before it.
    sink.send({ ref: 9, ping: {} });
    await sink.take("pong");
    expect(sink.events).toEqual([]);
    advance(1);
    await sink.received(1);
    await source.publish("c", { type: "b" }, { type: "c", ttlMs: 60 });
    advance(54);
    sink.send({ ref: 10, ping: {} });
    await sink.take("pong");
    expect(sink.events).toHaveLength(1);
    advance(1);
    expect((await sink.received(3)).map(({ type }) => type)).toEqual(["a", "b", "c"]);
  });

  test("holds for polls, and ends at the earliest deadline", async () => {
    const { ask, clock, settle } = createTestControl();
    const { id } = (await ask("POST", "/v1/inboxes", { select: { delayMs: 1_000 } })).json;
    await ask("PUT", `/v1/inboxes/${id}/joins/c`, {});
    const poll = async () => {
      const { data } = (await ask("GET", `/v1/inboxes/${id}/events`)).json as { data: { event: { type: string } }[] };
      return data.map(({ event }) => event.type);
    };
    const advance = (ms: number) => {
      settle();
      clock.advance(ms);
      settle();
    };
    await ask("POST", "/v1/channels/c/events", { type: "a" });
    expect(await poll()).toEqual([]);
    advance(999);
    expect(await poll()).toEqual([]);
    advance(1);
    expect(await poll()).toEqual(["a"]);
    await ask("POST", "/v1/channels/c/events", [{ type: "b" }, { type: "c", ttlMs: 60 }]);
    expect(await poll()).toEqual([]);
    advance(54);
    expect(await poll()).toEqual([]);
    advance(1);
    expect(await poll()).toEqual(["b", "c"]);
  });

  test("is taken back at once", () => {
    const { sink, publish, settle } = gathering({ events: 10, delayMs: 1_000 });
    publish(1);
    sink.send({ kind: { case: "inbox", value: { select: { delayMs: 0 } } } });
    settle();
    expect(sink.delivered()).toBe(1);
  });
});
