import { describe, expect, test } from "vitest";
import { limits } from "../../../host/limits.ts";
import { defaultInbox } from "../../../host/session/inbox.ts";
import { TestCarrier } from "../support/carrier.ts";
import { createTestControl, type TestControl } from "./support.ts";

const shown = {
  kind: "http",
  ordering: "fifo",
  capacityEvents: 65_536,
  capacityBytes: 16_777_216,
  overflow: "drop-oldest",
  select: { mode: "batch", events: 64, bytes: 65_536, delayMs: 0 },
  late: "channel",
  stallMark: 0.5,
  releaseMark: 0.25,
  serviceMs: null,
  ack: "none",
  redeliverMs: 30_000,
  attempts: 5,
  deadLetter: null,
  idleMs: 300_000,
  held: false,
  depth: { events: 0, bytes: 0 },
  unacknowledged: 0,
  polls: 0,
};

async function open(control: TestControl, settings: object = {}): Promise<string> {
  const { status, json } = await control.ask("POST", "/v1/inboxes", settings);
  expect(status).toBe(201);
  return json["id"] as string;
}

describe("POST /v1/inboxes", () => {
  test("makes an inbox of defaults from an empty body, with 201, Location and an id that cannot be guessed", async () => {
    const { ask } = createTestControl();
    const { status, headers, json } = await ask("POST", "/v1/inboxes");
    expect(status).toBe(201);
    expect(json).toEqual({ ...shown, id: json["id"], history: null, joins: [] });
    expect(json["id"]).toMatch(/^i[a-z0-9]{28}$/);
    expect(headers.get("location")).toBe(`/v1/inboxes/${json["id"]}`);
    const again = await ask("GET", headers.get("location") ?? "");
    expect(again.json).toEqual(json);
    expect(again.headers.get("etag")).toBe(headers.get("etag"));
    expect((await ask("POST", "/v1/inboxes")).json["id"]).not.toBe(json["id"]);
  });

  test("takes what an inbox can be, null for the default", async () => {
    const { ask } = createTestControl();
    const settings = {
      capacityEvents: 10,
      capacityBytes: 1_000,
      overflow: "reject",
      select: { mode: "single" },
      idleMs: 1_000,
      held: true,
      ordering: "priority+deadline",
      late: "divert",
      stallMark: 0.9,
      releaseMark: 0.1,
      ack: "none",
      serviceMs: null,
    };
    const { status, json } = await ask("POST", "/v1/inboxes", settings);
    expect(status).toBe(201);
    expect(json).toMatchObject({ ...settings, select: { mode: "single", events: 64, bytes: 65_536, delayMs: 0 } });
  });

  test.each([
    [{ odering: "fifo" }, 400, "unknown_field", "odering"],
    [{ select: { evnts: 1 } }, 400, "unknown_field", "select.evnts"],
    [{ capacityEvents: 0 }, 422, "invalid_value", 0],
    [{ capacityBytes: 2 ** 40 }, 422, "invalid_value", 2 ** 40],
    [{ select: { events: 100_000 } }, 422, "invalid_value", 100_000],
    [{ idleMs: 0 }, 422, "invalid_value", 0],
    [{ idleMs: limits.inboxIdleMsMax + 1 }, 422, "invalid_value", limits.inboxIdleMsMax + 1],
    [{ held: "yes" }, 422, "invalid_value", "yes"],
    [[], 422, "invalid_value", undefined],
  ])("refuses %j with %i %s", async (settings, status, code, value) => {
    const { ask, service } = createTestControl();
    const { json } = await ask("POST", "/v1/inboxes", settings);
    expect(json).toMatchObject({ status, code });
    if (value !== undefined) expect(json["value"]).toEqual(value);
    expect(service.inboxes.count).toBe(0);
  });

  test("refuses one more than limits.inboxes, and counts them for /metrics", async () => {
    const { service } = createTestControl();
    const settings = service.inboxes;
    const one = { ...defaultInbox, idleMs: 1_000 };
    for (let count = 0; count < limits.inboxes; count++) settings.open(one);
    expect(() => settings.open(one)).toThrowError(
      expect.objectContaining({ code: "limit_reached", limit: limits.inboxes }),
    );
    expect(service.statistics()["inboxes"]).toBe(limits.inboxes);
  });
});

describe("GET /v1/inboxes", () => {
  test("pages through those that are polled and those of sockets", async () => {
    const control = createTestControl();
    const ids = [await open(control), await open(control), await open(control)].sort();
    const socket = new TestCarrier(control.service);
    socket.join("c");
    const first = await control.ask("GET", "/v1/inboxes?limit=2");
    expect((first.json["data"] as { id: string }[]).map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect((first.json["data"] as object[])[0]).toEqual({ ...shown, id: ids[0] });
    const second = await control.ask("GET", `/v1/inboxes?limit=2&cursor=${first.json["next"]}`);
    expect(second.json).toMatchObject({ data: [{ id: ids[2] }, { kind: "stream", idleMs: null }], next: null });
  });

  test("refuses a cursor that was changed", async () => {
    const { ask } = createTestControl();
    expect((await ask("GET", "/v1/inboxes?cursor=aGVsbG8")).json).toMatchObject({
      code: "invalid_value",
      value: "aGVsbG8",
    });
  });
});

describe("GET /v1/inboxes/{inbox}", () => {
  test("tells what waits, and what was joined", async () => {
    const control = createTestControl();
    const id = await open(control);
    await control.ask("PUT", `/v1/inboxes/${id}/joins/c`, { types: ["a"], attributes: { zone: "eu" } });
    await control.ask("POST", "/v1/channels/c/events", [{ type: "a" }, { type: "b" }, { type: "a" }]);
    const { json } = await control.ask("GET", `/v1/inboxes/${id}`);
    expect(json["depth"]).toEqual({ events: 2, bytes: expect.any(Number) });
    expect(json["joins"]).toEqual([
      { channel: "c", member: "m1", role: "sink", types: ["a"], attributes: { zone: "eu" } },
    ]);
  });

  test("answers 304 while the settings are the same, whatever waits", async () => {
    const control = createTestControl();
    const id = await open(control);
    const etag = (await control.ask("GET", `/v1/inboxes/${id}`)).headers.get("etag") ?? "";
    await control.ask("PUT", `/v1/inboxes/${id}/joins/c`);
    await control.ask("POST", "/v1/channels/c/events", { type: "a" });
    const unchanged = await control.ask("GET", `/v1/inboxes/${id}`, undefined, { "if-none-match": etag });
    expect([unchanged.status, unchanged.text]).toEqual([304, ""]);
  });

  test.each(["i0", "s0", "s99", "S1", "s1x", "..%2Fchannels", "s9999999999999999"])(
    "knows nothing of %s",
    async (id) => {
      const { ask, service } = createTestControl();
      new TestCarrier(service);
      expect((await ask("GET", `/v1/inboxes/${id}`)).json).toMatchObject({ status: 404, code: "inbox_unknown" });
    },
  );
});

describe("PATCH /v1/inboxes/{inbox}", () => {
  test("merges: what is absent stays, null gives the default back", async () => {
    const control = createTestControl();
    const id = await open(control, { capacityEvents: 7, select: { events: 3 }, idleMs: 5_000 });
    const one = await control.ask("PATCH", `/v1/inboxes/${id}`, {
      select: { mode: "single" },
      overflow: "drop-newest",
    });
    expect(one.status).toBe(200);
    expect(one.json).toMatchObject({
      capacityEvents: 7,
      overflow: "drop-newest",
      select: { mode: "single", events: 3 },
      idleMs: 5_000,
    });
    const two = await control.ask("PATCH", `/v1/inboxes/${id}`, { select: { mode: "batch" }, capacityEvents: null });
    expect(two.json).toMatchObject({ capacityEvents: 65_536, select: { mode: "batch", events: 3 } });
  });

  test("takes back what GET shows, and the tag stays", async () => {
    const control = createTestControl();
    const id = await open(control, { capacityEvents: 7, held: true });
    const before = await control.ask("GET", `/v1/inboxes/${id}`);
    const after = await control.ask("PATCH", `/v1/inboxes/${id}`, before.json);
    expect([after.status, after.json]).toEqual([200, before.json]);
    expect(after.headers.get("etag")).toBe(before.headers.get("etag"));
  });

  test("changes nothing where If-Match does not hold", async () => {
    const control = createTestControl();
    const id = await open(control);
    const refused = await control.ask("PATCH", `/v1/inboxes/${id}`, { held: true }, { "if-match": '"other"' });
    expect(refused.json).toMatchObject({ status: 412, code: "precondition_failed" });
    expect((await control.ask("GET", `/v1/inboxes/${id}`)).json["held"]).toBe(false);
  });

  test("a smaller capacity drops the oldest, and the next poll tells so", async () => {
    const control = createTestControl();
    const id = await open(control);
    await control.ask("PUT", `/v1/inboxes/${id}/joins/c`);
    await control.ask(
      "POST",
      "/v1/channels/c/events",
      ["1", "2", "3"].map((type) => ({ type })),
    );
    await control.ask("PATCH", `/v1/inboxes/${id}`, { capacityEvents: 1 });
    const { json } = await control.ask("GET", `/v1/inboxes/${id}/events`);
    expect(json["data"]).toMatchObject([{ number: 1, sequence: 3, event: { type: "3" } }]);
    expect(json["dropped"]).toEqual([{ channel: "c", reason: "overflow", count: 2 }]);
    expect((await control.ask("GET", `/v1/inboxes/${id}/events`)).text).toBe('{"data":[],"next":null}');
  });
});

describe("held", () => {
  test("holds an inbox that is polled, and lets it go", async () => {
    const control = createTestControl();
    const id = await open(control);
    await control.ask("PUT", `/v1/inboxes/${id}/joins/c`);
    await control.ask("PATCH", `/v1/inboxes/${id}`, { held: true });
    await control.ask("POST", "/v1/channels/c/events", { type: "a" });
    expect((await control.ask("GET", `/v1/inboxes/${id}/events`)).json["data"]).toEqual([]);
    expect((await control.ask("GET", `/v1/inboxes/${id}`)).json["depth"]).toMatchObject({ events: 1 });
    await control.ask("PATCH", `/v1/inboxes/${id}`, { held: false });
    expect((await control.ask("GET", `/v1/inboxes/${id}/events`)).json["data"]).toHaveLength(1);
  });

  test("of a socket: deliveries wait, answers pass, all of it comes after the release", async () => {
    const { ask, service, settle } = createTestControl();
    const socket = new TestCarrier(service);
    socket.join("c");
    settle();
    expect((await ask("PATCH", "/v1/inboxes/s1", { held: true })).json).toMatchObject({
      id: "s1",
      kind: "stream",
      held: true,
      joins: [{ channel: "c", member: "m1", role: "sink" }],
    });
    socket.publish("c", 3);
    socket.send({ kind: { case: "ping", value: {} } });
    settle();
    expect(socket.delivered()).toBe(0);
    expect(socket.frames().at(-1)?.case).toBe("pong");
    expect((await ask("GET", "/v1/inboxes/s1")).json["depth"]).toMatchObject({ events: 3 });
    expect((await ask("PATCH", "/v1/inboxes/s1", { held: false })).json["held"]).toBe(false);
    settle();
    expect(socket.delivered()).toBe(3);
  });

  test("by an operator is not undone by the session", async () => {
    const { ask, service, settle } = createTestControl();
    const socket = new TestCarrier(service);
    socket.join("c");
    await ask("PATCH", "/v1/inboxes/s1", { held: true });
    socket.send({ kind: { case: "inbox", value: { held: false, capacityEvents: 10n } } });
    socket.publish("c", 1);
    settle();
    expect(socket.delivered()).toBe(0);
    expect((await ask("GET", "/v1/inboxes/s1")).json).toMatchObject({ held: true, capacityEvents: 10 });
  });

  test("by the session is undone by an operator", async () => {
    const { ask, service, settle } = createTestControl();
    const socket = new TestCarrier(service);
    socket.join("c");
    socket.send({ kind: { case: "inbox", value: { held: true } } });
    socket.publish("c", 1);
    settle();
    expect((await ask("GET", "/v1/inboxes/s1")).json["held"]).toBe(true);
    await ask("PATCH", "/v1/inboxes/s1", { held: false });
    settle();
    expect(socket.delivered()).toBe(1);
  });

  test("a session that ends says goodbye although it is held", async () => {
    const { ask, service, settle } = createTestControl();
    const socket = new TestCarrier(service);
    socket.join("c");
    settle();
    await ask("PATCH", "/v1/inboxes/s1", { held: true });
    socket.publish("c", 1);
    socket.connection.ended();
    settle();
    expect(socket.ended).toBe(true);
    expect((await ask("GET", "/v1/inboxes/s1")).status).toBe(404);
  });
});

describe("inboxes of sockets", () => {
  test("take other settings of an operator, but no idleMs", async () => {
    const { ask, service } = createTestControl();
    new TestCarrier(service);
    const patched = await ask("PATCH", "/v1/inboxes/s1", { capacityEvents: 5, overflow: "drop-newest" });
    expect(patched.json).toMatchObject({ capacityEvents: 5, overflow: "drop-newest", idleMs: null });
    const refused = await ask("PATCH", "/v1/inboxes/s1", { idleMs: 1_000 });
    expect(refused.json).toMatchObject({ code: "not_supported", value: "idleMs" });
  });

  test("are neither deleted, joined nor polled", async () => {
    const { ask, service } = createTestControl();
    new TestCarrier(service);
    const deleted = await ask("DELETE", "/v1/inboxes/s1");
    expect(deleted.json).toMatchObject({ status: 405, code: "method_not_allowed" });
    expect(deleted.headers.get("allow")).toBe("GET, HEAD, OPTIONS, PATCH");
    for (const [method, path] of [
      ["PUT", "joins/c"],
      ["DELETE", "joins/c"],
      ["GET", "events"],
      ["POST", "acks"],
    ] as const) {
      const { json } = await ask(method, `/v1/inboxes/s1/${path}`, method === "GET" ? undefined : {});
      expect(json).toMatchObject({ status: 404, code: "not_found", value: "s1" });
    }
    expect(service.sessionCount).toBe(1);
  });
});

describe("DELETE /v1/inboxes/{inbox}", () => {
  test("ends it: its members are gone, what waited is discarded", async () => {
    const control = createTestControl();
    const id = await open(control);
    await control.ask("PUT", `/v1/inboxes/${id}/joins/c`);
    await control.ask("POST", "/v1/channels/c/events", { type: "a" });
    expect((await control.ask("DELETE", `/v1/inboxes/${id}`)).status).toBe(204);
    expect((await control.ask("GET", "/v1/channels/c")).json["sinks"]).toBe(0);
    expect((await control.ask("DELETE", `/v1/inboxes/${id}`)).json).toMatchObject({ code: "inbox_unknown" });
    expect(control.service.statistics()).toMatchObject({ inboxes: 0, droppedLeftTotal: 1 });
  });

  test("refuses polls that wait at it", async () => {
    const control = createTestControl();
    const id = await open(control);
    const waiting = control.ask("GET", `/v1/inboxes/${id}/events?waitMs=1000`);
    await control.ask("DELETE", `/v1/inboxes/${id}`);
    expect((await waiting).json).toMatchObject({ status: 404, code: "inbox_unknown" });
  });
});

describe("idleMs", () => {
  test("closes an inbox that nobody uses, on the service clock; a poll, a join or a patch is a use, a look is none", async () => {
    const control = createTestControl();
    const id = await open(control, { idleMs: 1_000 });
    const uses = [
      () => control.ask("GET", `/v1/inboxes/${id}/events`),
      () => control.ask("PUT", `/v1/inboxes/${id}/joins/c`),
      () => control.ask("PATCH", `/v1/inboxes/${id}`, {}),
      () => control.ask("DELETE", `/v1/inboxes/${id}/joins/c`),
    ];
    for (const use of uses) {
      control.clock.advance(999);
      expect((await use()).status).toBeLessThan(300);
    }
    control.clock.advance(999);
    expect((await control.ask("GET", `/v1/inboxes/${id}`)).status).toBe(200);
    control.clock.advance(1);
    expect((await control.ask("GET", `/v1/inboxes/${id}`)).json).toMatchObject({ code: "inbox_unknown" });
    expect(control.service.inboxes.count).toBe(0);
    expect(control.service.statistics()["members"]).toBe(0);
  });

  test("a poll that waits keeps it", async () => {
    const control = createTestControl();
    const id = await open(control, { idleMs: 1_000 });
    const waiting = control.ask("GET", `/v1/inboxes/${id}/events?waitMs=5000`);
    await Promise.resolve();
    control.clock.advance(4_999);
    expect(control.service.inboxes.count).toBe(1);
    control.clock.advance(1);
    expect((await waiting).status).toBe(200);
    control.clock.advance(1_000);
    expect(control.service.inboxes.count).toBe(0);
  });

  test("a new idleMs counts from the patch", async () => {
    const control = createTestControl();
    const id = await open(control, { idleMs: 10_000 });
    control.clock.advance(9_000);
    await control.ask("PATCH", `/v1/inboxes/${id}`, { idleMs: 500 });
    control.clock.advance(499);
    expect(control.service.inboxes.count).toBe(1);
    control.clock.advance(1);
    expect(control.service.inboxes.count).toBe(0);
    expect(control.clock.waiting).toBe(0);
  });
});
