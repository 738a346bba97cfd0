/** Server-sent events: answers that stay open, and clients that go away in the middle of them. */
import { expect } from "vitest";
import { connectTo } from "../host/support/client.ts";
import { until } from "../host/support/until.ts";
import { subscribe } from "./sse.ts";
import type { Suite } from "./suite.ts";

const json = { "content-type": "application/json" };

/** Adds the tests. */
export function addStreamTests({ host, check }: Suite): void {
  const at = (path: string): string => `${host().url}/v1${path}`;
  const put = (path: string, body: object): Promise<Response> =>
    fetch(at(path), { method: "PUT", headers: json, body: JSON.stringify(body) });
  const post = async (channel: string, ...events: object[]): Promise<void> => {
    const body = JSON.stringify(events);
    expect((await fetch(at(`/channels/${channel}/events`), { method: "POST", headers: json, body })).status).toBe(200);
  };
  const sinksOf = async (channel: string): Promise<number> =>
    (await (await fetch(at(`/channels/${channel}`))).json()).sinks;
  const sinksBecome = async (channel: string, want: number): Promise<void> => {
    let sinks = await sinksOf(channel);
    for (const deadline = performance.now() + 10_000; sinks !== want && performance.now() < deadline; )
      sinks = await sinksOf(channel);
    expect(sinks).toBe(want);
  };

  check("server-sent events arrive at once, and a reader that goes is forgotten", async () => {
    await put("/channels/streams.sse", {});
    const reader = await subscribe(at("/channels/streams.sse/events"));
    expect(reader.response.headers["content-type"]).toMatch(/^text\/event-stream/);
    await post("streams.sse", { type: "a", data: { n: 1 } }, { type: "b" });
    const [first, second] = await reader.messages(2);
    expect(JSON.parse(first?.data ?? "")).toMatchObject({ type: "a", data: { n: 1 } });
    expect(JSON.parse(second?.data ?? "")).toMatchObject({ type: "b" });
    await sinksBecome("streams.sse", 1);
    reader.abort();
    await sinksBecome("streams.sse", 0);
  });

  check("server-sent events go on after the last one that was seen", async () => {
    await put("/channels/streams.ring", { store: { events: 100 } });
    const first = await subscribe(at("/channels/streams.ring/events"));
    await post("streams.ring", { type: "1" }, { type: "2" });
    const [, seen] = await first.messages(2);
    first.abort();
    await post("streams.ring", { type: "3" });
    const again = await subscribe(at("/channels/streams.ring/events"), { "last-event-id": seen?.id ?? "" });
    expect(again.response.headers["sluice-recovered"]).toBe("true");
    await post("streams.ring", { type: "4" });
    expect((await again.messages(2)).map(({ data }) => JSON.parse(data).type)).toEqual(["3", "4"]);
    const lost = await subscribe(at("/channels/streams.ring/events"), { "last-event-id": "nonsense" });
    expect((await lost.named("gap")).data).not.toBe("");
  });

  check(
    "a reader of server-sent events that does not read loses what its inbox cannot take",
    async () => {
      await put("/channels/streams.slow", {});
      const [reader, live, source] = await Promise.all([
        subscribe(at("/channels/streams.slow/events")),
        connectTo(host(), "tcp"),
        connectTo(host(), "tcp"),
      ]);
      await live.join("streams.slow");
      reader.pause();
      const before = await host().metric("sluice_dropped_overflow_total");
      const events = Array.from({ length: 500 }, () => ({ type: "t", data: "x".repeat(2_000) }));
      const rounds = 60;
      for (let round = 1; round <= rounds; round++) {
        await source.publish("streams.slow", ...events);
        await live.received(round * events.length);
      }
      // 60 MB; an inbox holds 16 MiB, the system some more, and the host must not hold the rest.
      const dropped = (await host().metric("sluice_dropped_overflow_total")) - before;
      expect(dropped).toBeGreaterThan((rounds * events.length) / 4);
      reader.resume();
      await reader.named("dropped");
    },
    60_000,
  );

  check("many readers at once each get everything", async () => {
    await put("/channels/streams.many", {});
    const readers = await Promise.all(Array.from({ length: 20 }, () => subscribe(at("/channels/streams.many/events"))));
    for (let count = 1; count <= 20; count++) await post("streams.many", { type: "t", data: count });
    for (const reader of readers)
      expect((await reader.messages(20)).map(({ data }) => JSON.parse(data).data)).toEqual(
        Array.from({ length: 20 }, (_, index) => index + 1),
      );
    for (const reader of readers) reader.abort();
    await sinksBecome("streams.many", 0);
    await until(
      () => readers.every((reader) => reader.ended()),
      () => "the ends",
    );
  });
}
