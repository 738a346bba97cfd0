import { describe, expect, test } from "vitest";
import { limits } from "../../../host/limits.ts";
import { TestCarrier } from "../support/carrier.ts";
import { until } from "../support/until.ts";
import { createTestControl, type TestControl } from "./support.ts";

interface Inbox extends TestControl {
  readonly id: string;
  readonly path: string;
  publish(...events: readonly object[]): Promise<void>;
  /** Polls and gives the answer's entries. */
  poll(query?: string): Promise<Entry[]>;
}

interface Entry {
  readonly number: number;
  readonly sequence: number;
  readonly event: { readonly type: string };
}

/** A control plane with an inbox that has joined the channel c. */
async function withInbox(settings: object = {}): Promise<Inbox> {
  const control = createTestControl();
  const { json } = await control.ask("POST", "/v1/inboxes", settings);
  const path = `/v1/inboxes/${json["id"]}`;
  await control.ask("PUT", `${path}/joins/c`);
  return {
    ...control,
    id: json["id"] as string,
    path,
    async publish(...events) {
      expect((await control.ask("POST", "/v1/channels/c/events", events)).status).toBe(200);
    },
    async poll(query = "") {
      return (await control.ask("GET", `${path}/events${query}`)).json["data"] as Entry[];
    },
  };
}

const typed = (count: number): { type: string }[] =>
  Array.from({ length: count }, (_, index) => ({ type: `t${index}` }));

describe("GET /v1/inboxes/{inbox}/events", () => {
  test("gives entries as deliver frames have them, once", async () => {
    const { ask, path, publish } = await withInbox();
    await publish({ type: "a", id: "own", time: "2026-01-01T00:00:00Z", source: "/s", data: { n: 1 } }, { type: 'b"' });
    const { status, headers, json, text } = await ask("GET", `${path}/events`);
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("application/json");
    expect(headers.get("cache-control")).toBe("no-store");
    expect(json).toEqual({
      data: [
        {
          number: 1,
          channel: "c",
          member: "m1",
          sequence: 1,
          epoch: 1,
          attempt: 1,
          event: { id: "own", source: "/s", type: "a", time: "2026-01-01T00:00:00.000Z", data: { n: 1 } },
        },
        {
          number: 2,
          channel: "c",
          member: "m1",
          sequence: 2,
          epoch: 1,
          attempt: 1,
          event: { id: "host-1-1-2", source: expect.any(String), type: 'b"', time: expect.any(String) },
        },
      ],
      next: null,
    });
    expect(text.startsWith('{"data":[{"number":1,"channel":"c","member":"m1","sequence":1,')).toBe(true);
    expect((await ask("GET", `${path}/events`)).text).toBe('{"data":[],"next":null}');
  });

  test("gives at most max, in order, numbered without gaps", async () => {
    const { poll, publish } = await withInbox();
    await publish(...typed(100));
    const all = [...(await poll("?max=1")), ...(await poll("?max=7")), ...(await poll("?max=4096"))];
    expect(all.map(({ event }) => event.type)).toEqual(typed(100).map(({ type }) => type));
    expect(all.map(({ number }) => number)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  });

  test("gives as many as select says where max is absent, and one at a time in single mode", async () => {
    const batch = await withInbox({ select: { events: 5 } });
    await batch.publish(...typed(12));
    expect(await batch.poll()).toHaveLength(5);
    expect(await batch.poll("?max=6")).toHaveLength(6);
    const single = await withInbox({ select: { mode: "single" } });
    await single.publish(...typed(3));
    expect(await single.poll()).toHaveLength(1);
    expect(await single.poll("?max=10")).toHaveLength(1);
  });

  test("ends an answer at select.bytes, or at limits.pollBytes where max is given; the largest event still comes", async () => {
    const { ask, path, poll, publish } = await withInbox({ select: { bytes: 1_000 } });
    const data = "x".repeat(400);
    await publish(...typed(10).map((event) => ({ ...event, data })));
    expect(await poll()).toHaveLength(3);
    expect(await poll("?max=10")).toHaveLength(7);
    const large = "y".repeat(limits.eventBytes - 1_000);
    for (let count = 0; count < 3; count++) await ask("POST", "/v1/channels/c/events", { type: "large", data: large });
    expect(await poll("?max=10")).toHaveLength(2);
    expect(await poll()).toHaveLength(1);
    expect((await ask("GET", path)).json["depth"]).toEqual({ events: 0, bytes: 0 });
  });

  test("does not give what is late, and tells of it", async () => {
    const { ask, path, publish, clock } = await withInbox();
    await ask("PUT", "/v1/channels/c", { delivery: { late: "drop" } });
    await publish({ type: "short", ttlMs: 50 }, { type: "long", ttlMs: 5_000 }, { type: "short", ttlMs: 50 });
    clock.advance(51);
    const { json } = await ask("GET", `${path}/events?max=3`);
    expect(json["data"]).toMatchObject([{ number: 1, sequence: 2, event: { type: "long" } }]);
    const more = (await ask("GET", `${path}/events`)).json["dropped"] ?? [];
    const dropped = [...((json["dropped"] ?? []) as object[]), ...(more as object[])] as { count: number }[];
    expect(dropped.reduce((sum, { count }) => sum + count, 0)).toBe(2);
    expect(dropped).toContainEqual({ channel: "c", reason: "late", count: expect.any(Number) });
  });

  test.each([
    ["max=0", 422, "invalid_value"],
    ["max=4097", 422, "invalid_value"],
    ["max=1e3", 422, "invalid_value"],
    ["max=-1", 422, "invalid_value"],
    ["waitMs=60001", 422, "invalid_value"],
    ["waitMs=1.5", 422, "invalid_value"],
    ["max=1&max=2", 422, "invalid_value"],
    ["wait=1", 400, "unknown_field"],
  ])("refuses ?%s with %i %s, and takes nothing", async (query, status, code) => {
    const { ask, path, publish, poll } = await withInbox();
    await publish({ type: "a" });
    const { json } = await ask("GET", `${path}/events?${query}`);
    expect(json).toMatchObject({ status, code });
    expect(await poll()).toHaveLength(1);
  });

  test("HEAD takes nothing", async () => {
    const { ask, path, publish, poll } = await withInbox();
    await publish({ type: "a" });
    const head = await ask("HEAD", `${path}/events?waitMs=1000`);
    expect([head.status, head.text]).toEqual([200, ""]);
    expect(await poll()).toHaveLength(1);
  });

  test("numbers go on over a restart of the core, and joins are made again", async () => {
    const { service, publish, poll, settle } = await withInbox();
    await publish(...typed(2));
    expect(await poll()).toHaveLength(2);
    await publish({ type: "lost" });
    service.fault(new WebAssembly.RuntimeError("unreachable"), undefined);
    settle();
    await publish({ type: "new" });
    expect(await poll()).toMatchObject([{ number: 3, sequence: 1, epoch: 2, event: { type: "new" } }]);
  });

  test("an inbox that overflows by the policy disconnect is gone, and whoever polls is told once", async () => {
    const { ask, path, publish } = await withInbox({ overflow: "disconnect", capacityEvents: 2 });
    await publish(...typed(3));
    const told = await ask("GET", `${path}/events`);
    const left = told.status === 200 ? await ask("GET", `${path}/events`) : told;
    expect(left.json).toMatchObject({ status: 503, code: "disconnect" });
    expect((await ask("GET", `${path}/events`)).json).toMatchObject({ code: "inbox_unknown" });
  });

  test("reject tells the publisher, block holds it back until there was a poll", async () => {
    const reject = await withInbox({ overflow: "reject", capacityEvents: 1 });
    await reject.publish({ type: "a" });
    expect((await reject.ask("POST", "/v1/channels/c/events", { type: "b" })).json).toMatchObject({
      status: 429,
      code: "mailbox_full",
    });
    const block = await withInbox({ overflow: "block", capacityEvents: 4 });
    await block.publish(...typed(8));
    const got: string[] = [];
    for (let polls = 0; polls < 8 && got.length < 8; polls++)
      got.push(...(await block.poll("?max=2")).map(({ event }) => event.type));
    expect(got).toEqual(typed(8).map(({ type }) => type));
  });
});

describe("waitMs", () => {
  test("waits for the first event, and gives what is there at the end of that turn", async () => {
    const { ask, path, publish, settle } = await withInbox();
    const waiting = ask("GET", `${path}/events?waitMs=60000`);
    await publish(...typed(3));
    settle();
    expect((await waiting).json["data"]).toHaveLength(3);
  });

  test("answers at once where something is there", async () => {
    const { poll, publish } = await withInbox();
    await publish({ type: "a" });
    expect(await poll("?waitMs=60000")).toHaveLength(1);
  });

  test("answers with nothing when the time is over, on the real clock", async () => {
    const { ask, path, clock } = await withInbox();
    const waiting = ask("GET", `${path}/events?waitMs=1000`);
    await Promise.resolve();
    clock.advance(1_000);
    const { status, text } = await waiting;
    expect([status, text]).toEqual([200, '{"data":[],"next":null}']);
  });

  test("serves polls that wait in their order, each its own share", async () => {
    const { ask, path, publish, settle } = await withInbox();
    const waiting = [1, 2, 3].map((max) => ask("GET", `${path}/events?waitMs=60000&max=${max}`));
    await Promise.resolve();
    await publish(...typed(4));
    settle();
    const answers = await Promise.all(waiting.map(async (answer) => (await answer).json["data"] as Entry[]));
    expect(answers.map((entries) => entries.map(({ number }) => number))).toEqual([[1], [2, 3], [4]]);
  });

  test("a held inbox lets polls wait until it is released", async () => {
    const { ask, path, publish, settle } = await withInbox({ held: true });
    const waiting = ask("GET", `${path}/events?waitMs=60000`);
    await publish({ type: "a" });
    settle();
    await ask("PATCH", path, { held: false });
    settle();
    expect((await waiting).json["data"]).toHaveLength(1);
  });

  test("refuses more polls than may wait at one inbox", async () => {
    const { ask, path, clock } = await withInbox();
    const waiting = Array.from({ length: limits.inboxPolls }, () => ask("GET", `${path}/events?waitMs=1000`));
    await Promise.resolve();
    const refused = await ask("GET", `${path}/events?waitMs=1000`);
    expect(refused.json).toMatchObject({ status: 429, code: "rate_limited", limit: limits.inboxPolls });
    expect(refused.headers.get("retry-after")).not.toBeNull();
    clock.advance(1_000);
    for (const answer of waiting) expect((await answer).status).toBe(200);
  });

  test("a poll whose client is gone takes nothing", async () => {
    const { id, service, publish, poll, settle } = await withInbox();
    const gone = new AbortController();
    const waiting = service.inboxes.poll(id, { eventsMax: 5, waitMs: 60_000, signal: gone.signal });
    gone.abort();
    await publish({ type: "a" });
    settle();
    expect(await waiting).toEqual({ entries: [], dropped: [] });
    expect(await service.inboxes.poll(id, { eventsMax: 5, waitMs: 0, signal: gone.signal })).toMatchObject({
      entries: [],
    });
    expect(await poll()).toHaveLength(1);
  });

  test("a host that goes down answers what waits, and lets nobody wait any more", async () => {
    const { ask, path, service, publish, poll, clock, settle } = await withInbox();
    // Its goodbye is not taken, so the host goes on draining.
    const slow = new TestCarrier(service);
    slow.takes = false;
    const waiting = ask("GET", `${path}/events?waitMs=60000`);
    await Promise.resolve();
    const drained = service.drain();
    expect((await waiting).text).toBe('{"data":[],"next":null}');
    await expect(publish({ type: "a" })).rejects.toThrow();
    settle();
    expect(await poll("?waitMs=60000")).toEqual([]);
    let over = false;
    void drained.then(() => {
      over = true;
    });
    await until(
      () => {
        clock.advance(100);
        return over;
      },
      () => "the end of the drain",
    );
    expect((await ask("GET", path)).status).toBe(404);
  });
});

describe("polls as CloudEvents", () => {
  test("application/cloudevents-batch+json: an array, perhaps empty", async () => {
    const { ask, path, publish } = await withInbox();
    const accept = { accept: "application/cloudevents-batch+json" };
    await publish({ type: "a", data: { n: 1 } }, { type: "b" });
    const { status, headers, text } = await ask("GET", `${path}/events`, undefined, accept);
    expect([status, headers.get("content-type")]).toEqual([200, "application/cloudevents-batch+json"]);
    expect(JSON.parse(text)).toMatchObject([
      { specversion: "1.0", id: "host-1-1-1", type: "a", data: { n: 1 } },
      { specversion: "1.0", id: "host-1-1-2", type: "b" },
    ]);
    expect((await ask("GET", `${path}/events`, undefined, accept)).text).toBe("[]");
  });

  test("application/cloudevents+json and application/cloudevents: one event each, or 204", async () => {
    const { ask, path, publish } = await withInbox();
    await publish({ type: "a", id: "1", data: { n: 1 } }, { type: "b", id: "2", data: { n: 2 } });
    const structured = await ask("GET", `${path}/events?max=10`, undefined, { accept: "application/cloudevents+json" });
    expect(structured.json).toMatchObject({ specversion: "1.0", id: "1", type: "a", data: { n: 1 } });
    const binary = await ask("GET", `${path}/events`, undefined, { accept: "application/cloudevents" });
    expect([binary.headers.get("ce-id"), binary.headers.get("ce-type"), binary.text]).toEqual(["2", "b", '{"n":2}']);
    for (const accept of ["application/cloudevents+json", "application/cloudevents"]) {
      expect((await ask("GET", `${path}/events`, undefined, { accept })).status).toBe(204);
    }
  });

  test("tell of drops in a header", async () => {
    const { ask, path, publish } = await withInbox({ capacityEvents: 1 });
    await publish(...typed(3));
    const { headers } = await ask("GET", `${path}/events`, undefined, { accept: "application/cloudevents-batch+json" });
    expect(headers.get("sluice-dropped")).toBe("2");
  });
});
