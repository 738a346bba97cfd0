import { describe, expect, test } from "vitest";
import { limits } from "../../../host/limits.ts";
import { type Carrier, type Client, carriers, connectTo } from "../support/client.ts";
import { startHost, type TestHost } from "../support/host.ts";
import { until } from "../support/until.ts";

const LINGER_MS = 60_000;
const types = (...names: string[]): object[] => names.map((type) => ({ type }));

interface Entry {
  readonly number: number;
  readonly attempt: number;
  readonly type: string;
}

/** What was delivered, numbered as a client numbers it. */
function delivered(client: Client, after = 0): Entry[] {
  let count = after;
  return client.told
    .filter(({ kind }) => kind === "deliver")
    .flatMap(({ value }) => value.events)
    .map(({ number, attempt, event }) => {
      // JSON always says the number; binary frames only that of what was delivered before.
      const known = number === undefined ? count + 1 : Number(number);
      count = Math.max(count, known);
      return { number: known, attempt: attempt ?? 1, type: event.type };
    });
}

const told = (entries: readonly Entry[]): string[] =>
  entries.map(({ number, attempt, type }) => `${number}/${attempt} ${type}`);

async function greet(client: Client, hello: object = {}) {
  client.send({ ref: 1, hello: { lingerMs: LINGER_MS, ...hello } });
  return client.take("welcome", 1);
}

/** Comes back with a secret on another connection. */
async function comeBack(host: TestHost, carrier: Carrier, session: string, received: number, hello: object = {}) {
  const client = await connectTo(host, carrier);
  return { client, welcome: await greet(client, { session, received, ...hello }) };
}

async function lingering(host: TestHost, count: number): Promise<void> {
  await until(
    () => host.service.statistics()["lingering"] === count,
    () => `${count} sessions that linger`,
  );
}

describe.each(carriers)("a session over %s", (carrier) => {
  test.each([true, false])(
    "that broke (abrupt: %s) goes on from what was received, in order, without loss",
    async (abrupt) => {
      const host = await startHost();
      const [sink, source] = await Promise.all([connectTo(host, carrier), connectTo(host, "tcp")]);
      const { session, resumed } = await greet(sink);
      expect(resumed).toBe(false);
      expect(session).toMatch(/^[a-z0-9]{28}$/);
      await sink.join("c");
      await source.publish("c", ...types("a", "b", "c"));
      await sink.received(3);
      sink.end(abrupt);
      await lingering(host, 1);
      await source.publish("c", ...types("d", "e"));
      const { client, welcome } = await comeBack(host, carrier, session, 1);
      expect(welcome).toMatchObject({ resumed: true, session });
      await source.publish("c", ...types("f"));
      await client.received(5);
      expect(told(delivered(client, 1))).toEqual(["2/2 b", "3/2 c", "4/1 d", "5/1 e", "6/1 f"]);
      expect(host.service.statistics()).toMatchObject({ lingering: 0, sessionsResumedTotal: 1 });
    },
  );

  test("is told once of what was late meanwhile, behind its welcome, and of a cancel of what it got before", async () => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, carrier), connectTo(host, "tcp")]);
    const { session } = await greet(sink);
    await sink.join("c");
    await source.join("c", { role: "source" });
    await source.publish("c", { type: "a", key: "k" });
    await sink.received(1);
    sink.end(true);
    await lingering(host, 1);
    await source.publish("c", { type: "b", id: "late", deliverBy: "2020-01-01T00:00:00Z" });
    for (let times = 0; times < 2; times++) {
      const { client } = await comeBack(host, carrier, session, 1);
      if (times > 0) {
        source.send({ ref: 7, cancel: { channel: "c", key: "k" } });
        expect(await source.take("receipt", 7)).toMatchObject({ forwarded: 1 });
      }
      await client.received(times + 1);
      const kinds = client.told.map(({ kind }) => kind).filter((kind) => kind === "welcome" || kind === "missed");
      expect(kinds).toEqual(times === 0 ? ["welcome", "missed"] : ["welcome"]);
      if (times === 0) expect(await client.take("missed")).toMatchObject({ id: "late", reason: "late" });
      client.end(true);
      await lingering(host, 1);
    }
  });

  test("keeps what was not acknowledged, and acknowledges after the break", async () => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, carrier), connectTo(host, "tcp")]);
    const { session } = await greet(sink, { inbox: { ack: "explicit", redeliverMs: 600_000 } });
    await sink.join("c");
    await source.publish("c", ...types("a", "b", "c"));
    await sink.received(3);
    sink.send({ ref: 5, ack: { numbers: [2] } });
    await sink.take("receipt", 5);
    sink.end(true);
    await lingering(host, 1);
    const { client } = await comeBack(host, carrier, session, 0);
    await client.received(2);
    expect(told(delivered(client))).toEqual(["1/2 a", "3/2 c"]);
    client.send({ ref: 6, ack: { through: 3 } });
    await client.take("receipt", 6);
    const inbox = [...host.service.inboxes.list()].find(({ unacknowledged }) => unacknowledged > 0);
    expect(inbox).toBeUndefined();
  });

  test("neither loses nor doubles what it has numbered", async () => {
    const host = await startHost();
    const [source, sink] = await Promise.all([connectTo(host, carrier), connectTo(host, "tcp")]);
    const { session } = await greet(source);
    await sink.join("c");
    source.send({ ref: 2, publish: { channel: "c", number: 1, events: types("a", "b") } });
    await source.take("receipt", 2);
    source.end(true);
    await lingering(host, 1);
    const { client, welcome } = await comeBack(host, carrier, session, 0);
    expect(Number(welcome.published)).toBe(2);
    // Its receipts did not come, so it sends them again, and one more.
    client.send({ ref: 3, publish: { channel: "c", number: 1, events: types("a", "b", "c") } });
    const { results } = await client.take("receipt", 3);
    expect(results.map(({ duplicate }: { duplicate?: boolean }) => duplicate === true)).toEqual([true, true, false]);
    client.send({ ref: 4, publish: { channel: "c", number: 5, events: types("e") } });
    expect(await client.take("problem", 4)).toMatchObject({ code: "publish_gap", value: 5, limit: 4 });
    client.send({ ref: 5, publish: { channel: "c", number: 4, events: types("d") } });
    await client.take("receipt", 5);
    expect((await sink.received(4)).map(({ type }) => type)).toEqual(["a", "b", "c", "d"]);
  });

  test("is taken over where its connection only seems to live, and that is told why", async () => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, carrier), connectTo(host, "tcp")]);
    const { session } = await greet(sink);
    await sink.join("c");
    await source.publish("c", ...types("a"));
    await sink.received(1);
    const { client, welcome } = await comeBack(host, carrier, session, 1);
    expect(welcome.resumed).toBe(true);
    expect(await sink.take("problem")).toMatchObject({ code: "session_taken" });
    const { code } = await sink.closed;
    expect(code).toBe(carrier === "tcp" ? 1006 : 3561);
    await source.publish("c", ...types("b"));
    await client.received(1);
    expect(told(delivered(client, 1))).toEqual(["2/1 b"]);
    expect(sink.events).toHaveLength(1);
  });
});

describe("a session", () => {
  test("comes back over another carrier, and its former kind of frames is forgotten", async () => {
    const host = await startHost();
    const source = await connectTo(host, "tcp");
    let [first] = await Promise.all([connectTo(host, "ws-json")]);
    const { session } = await greet(first);
    await first.join("c");
    let received = 0;
    for (const carrier of ["tcp", "ws-proto", "ws-json", "tcp"] as const) {
      await source.publish("c", ...types(`${carrier}1`));
      await first.received(1);
      first.end(true);
      await lingering(host, 1);
      await source.publish("c", ...types(`${carrier}2`));
      received += 1;
      const back = await comeBack(host, carrier, session, received);
      expect(back.welcome.resumed).toBe(true);
      await back.client.received(1);
      expect(told(delivered(back.client, received))).toEqual([`${received + 1}/1 ${carrier}2`]);
      received += 1;
      first = back.client;
      first.events.length = 0;
    }
  });

  test("that broke within a frame goes on with whole ones", async () => {
    const host = await startHost();
    const client = await connectTo(host, "tcp");
    const { session } = await greet(client);
    // The beginning of a frame of 100 bytes, and no more.
    client.sendRaw(Uint8Array.of(100, 0x12, 3));
    await until(
      () => host.service.statistics()["eventsTotal"] === 0,
      () => "the host",
    );
    client.end(true);
    await lingering(host, 1);
    const back = await comeBack(host, "tcp", session, 0);
    expect(back.welcome.resumed).toBe(true);
    expect(await back.client.publish("c", ...types("a"))).toHaveLength(1);
  });

  test("that said nothing of lingering is over when its connection breaks", async () => {
    const host = await startHost();
    const client = await connectTo(host, "tcp");
    const { session } = await greet(client, { lingerMs: 0 });
    client.end(true);
    await until(
      () => host.service.sessionCount === 0,
      () => "the end of the session",
    );
    const { welcome } = await comeBack(host, "tcp", session, 0);
    expect(welcome.resumed).toBe(false);
    expect(welcome.session).not.toBe(session);
  });

  test("is over after lingerMs, and its members with it", async () => {
    const host = await startHost();
    const client = await connectTo(host, "ws-json");
    const { session } = await greet(client, { lingerMs: 20 });
    await client.join("c");
    client.end(true);
    await until(
      () => host.service.channels.get("c")?.sinks() === 0,
      () => "the end of its membership",
    );
    expect(host.service.statistics()).toMatchObject({ lingering: 0, connections: 0 });
    expect((await comeBack(host, "ws-json", session, 0)).welcome.resumed).toBe(false);
  });

  test("says received beyond what was delivered: refused, and it may say it again", async () => {
    const host = await startHost();
    const client = await connectTo(host, "tcp");
    const { session } = await greet(client);
    client.end(true);
    await lingering(host, 1);
    const back = await connectTo(host, "tcp");
    back.send({ ref: 1, hello: { session, received: 1 } });
    expect(await back.take("problem", 1)).toMatchObject({ code: "ack_unknown", value: 1 });
    expect((await greet(back, { session, received: 0 })).resumed).toBe(true);
  });

  test("whose missed deliveries are not kept any more begins anew, and says so", async () => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, "tcp"), connectTo(host, "tcp")]);
    const { session } = await greet(sink);
    await sink.join("c");
    const data = "x".repeat(500_000);
    for (let count = 0; count < 12; count++) await source.publish("c", { type: "t", data });
    await sink.received(12);
    sink.end(true);
    await lingering(host, 1);
    const { welcome } = await comeBack(host, "tcp", session, 1);
    expect(welcome).toMatchObject({ resumed: false });
    expect(host.service.statistics()["lingering"]).toBe(0);
    expect(host.service.channels.get("c")?.sinks()).toBe(0);
  });

  test("is told of what happened while it was away: channels that went, drops", async () => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, "ws-json"), connectTo(host, "tcp")]);
    const { session } = await greet(sink, { inbox: { capacityEvents: 2 } });
    await sink.join("c");
    const { member } = await sink.join("gone");
    sink.end(true);
    await lingering(host, 1);
    await source.publish("c", ...types("a", "b", "c"));
    host.service.channels.remove("gone");
    const { client } = await comeBack(host, "ws-json", session, 0);
    expect(await client.take("left")).toEqual({ member, reason: "channel_deleted" });
    expect(await client.take("dropped")).toMatchObject({ channel: "c", reason: "overflow" });
    await client.received(2);
    expect(delivered(client).map(({ type }) => type)).toEqual(["b", "c"]);
    expect(client.told.map(({ kind }) => kind)[0]).toBe("welcome");
  });

  test("at fault does not linger", async () => {
    const host = await startHost();
    const client = await connectTo(host, "tcp");
    await greet(client);
    client.sendRaw(Uint8Array.of(2, 0xff, 0xff));
    await client.closed;
    await until(
      () => host.service.statistics()["connections"] === 0,
      () => "the end of the session",
    );
  });

  test.each([
    [{ lingerMs: limits.lingerMsMax + 1 }, "invalid_value"],
    [{ lingerMs: -1 }, "time_out_of_range"],
    [{ lingerMs: 1e300 }, "invalid_value"],
    [{ received: -1 }, "invalid_value"],
  ])("refuses hello %j", async (hello, code) => {
    const host = await startHost();
    const client = await connectTo(host, "ws-json");
    client.send({ ref: 1, hello });
    expect(await client.take("problem", 1)).toMatchObject({ code });
  });

  test("is not taken over by one that has members already", async () => {
    const host = await startHost();
    const [first, second] = await Promise.all([connectTo(host, "tcp"), connectTo(host, "tcp")]);
    const { session } = await greet(first);
    await second.join("c");
    second.send({ ref: 1, hello: { session, received: 0 } });
    expect(await second.take("problem", 1)).toMatchObject({ code: "invalid_value", value: "hello.session" });
    expect(await first.publish("c", ...types("a"))).toHaveLength(1);
  });

  test("ends with the host, however long it would linger", async () => {
    const host = await startHost();
    const client = await connectTo(host, "tcp");
    await greet(client);
    client.end(true);
    await lingering(host, 1);
    await host.service.drain();
    expect(host.service.statistics()).toMatchObject({ lingering: 0 });
  });
});
