import { describe, expect, test } from "vitest";
import { createTestControl, type TestControl } from "./support.ts";

interface Entry {
  readonly number: number;
  readonly attempt: number;
  readonly sequence: number;
  readonly event: { readonly type: string; readonly id: string; readonly attributes?: Record<string, unknown> };
}

interface Inbox extends TestControl {
  readonly path: string;
  publish(...types: string[]): Promise<void>;
  /** Polls: `number/attempt type`. */
  poll(query?: string): Promise<string[]>;
  entries(path?: string): Promise<Entry[]>;
  ack(body: object): Promise<number>;
  advance(ms: number): void;
}

/** An inbox that acknowledges, joined to c. */
async function acked(settings: object = {}): Promise<Inbox> {
  const control = createTestControl();
  const { json } = await control.ask("POST", "/v1/inboxes", { ack: "explicit", redeliverMs: 1_000, ...settings });
  const path = `/v1/inboxes/${json["id"]}`;
  await control.ask("PUT", `${path}/joins/c`);
  const entries = async (of = `${path}/events`) => (await control.ask("GET", of)).json["data"] as Entry[];
  return {
    ...control,
    path,
    entries,
    async publish(...types) {
      const events = types.map((type) => ({ type }));
      expect((await control.ask("POST", "/v1/channels/c/events", events)).status).toBe(200);
    },
    async poll(query = "") {
      return (await entries(`${path}/events${query}`)).map(
        ({ number, attempt, event }) => `${number}/${attempt} ${event.type}`,
      );
    },
    async ack(body) {
      return (await control.ask("POST", `${path}/acks`, body)).status;
    },
    advance(ms) {
      control.clock.advance(ms);
      control.settle();
    },
  };
}

describe("an inbox with ack: explicit", () => {
  test("delivers again what was not acknowledged, with its number and the attempt", async () => {
    const { publish, poll, ack, advance } = await acked();
    await publish("a", "b", "c");
    expect(await poll()).toEqual(["1/1 a", "2/1 b", "3/1 c"]);
    expect(await poll()).toEqual([]);
    expect(await ack({ numbers: [2] })).toBe(204);
    advance(999);
    expect(await poll()).toEqual([]);
    advance(1);
    await publish("d");
    expect(await poll("?max=1")).toEqual(["1/2 a"]);
    expect(await poll()).toEqual(["3/2 c", "4/1 d"]);
    expect(await ack({ through: 4 })).toBe(204);
    advance(200_000);
    expect(await poll()).toEqual([]);
  });

  test("is shown with its settings and how much waits for an acknowledgement", async () => {
    const { ask, path, publish, poll, ack } = await acked({ attempts: 7, deadLetter: "dead" });
    await publish("a", "b");
    await poll("?max=1");
    expect((await ask("GET", path)).json).toMatchObject({
      ack: "explicit",
      redeliverMs: 1_000,
      attempts: 7,
      deadLetter: "dead",
      depth: { events: 1 },
      unacknowledged: 1,
    });
    await ack({ numbers: [1] });
    expect((await ask("GET", path)).json).toMatchObject({ unacknowledged: 0 });
  });

  test("a poll that waits is answered by what is to be delivered again", async () => {
    const { ask, path, publish, poll, advance } = await acked();
    await publish("a");
    await poll();
    const waiting = ask("GET", `${path}/events?waitMs=60000`);
    advance(1_000);
    expect((await waiting).json["data"]).toMatchObject([{ number: 1, attempt: 2 }]);
  });

  test("an answer that is lost loses nothing", async () => {
    const { app, path, publish, poll, advance } = await acked();
    await publish("a", "b");
    // The client asks and is gone before it reads the answer.
    await (await app.request(`${path}/events`)).body?.cancel();
    advance(1_000);
    expect(await poll()).toEqual(["1/2 a", "2/2 b"]);
  });

  test("acknowledging twice, and what was given up, does no harm; what was never delivered is refused whole", async () => {
    const { ask, path, publish, poll, ack, advance } = await acked({ attempts: 1 });
    await publish("a", "b");
    await poll("?max=1");
    expect(await ack({ numbers: [1] })).toBe(204);
    expect(await ack({ numbers: [1, 1], through: 1 })).toBe(204);
    expect((await ask("POST", `${path}/acks`, { numbers: [1, 2] })).json).toMatchObject({
      status: 422,
      code: "ack_unknown",
      value: 2,
      limit: 1,
    });
    expect((await ask("POST", `${path}/acks`, { numbers: [0] })).json).toMatchObject({ code: "ack_unknown", value: 0 });
    expect((await ask("POST", `${path}/acks`, { through: 9 })).json).toMatchObject({ code: "ack_unknown", value: 9 });
    await poll();
    advance(1_000);
    expect(await ack({ through: 2 })).toBe(204);
  });

  test.each([
    [{}, 422, "invalid_value"],
    [{ nubmers: [1] }, 400, "unknown_field"],
    [{ numbers: [-1] }, 422, "invalid_value"],
    [{ numbers: [1.5] }, 422, "invalid_value"],
    [{ numbers: "1" }, 422, "invalid_value"],
    [{ through: 2 ** 53 }, 422, "invalid_value"],
  ])("POST …/acks refuses %j with %i %s", async (body, status, code) => {
    const { ask, path } = await acked();
    expect((await ask("POST", `${path}/acks`, body)).json).toMatchObject({ status, code });
  });

  test("POST …/acks is 404 for an inbox that is gone, and harmless for one without acknowledgements", async () => {
    const { ask, path } = await acked();
    expect((await ask("POST", "/v1/inboxes/i0/acks", { numbers: [1] })).json).toMatchObject({ code: "inbox_unknown" });
    await ask("DELETE", path);
    expect((await ask("POST", `${path}/acks`, { numbers: [1] })).json).toMatchObject({ code: "inbox_unknown" });
    const plain = await acked({ ack: "none" });
    await plain.publish("a");
    await plain.poll();
    expect(await plain.ack({ numbers: [1] })).toBe(204);
    expect((await plain.ask("POST", `${plain.path}/acks`, { numbers: [2] })).json).toMatchObject({
      code: "ack_unknown",
    });
  });

  test.each([
    [{ redeliverMs: 0 }, "redeliverMs"],
    [{ redeliverMs: -1 }, "redeliverMs"],
    [{ redeliverMs: 604_800_001 }, "redeliverMs"],
    [{ redeliverMs: 1.5 }, "redeliverMs"],
    [{ attempts: 0 }, "attempts"],
    [{ attempts: -1 }, "attempts"],
    [{ attempts: 101 }, "attempts"],
    [{ attempts: 1e300 }, "attempts"],
    [{ ack: "maybe" }, "ack"],
    [{ deadLetter: "not a name" }, "deadLetter"],
  ])("refuses %j", async (settings, field) => {
    const { ask, service } = createTestControl();
    const { status, json } = await ask("POST", "/v1/inboxes", { ack: "explicit", ...settings });
    expect(status).toBe(422);
    expect(json["detail"]).toContain(field);
    expect(service.inboxes.count).toBe(0);
  });

  test("refuses a dead-letter channel that is not there where channels do not make themselves", async () => {
    const { ask } = createTestControl({}, { implicitChannels: false });
    const settings = { ack: "explicit", deadLetter: "dead" };
    expect((await ask("POST", "/v1/inboxes", settings)).json).toMatchObject({ status: 404, code: "channel_unknown" });
    await ask("PUT", "/v1/channels/dead", {});
    expect((await ask("POST", "/v1/inboxes", settings)).status).toBe(201);
  });
});

describe("after the last attempt", () => {
  test("an event goes to the dead-letter channel as it was, with the reason and where it comes from", async () => {
    const { ask, path, poll, entries, advance, settle } = await acked({ attempts: 2, deadLetter: "dead" });
    const dead = (await ask("POST", "/v1/inboxes", {})).json["id"];
    await ask("PUT", `/v1/inboxes/${dead}/joins/dead`);
    const event = {
      type: "t",
      id: "own",
      source: "/s",
      key: "k",
      priority: 7,
      attributes: { load: 0.5 },
      data: { n: 1 },
    };
    await ask("POST", "/v1/channels/c/events", [{ ...event, ttlMs: 10 }, { type: "plain" }]);
    expect(await poll()).toEqual(["1/1 t", "2/1 plain"]);
    advance(1_000);
    expect(await poll()).toEqual(["1/2 t", "2/2 plain"]);
    advance(2_000);
    settle();
    expect(await poll()).toEqual([]);
    expect((await ask("GET", path)).json).toMatchObject({ unacknowledged: 0 });
    const letters = await entries(`/v1/inboxes/${dead}/events`);
    const marks = { dead_reason: "attempts", dead_channel: "c", dead_attempts: 2, dead_epoch: 1 };
    expect(letters).toMatchObject([
      { channel: "dead", event: { ...event, attributes: { load: 0.5, ...marks, dead_sequence: 1 } } },
      { channel: "dead", event: { type: "plain", id: "host-1-1-2", attributes: { ...marks, dead_sequence: 2 } } },
    ]);
    expect(letters[0]?.event).not.toHaveProperty("deliverBy");
    expect((await ask("GET", "/v1/stats")).json).toMatchObject({});
  });

  test("without one it is dropped, counted and told", async () => {
    const { ask, path, publish, poll, advance, service } = await acked({ attempts: 1 });
    await publish("a", "b");
    await poll();
    advance(1_000);
    expect((await ask("GET", `${path}/events`)).json).toEqual({
      data: [],
      next: null,
      dropped: [{ channel: "c", reason: "attempts", count: 2 }],
    });
    expect(service.statistics()).toMatchObject({ droppedAttemptsTotal: 2, deadLettersTotal: 0 });
  });

  test("what was a dead letter before does not go round in circles", async () => {
    const { ask, path, publish, poll, advance } = await acked({ attempts: 1, deadLetter: "c" });
    await publish("a");
    expect(await poll()).toEqual(["1/1 a"]);
    advance(1_000);
    expect(await poll()).toEqual(["2/1 a"]);
    advance(1_000);
    expect((await ask("GET", `${path}/events`)).json).toEqual({
      data: [],
      next: null,
      dropped: [{ channel: "c", reason: "attempts", count: 1 }],
    });
  });

  test("a dead letter that its channel does not take is dropped and told", async () => {
    const { ask, path, publish, poll, advance } = await acked({ attempts: 1, deadLetter: "dead" });
    await ask("PUT", "/v1/channels/dead", { types: ["other"] });
    await publish("a");
    await poll();
    advance(1_000);
    expect((await ask("GET", `${path}/events`)).json["dropped"]).toEqual([
      { channel: "c", reason: "attempts", count: 1 },
    ]);
  });

  test("an event with as many attributes as there may be goes there as it is", async () => {
    const { ask, poll, entries, advance } = await acked({ attempts: 1, deadLetter: "dead" });
    const dead = (await ask("POST", "/v1/inboxes", {})).json["id"];
    await ask("PUT", `/v1/inboxes/${dead}/joins/dead`);
    const attributes = Object.fromEntries(Array.from({ length: 63 }, (_, index) => [`a${index}`, index]));
    await ask("POST", "/v1/channels/c/events", { type: "t", attributes });
    await poll();
    advance(1_000);
    const [letter] = await entries(`/v1/inboxes/${dead}/events`);
    expect(letter?.event.attributes).toEqual({ ...attributes, dead_reason: "attempts" });
  });
});

describe("PATCH of an inbox with ack: explicit", () => {
  test("another redeliverMs counts for what waits, too", async () => {
    const { ask, path, publish, poll, advance } = await acked({ redeliverMs: 100_000 });
    await publish("a");
    await poll();
    await ask("PATCH", path, { redeliverMs: 500 });
    advance(500);
    expect(await poll()).toEqual(["1/2 a"]);
  });

  test("fewer attempts count for what waits, too", async () => {
    const { ask, path, publish, poll, advance } = await acked();
    await publish("a");
    await poll();
    await ask("PATCH", path, { attempts: 1 });
    advance(1_000);
    expect((await ask("GET", `${path}/events`)).json["dropped"]).toMatchObject([{ reason: "attempts", count: 1 }]);
  });

  test("ack: none lets go of what waits", async () => {
    const { ask, path, publish, poll, advance } = await acked();
    await publish("a");
    await poll();
    expect((await ask("PATCH", path, { ack: "none" })).json).toMatchObject({ ack: "none", unacknowledged: 0 });
    advance(200_000);
    expect(await poll()).toEqual([]);
  });

  test("null gives the defaults back", async () => {
    const { ask, path } = await acked({ attempts: 2, deadLetter: "dead" });
    const { json } = await ask("PATCH", path, { redeliverMs: null, attempts: null, deadLetter: null, ack: null });
    expect(json).toMatchObject({ ack: "none", redeliverMs: 30_000, attempts: 5, deadLetter: null });
  });
});

describe("CloudEvents", () => {
  test("are acknowledged by the numbers of a header field", async () => {
    const { ask, path, publish, poll, ack, advance } = await acked();
    await publish("a", "b", "c");
    await poll();
    await ack({ numbers: [2] });
    advance(1_000);
    await publish("d");
    const { headers } = await ask("GET", `${path}/events`, undefined, { accept: "application/cloudevents-batch+json" });
    expect(headers.get("sluice-numbers")).toBe("1,3-4");
  });
});
