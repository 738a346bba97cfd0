/**
 * `eventsource`, the usual client of server-sent events in Node: it reconnects by itself, with the id it has seen last.
 */
import { EventSource } from "eventsource";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type RunningHost, startHost, stopHost } from "../host/cli/sluice.ts";
import { until } from "../host/support/until.ts";
import { createBreaker } from "./breaker.ts";

let host: RunningHost;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => stopHost(host));

// biome-ignore lint/suspicious/noExplicitAny: events are what the test published.
type Heard = { readonly name: string; readonly id: string; readonly data: any };

interface Listening {
  readonly source: EventSource;
  readonly heard: Heard[];
  /** Waits until that many events were heard. */
  events(count: number): Promise<Heard[]>;
}

/** Opens a source and waits until it is open. */
async function listen(path: string, origin: string = host.url): Promise<Listening> {
  const source = new EventSource(`${origin}/v1/channels/${path}`);
  onTestFinished(() => source.close());
  const heard: Heard[] = [];
  for (const name of ["message", "gap", "dropped", "left", "drain"]) {
    source.addEventListener(name, ({ data, lastEventId }) =>
      heard.push({ name, id: lastEventId, data: JSON.parse(data) }),
    );
  }
  await until(
    () => source.readyState === EventSource.OPEN,
    () => "an open source",
  );
  return {
    source,
    heard,
    async events(count) {
      await until(
        () => heard.length >= count,
        () => `${count} events; there were ${JSON.stringify(heard)}`,
      );
      return heard;
    },
  };
}

async function publish(channel: string, ...events: object[]): Promise<void> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify(events);
  expect((await fetch(`${host.url}/v1/channels/${channel}/events`, { method: "POST", headers, body })).status).toBe(
    200,
  );
}

/** Makes a channel that keeps its last events. */
async function store(channel: string, events: number): Promise<void> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ store: { events } });
  expect((await fetch(`${host.url}/v1/channels/${channel}`, { method: "PUT", headers, body })).status).toBe(201);
}

const ns = (heard: readonly Heard[]): unknown[] =>
  heard.map(({ name, data }) => (name === "message" ? data.data?.n : name));

describe("eventsource", () => {
  test("hears events of the types it asked for, each with an id", async () => {
    const { events } = await listen("es.types/events?type=a&type=b");
    await publish(
      "es.types",
      { type: "a", data: { n: 1 } },
      { type: "c", data: { n: 2 } },
      { type: "b", data: { n: 3 } },
    );
    const heard = await events(2);
    expect(ns(heard)).toEqual([1, 3]);
    expect(heard[0]?.data).toMatchObject({ type: "a", source: expect.any(String), time: expect.any(String) });
    expect(heard[0]?.id).toMatch(/^[A-Za-z0-9_-]{10,}$/);
    expect(new Set(heard.map(({ id }) => id)).size).toBe(2);
  });

  test("hears texts with line breaks and an event of a megabyte as they were", async () => {
    const { events } = await listen("es.texts/events");
    const texts = ["one\ntwo\r\nthree\u2028four", "data: x\n\nid: 7\n\n", "ü🧀", "x".repeat(1_000_000)];
    await publish("es.texts", ...texts.map((data) => ({ type: "t", data })));
    expect((await events(texts.length)).map(({ data }) => data.data)).toEqual(texts);
  });

  test("hears 5,000 events in their order", async () => {
    const { events } = await listen("es.many/events");
    for (let from = 0; from < 5_000; from += 500)
      await publish(
        "es.many",
        ...Array.from({ length: 500 }, (_, index) => ({ type: "t", data: { n: from + index } })),
      );
    expect(ns(await events(5_000))).toEqual(Array.from({ length: 5_000 }, (_, index) => index));
  });

  test("that comes late gets what the channel has stored", async () => {
    await store("es.late", 3);
    await publish("es.late", ...[1, 2, 3, 4, 5].map((n) => ({ type: "t", data: { n } })));
    const { events } = await listen("es.late/events");
    await publish("es.late", { type: "t", data: { n: 6 } });
    expect(ns(await events(4))).toEqual([3, 4, 5, 6]);
  });

  test("reconnects by itself and misses nothing that is stored", { timeout: 20_000 }, async () => {
    await store("es.again", 100);
    const breaker = await createBreaker(host.url);
    const { events } = await listen("es.again/events", breaker.url);
    await publish("es.again", { type: "t", data: { n: 1 } }, { type: "t", data: { n: 2 } });
    await events(2);
    breaker.cut();
    await publish("es.again", { type: "t", data: { n: 3 } }, { type: "t", data: { n: 4 } });
    expect(ns(await events(4))).toEqual([1, 2, 3, 4]);
    expect(breaker.requests.at(-1)).toMatch(/last-event-id: \S+/i);
  });

  test("hears of a gap first where what it missed is gone", { timeout: 20_000 }, async () => {
    await store("es.gap", 2);
    const breaker = await createBreaker(host.url);
    const { events } = await listen("es.gap/events", breaker.url);
    await publish("es.gap", { type: "t", data: { n: 1 } });
    await events(1);
    breaker.cut();
    await publish("es.gap", ...[2, 3, 4, 5].map((n) => ({ type: "t", data: { n } })));
    const heard = await events(4);
    expect(ns(heard)).toEqual([1, "gap", 4, 5]);
    expect(heard[1]?.data).toMatchObject({ reason: expect.any(String) });
  });

  test("is told when the channel is removed", async () => {
    const { events } = await listen("es.gone/events");
    await publish("es.gone", { type: "t", data: { n: 1 } });
    await events(1);
    await fetch(`${host.url}/v1/channels/es.gone`, { method: "DELETE" });
    expect(ns(await events(2))).toEqual([1, "left"]);
  });
});
