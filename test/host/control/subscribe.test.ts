/**
 * `GET /v1/channels/{channel}/events` without sockets: the body is a stream, time and the turns of the loop are the test's.
 */
import { describe, expect, onTestFinished, test } from "vitest";
import { createControlApp } from "../../../host/control/app.ts";
import { limits } from "../../../host/limits.ts";
import { silentLog } from "../../../host/log.ts";
import { createMetrics } from "../../../host/metrics.ts";
import type { ServiceOptionsInput } from "../../../host/options.ts";
import { idFromPosition } from "../../../host/socket/sse/position.ts";
import { EventStreamParser, type StreamEvent } from "../support/event-stream.ts";
import { createTestService } from "../support/service.ts";
import { turn } from "../support/until.ts";

/** A stream under test: what came is read when the test looks. */
interface TestStream {
  readonly response: Response;
  readonly parser: EventStreamParser;
  /** Everything that came so far. */
  read(): Promise<StreamEvent[]>;
  /** Text of all that came. */
  text(): string;
  /** Whether the host ended the stream, or broke it. */
  end(): "open" | "ended" | "broken";
  leave(): Promise<void>;
}

function createControl(options: ServiceOptionsInput = {}) {
  const made = createTestService(options);
  const { service, settle } = made;
  const app = createControlApp({
    service,
    limits,
    metrics: createMetrics(),
    log: silentLog,
    info: { version: "1", runtime: "test" },
    clock: made.clock,
  });
  const request = (path: string, init: RequestInit = {}) => Promise.resolve(app.request(path, init));
  const publish = (...events: object[]) => {
    const body = JSON.stringify(events);
    return request("/v1/channels/c/events", { method: "POST", headers: { "content-type": "application/json" }, body });
  };
  const put = (definition: object) =>
    request("/v1/channels/c", {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(definition),
    });
  /** The query is that of the URL, the last event id a header field. */
  const open = async (query = "", lastEventId?: string): Promise<TestStream> => {
    const headers = {
      accept: "text/event-stream",
      ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
    };
    const response = await request(`/v1/channels/c/events${query}`, { headers });
    return streamOf(response, settle);
  };
  return { ...made, request, publish, put, open };
}

function streamOf(response: Response, settle: () => void): TestStream {
  const parser = new EventStreamParser();
  const decoder = new TextDecoder();
  let text = "";
  let end: "open" | "ended" | "broken" = "open";
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let pending: Promise<void> | undefined;
  const pull = async (): Promise<void> => {
    try {
      const { done, value } = await reader.read();
      if (done) end = "ended";
      else {
        text += decoder.decode(value, { stream: true });
        parser.push(decoder.decode(value));
      }
    } catch {
      end = "broken";
    }
    pending = undefined;
  };
  onTestFinished(() => reader.cancel().catch(() => {}));
  return {
    response,
    parser,
    text: () => text,
    end: () => end,
    async read() {
      for (let before = -1; before !== text.length; ) {
        before = text.length;
        settle();
        if (end !== "open") break;
        pending ??= pull();
        await Promise.race([pending, turn()]);
      }
      return parser.events;
    },
    leave: () => reader.cancel(),
  };
}

const typesOf = (events: readonly StreamEvent[]) =>
  events.map(({ event, data }) => (event === "message" ? JSON.parse(data).type : event));

describe("a subscription", () => {
  test("is told of events, and before them of its position and of when to come back", async () => {
    const { open, publish, service } = createControl({ drainRetryMs: 2_500 });
    const stream = await open();
    expect(stream.response.status).toBe(200);
    expect(stream.response.headers.get("content-type")).toBe("text/event-stream");
    expect(stream.response.headers.get("sluice-recovered")).toBeNull();
    expect(await stream.read()).toEqual([]);
    expect(stream.parser).toMatchObject({
      id: idFromPosition({ host: "host", epoch: 1, channel: 1, sequence: 0 }),
      retryMs: 2_500,
    });
    await publish({ type: "a", data: { n: 1 } });
    const [event] = await stream.read();
    expect(event?.id).toBe(idFromPosition({ host: "host", epoch: 1, channel: 1, sequence: 1 }));
    expect(JSON.parse(event?.data ?? "")).toMatchObject({ id: "host-1-1-1", type: "a", data: { n: 1 } });
    expect(service.channels.get("c")?.sinks()).toBe(1);
  });

  test("gets on one line what was published on many", async () => {
    const { open, request } = createControl();
    const stream = await open();
    const body = '{"type":"a","data":{\n\t"text": "one\\ntwo\\r\\u2028",\r\n"list": [\r1,\n2]}}';
    await request("/v1/channels/c/events", { method: "POST", headers: { "content-type": "application/json" }, body });
    const [event] = await stream.read();
    expect(JSON.parse(event?.data ?? "").data).toEqual({ text: "one\ntwo\r\u2028", list: [1, 2] });
    expect(stream.text().match(/^data: /gm)).toHaveLength(1);
    expect(stream.text()).not.toContain("\r");
  });

  test("gets the types that it asks for, repeated as often as there are", async () => {
    const { open, publish } = createControl();
    const stream = await open("?type=a&type=c");
    await publish({ type: "a" }, { type: "b" }, { type: "c" });
    expect(typesOf(await stream.read())).toEqual(["a", "c"]);
  });

  test("gets the events of which its expression holds", async () => {
    const { open, publish } = createControl();
    const stream = await open(`?where=${encodeURIComponent("load < 0.5 AND type = 'a'")}`);
    await publish({ type: "a", attributes: { load: 0.4 } }, { type: "a", attributes: { load: 0.6 } }, { type: "a" });
    expect((await stream.read()).map(({ data }) => JSON.parse(data).attributes)).toEqual([{ load: 0.4 }]);
  });

  test("has the attributes of its query, each of the kind that it looks like", async () => {
    const { open, service } = createControl();
    await open("?attr.zone=eu&attr.load=0.5&attr.slots=4&attr.urgent=true&attr.code=007");
    expect(service.channels.get("c")?.sinks()).toBe(1);
  });

  test("is told as CloudEvents where it asks for them", async () => {
    const { open, publish } = createControl();
    const native = await open();
    const stream = await open("?format=cloudevents");
    await publish({ type: "a", source: "/s", attributes: { zone: "eu" }, data: { n: 1 } });
    const [event] = await stream.read();
    expect(JSON.parse(event?.data ?? "")).toMatchObject({
      specversion: "1.0",
      id: "host-1-1-1",
      source: "/s",
      type: "a",
      zone: "eu",
      data: { n: 1 },
    });
    expect(event?.id).toBe((await native.read())[0]?.id);
  });

  test("sees a heartbeat where nothing was said for pingMs", async () => {
    const { open, publish, clock } = createControl({ pingMs: 10_000 });
    const stream = await open();
    clock.advance(9_000);
    await publish({ type: "a" });
    await stream.read();
    clock.advance(9_000);
    await stream.read();
    expect(stream.parser.comments).toEqual([]);
    clock.advance(25_000);
    await stream.read();
    expect(stream.parser.comments).toEqual(["", "", ""]);
    expect(typesOf(stream.parser.events)).toEqual(["a"]);
  });

  test("that the client leaves is a session that ends", async () => {
    const { open, service, settle } = createControl();
    const stream = await open();
    expect(service.sessionCount).toBe(1);
    await stream.leave();
    settle();
    expect(service.sessionCount).toBe(0);
    expect(service.channels.get("c")?.sinks()).toBe(0);
  });
});

describe("what is no event of the channel", () => {
  test("dropped tells how many deliveries the inbox had no room for", async () => {
    const { open, publish } = createControl();
    const stream = await open();
    await stream.read();
    // Nobody reads: the stream takes 64 KiB, the rest waits in an inbox of 65,536 events.
    const batch = Array.from({ length: 4_096 }, () => ({ type: "a" }));
    for (let count = 0; count < 18; count += 1) await publish(...batch);
    const events = await stream.read();
    const dropped = events.filter(({ event }) => event === "dropped").map(({ data }) => JSON.parse(data));
    expect(dropped.length).toBeGreaterThan(0);
    expect(dropped[0]).toMatchObject({ channel: "c", reason: "overflow" });
    const lost = dropped.reduce((sum, { count }) => sum + count, 0);
    expect(events.filter(({ event }) => event === "message").length + lost).toBe(18 * 4_096);
  });

  test("left tells of the end of the channel, behind everything that was published, and ends the stream", async () => {
    const { open, publish, request, service } = createControl();
    const stream = await open();
    await publish({ type: "a" }, { type: "b" });
    await request("/v1/channels/c", { method: "DELETE" });
    const events = await stream.read();
    expect(typesOf(events)).toEqual(["a", "b", "left"]);
    expect(JSON.parse(events[2]?.data ?? "")).toMatchObject({ reason: "channel_deleted" });
    expect(stream.end()).toBe("ended");
    expect(service.sessionCount).toBe(0);
  });

  test("drain tells of the end of the host and when to come back, and ends the stream", async () => {
    const { open, publish, service, request } = createControl({ drainRetryMs: 700 });
    const stream = await open();
    await publish({ type: "a" });
    void service.drain();
    const events = await stream.read();
    expect(typesOf(events).sort()).toEqual(["a", "drain"]);
    expect(stream.parser.retryMs).toBe(700);
    expect(stream.end()).toBe("ended");
    const refused = await request("/v1/channels/c/events");
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ code: "draining" });
  });
});

describe("Last-Event-ID", () => {
  test("an id of ours is gone on from where the channel stores enough, in order and without a gap", async () => {
    const { open, publish, put } = createControl();
    await put({ store: { events: 10 } });
    const first = await open();
    await publish({ type: "a" }, { type: "b" });
    const [a] = await first.read();
    await first.leave();
    await publish({ type: "c" });
    const second = await open("", a?.id);
    expect(second.response.headers.get("sluice-recovered")).toBe("true");
    await publish({ type: "d" });
    expect(typesOf(await second.read())).toEqual(["b", "c", "d"]);
  });

  test("may stand in the query, and the header field goes before it", async () => {
    const { open, publish, put } = createControl();
    await put({ store: { events: 10 } });
    await publish({ type: "a" }, { type: "b" }, { type: "c" });
    const at = (sequence: number) => idFromPosition({ host: "host", epoch: 1, channel: 1, sequence });
    expect(typesOf(await (await open(`?lastEventId=${at(1)}`)).read())).toEqual(["b", "c"]);
    expect(typesOf(await (await open(`?lastEventId=${at(1)}`, at(2))).read())).toEqual(["c"]);
  });

  test("a new client gets what is stored, and can come back to where it began even without an event", async () => {
    const { open, publish, put } = createControl();
    await put({ store: { events: 10 } });
    await publish({ type: "a" });
    expect(typesOf(await (await open()).read())).toEqual(["a"]);
    const late = await open("?replay=false");
    expect(typesOf(await late.read())).toEqual([]);
    const { id } = late.parser;
    await late.leave();
    await publish({ type: "b" });
    const back = await open("?replay=false", id);
    expect(back.response.headers.get("sluice-recovered")).toBe("true");
    expect(typesOf(await back.read())).toEqual(["b"]);
  });

  test("where nothing was missed nothing is, even on a channel that stores nothing", async () => {
    const { open, publish } = createControl();
    const first = await open();
    await publish({ type: "a" });
    const [a] = await first.read();
    const second = await open("", a?.id);
    expect(second.response.headers.get("sluice-recovered")).toBe("true");
    expect(await second.read()).toEqual([]);
  });

  const here = { host: "host", epoch: 1, channel: 1, sequence: 1 };
  test.each([
    { reason: "unknown_position", id: "nonsense" },
    { reason: "unknown_position", id: "\u00e9".repeat(8) },
    { reason: "unknown_position", id: idFromPosition({ ...here, sequence: 4 }) },
    { reason: "other_host", id: idFromPosition({ ...here, host: "other" }) },
    { reason: "restarted", id: idFromPosition({ ...here, epoch: 2 }) },
    { reason: "channel_recreated", id: idFromPosition({ ...here, channel: 2 }) },
    { reason: "evicted", id: idFromPosition({ ...here, sequence: 0 }) },
  ])("$reason is a gap, said first, with what is stored behind it", async ({ reason, id }) => {
    const { open, publish, put } = createControl();
    await put({ store: { events: 2 } });
    await publish({ type: "a" }, { type: "b" }, { type: "c" });
    const stream = await open("", id);
    expect(stream.response.status).toBe(200);
    expect(stream.response.headers.get("sluice-recovered")).toBe("false");
    const events = await stream.read();
    expect(typesOf(events)).toEqual(["gap", "b", "c"]);
    expect(JSON.parse(events[0]?.data ?? "")).toEqual({ reason, lastEventId: id });
    // From the gap's own position there is none any more.
    const again = await open("", events[0]?.id);
    expect(again.response.headers.get("sluice-recovered")).toBe("true");
    expect(typesOf(await again.read())).toEqual(["b", "c"]);
  });

  test("not_stored is a gap where something was missed on a channel that stores nothing", async () => {
    const { open, publish } = createControl();
    const first = await open();
    await publish({ type: "a" });
    const [a] = await first.read();
    await first.leave();
    await publish({ type: "b" });
    const second = await open("", a?.id);
    expect(second.response.headers.get("sluice-recovered")).toBe("false");
    const [gap] = await second.read();
    expect(gap?.event).toBe("gap");
    expect(JSON.parse(gap?.data ?? "")).toEqual({ reason: "not_stored", lastEventId: a?.id });
  });

  test("an id of a channel that was removed is none of its successor's, although its number is", async () => {
    const { open, publish, put, request } = createControl();
    await put({ store: { events: 10 } });
    const first = await open();
    await publish({ type: "a" });
    const [a] = await first.read();
    await request("/v1/channels/c", { method: "DELETE" });
    await put({ store: { events: 10 } });
    await publish({ type: "b" });
    const second = await open("", a?.id);
    const events = await second.read();
    expect(typesOf(events)).toEqual(["gap", "b"]);
    expect(JSON.parse(events[0]?.data ?? "").reason).toBe("channel_recreated");
  });
});

describe("refusals", () => {
  test.each([
    { query: "?nosuch=1", status: 400, code: "unknown_field", value: "query.nosuch" },
    { query: "?types=a", status: 400, code: "unknown_field", value: "query.types" },
    { query: "?format=xml", status: 422, code: "invalid_value", value: "xml" },
    { query: "?replay=yes", status: 422, code: "invalid_value", value: "yes" },
    { query: "?format=native&format=native", status: 422, code: "invalid_value", value: "query.format" },
    { query: "?attr.zone=a&attr.zone=b", status: 422, code: "invalid_value", value: "query.attr.zone" },
    { query: "?attr.Zone=a", status: 422, code: "attribute_name" },
    { query: "?attr.=a", status: 422, code: "attribute_name" },
    {
      query: `?${Array.from({ length: 65 }, (_, n) => `attr.a${n}=1`).join("&")}`,
      status: 422,
      code: "attributes_too_many",
    },
    { query: "?type=", status: 422, code: "invalid_value" },
    { query: `?type=${"t".repeat(257)}`, status: 422, code: "type_too_long" },
    { query: `?${"type=t&".repeat(65)}`, status: 422, code: "limit_reached" },
    { query: "?where=load%20%3C", status: 422, code: "expression" },
    { query: "?ordering=best", status: 422, code: "invalid_value", value: "best" },
  ])("$query is $code", async ({ query, ...problem }) => {
    const { request, service } = createControl();
    const answer = await request(`/v1/channels/c/events${query}`);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(await answer.json()).toMatchObject(problem);
    expect(service.sessionCount).toBe(0);
  });

  test("a channel that is unknown is 404 where none may come into being", async () => {
    const { request } = createControl({ implicitChannels: false });
    const answer = await request("/v1/channels/c/events");
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ code: "channel_unknown" });
  });

  test("more sessions than there may be are refused", async () => {
    const { request, open } = createControl({ connections: 1 });
    await open();
    const answer = await request("/v1/channels/c/events");
    expect(await answer.json()).toMatchObject({ code: "limit_reached", limit: 1 });
  });

  test.each([
    { accept: "text/event-stream", status: 200 },
    { accept: "*/*", status: 200 },
    { accept: "application/json, text/*;q=0.5", status: 200 },
    { accept: "TEXT/Event-Stream; charset=utf-8", status: 200 },
    { accept: "application/json", status: 415 },
    { accept: "text/html", status: 415 },
  ])("Accept: $accept is answered with $status", async ({ accept, status }) => {
    const { request } = createControl();
    const answer = await request("/v1/channels/c/events", { headers: { accept } });
    expect(answer.status).toBe(status);
    await answer.body?.cancel();
  });

  test("HEAD tells the header and opens nothing", async () => {
    const { request, service } = createControl();
    const answer = await request("/v1/channels/c/events", { method: "HEAD" });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("content-type")).toBe("text/event-stream");
    expect(await answer.text()).toBe("");
    expect(service.sessionCount).toBe(0);
  });
});

describe("a client that does not read", () => {
  test("is closed after stallMs, and costs no more than a stream's worth meanwhile", async () => {
    const { open, publish, service, settle, clock } = createControl({ stallMs: 5_000 });
    const stream = await open();
    for (let count = 0; count < 100; count += 1) await publish({ type: "a", data: "x".repeat(10_000) });
    settle();
    expect(service.sessionCount).toBe(1);
    clock.advance(4_000);
    expect(service.sessionCount).toBe(1);
    clock.advance(10_000);
    expect(service.sessionCount).toBe(0);
    await stream.read();
    expect(stream.end()).toBe("broken");
  });
});
