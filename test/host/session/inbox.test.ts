/**
 * Inbox settings over the wire: what each overflow policy does to sink and source, grouping, holding, credit.
 *
 * An inbox is made to overflow by holding it: then what waits is known exactly.
 */
import { describe, expect, test } from "vitest";
import { type Client, carriers, connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";

const numbers = (count: number): object[] => Array.from({ length: count }, (_, index) => ({ type: "t", data: index }));

async function setInbox(client: Client, inbox: object): Promise<void> {
  client.send({ ref: 99, inbox });
  await client.take("receipt", 99);
}

describe("overflow", () => {
  test.each(carriers)("%s: drop-oldest keeps the newest, and the sink is told", async (carrier) => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, carrier), connectTo(host, "tcp")]);
    await sink.join("c");
    await setInbox(sink, { capacityEvents: 3, held: true });
    const results = await source.publish("c", ...numbers(10));
    expect(results.every(({ refused = 0, sinks }) => refused === 0 && sinks === 1)).toBe(true);
    await setInbox(sink, { held: false });
    expect((await sink.received(3)).map(({ data }) => data)).toEqual(["7", "8", "9"]);
    const dropped = await sink.take("dropped");
    expect(dropped).toMatchObject({ count: 7, reason: "overflow" });
    if (carrier === "ws-json") expect(dropped.channel).toBe("c");
  });

  test("drop-newest keeps the oldest, and the sink is told", async () => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, "ws-json"), connectTo(host, "tcp")]);
    await sink.join("c");
    await setInbox(sink, { capacityEvents: 3, overflow: "drop-newest", held: true });
    await source.publish("c", ...numbers(10));
    await setInbox(sink, { held: false });
    expect((await sink.received(3)).map(({ data }) => data)).toEqual(["0", "1", "2"]);
    expect(await sink.take("dropped")).toMatchObject({ channel: "c", count: 7, reason: "overflow" });
  });

  test("reject tells the publisher, which sinks refused or that all did", async () => {
    const host = await startHost();
    const [sink, other, source] = await Promise.all([
      connectTo(host, "tcp"),
      connectTo(host, "tcp"),
      connectTo(host, "ws-json"),
    ]);
    await sink.join("c");
    await setInbox(sink, { capacityEvents: 2, overflow: "reject", held: true });
    const alone = await source.publish("c", ...numbers(3));
    expect(alone.map(({ problem }) => problem?.code)).toEqual([undefined, undefined, "mailbox_full"]);
    expect(alone[2].problem.limit).toBe(2);
    await other.join("c");
    const [partly] = await source.publish("c", { type: "t" });
    expect(partly).toMatchObject({ sinks: 2, refused: 1 });
    await other.received(1);
    await setInbox(sink, { held: false });
    expect((await sink.received(2)).map(({ data }) => data)).toEqual(["0", "1"]);
  });

  test("block withholds credit from the publisher, refuses what is beyond it, and loses nothing it took", async () => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, "tcp"), connectTo(host, "ws-json")]);
    await sink.join("c");
    await setInbox(sink, { capacityEvents: 100, overflow: "block", held: true });
    await source.join("c", { role: "source" });
    let accepted = 0;
    let refusal: { code: string; limit: number } | undefined;
    for (let batch = 0; refusal === undefined && batch < 20; batch++) {
      const results = await source.publish("c", ...numbers(1_000));
      accepted += results.filter(({ problem }) => problem === undefined).length;
      refusal = results.find(({ problem }) => problem !== undefined)?.problem;
    }
    expect(refusal).toMatchObject({ code: "no_credit", limit: 0 });
    expect(accepted).toBeGreaterThanOrEqual(8_192);
    await setInbox(sink, { held: false });
    const events = await sink.received(accepted);
    expect(events).toHaveLength(accepted);
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1));
    expect(await source.take("credit")).toMatchObject({ channel: "c", events: expect.any(Number) });
    await source.publish("c", { type: "t" });
    await sink.received(accepted + 1);
  });

  test.each(carriers)("%s: disconnect ends the session with that reason", async (carrier) => {
    const host = await startHost();
    const [sink, other, source] = await Promise.all([
      connectTo(host, carrier),
      connectTo(host, "tcp"),
      connectTo(host, "tcp"),
    ]);
    await sink.join("c");
    await other.join("c");
    await setInbox(sink, { capacityEvents: 2, overflow: "disconnect", held: true });
    await source.publish("c", ...numbers(3));
    expect(await sink.take("problem")).toMatchObject({ code: "disconnect" });
    const { code, reason } = await sink.closed;
    if (carrier !== "tcp")
      expect({ code, reason }).toEqual({ code: 3005, reason: expect.stringContaining("disconnect") });
    expect(await other.received(3)).toHaveLength(3);
    await expect.poll(() => host.service.channels.get("c")?.sinks()).toBe(1);
  });
});

describe("held", () => {
  test("answers pass a held inbox", async () => {
    const host = await startHost();
    const client = await connectTo(host, "ws-json");
    await client.join("c", { role: "both" });
    await setInbox(client, { held: true });
    await client.publish("c", { type: "t" });
    client.send({ ref: 1, ping: {} });
    await client.take("pong", 1);
    expect(client.events).toEqual([]);
    await setInbox(client, { held: false });
    await client.received(1);
  });
});

describe("credit", () => {
  test.each(carriers)("%s: after the first credit frame only what was granted is delivered", async (carrier) => {
    const host = await startHost();
    const client = await connectTo(host, carrier);
    client.send({ ref: 1, credit: { events: 2, bytes: 1_000_000 } });
    expect(await client.take("receipt", 1)).toMatchObject({ results: [] });
    await client.join("c", { role: "both" });
    await client.publish("c", ...numbers(5));
    await client.received(2);
    client.send({ ref: 2, ping: {} });
    await client.take("pong", 2);
    expect(client.events).toHaveLength(2);
    client.send({ credit: { events: 3 } });
    expect((await client.received(5)).map(({ data }) => data)).toEqual(["0", "1", "2", "3", "4"]);
  });

  test("acknowledging what was never delivered is refused", async () => {
    const host = await startHost();
    const client = await connectTo(host, "ws-json");
    await client.join("c", { role: "both" });
    await client.publish("c", ...numbers(2));
    await client.received(2);
    client.send({ ref: 1, ack: { through: 2 } });
    await client.take("receipt", 1);
    client.send({ ref: 2, ack: { through: 3 } });
    expect(await client.take("problem", 2)).toMatchObject({ code: "ack_unknown", value: 3 });
  });
});

describe("cancel", () => {
  test("withdraws what was not delivered yet", async () => {
    const host = await startHost();
    const client = await connectTo(host, "ws-json");
    await client.join("c", { role: "both" });
    await setInbox(client, { held: true });
    await client.publish("c", { type: "t", key: "k", data: 1 }, { type: "t", key: "other", data: 2 });
    client.send({ ref: 1, cancel: { channel: "c", key: "k" } });
    await client.take("receipt", 1);
    await setInbox(client, { held: false });
    expect((await client.received(1)).map(({ data }) => data)).toEqual(["2"]);
    expect(await client.take("dropped")).toMatchObject({ channel: "c", count: 1, reason: "cancelled" });
  });
});

describe("select", () => {
  const rows = [
    { name: "batch of the default size", select: { mode: "batch" }, frames: [64, 36] },
    { name: "batch of 30 events", select: { events: 30 }, frames: [30, 30, 30, 10] },
    { name: "single", select: { mode: "single" }, frames: Array.from({ length: 100 }, () => 1) },
  ];
  test.each(rows)("$name: so many events are in one JSON frame", async ({ select, frames }) => {
    const host = await startHost();
    const client = await connectTo(host, "ws-json");
    await client.join("c", { role: "both" });
    await setInbox(client, { select, held: true });
    await client.publish("c", ...numbers(100));
    await setInbox(client, { held: false });
    expect((await client.received(100)).map(({ data }) => Number(data))).toEqual(
      Array.from({ length: 100 }, (_, index) => index),
    );
    const delivers = client.told.filter(({ kind }) => kind === "deliver");
    expect(delivers.map(({ value }) => value.events.length)).toEqual(frames);
    expect(delivers.flatMap(({ value }) => value.events.map(({ number }: { number: number }) => number))).toEqual(
      Array.from({ length: 100 }, (_, index) => index + 1),
    );
  });

  test("bytes end a frame", async () => {
    const host = await startHost();
    const client = await connectTo(host, "ws-json");
    await client.join("c", { role: "both" });
    await setInbox(client, { select: { bytes: 1_000 }, held: true });
    await client.publish("c", ...Array.from({ length: 6 }, () => ({ type: "t", data: "x".repeat(400) })));
    await setInbox(client, { held: false });
    await client.received(6);
    const sizes = client.told.filter(({ kind }) => kind === "deliver").map(({ value }) => value.events.length);
    expect(sizes.length).toBeGreaterThan(1);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(3);
  });
});

describe("settings", () => {
  const refused = [
    { inbox: { stallMark: 0 }, code: "invalid_value", value: 0 },
    { inbox: { stallMark: 1.5 }, code: "invalid_value", value: 1.5 },
    { inbox: { releaseMark: 0.5 }, code: "invalid_value", value: 0.5 },
    { inbox: { stallMark: 0.2 }, code: "invalid_value", value: 0.25 },
    { inbox: { releaseMark: -1 }, code: "invalid_value", value: -1 },
    { inbox: { redeliverMs: 0 }, code: "invalid_value", value: 0 },
    { inbox: { redeliverMs: 604_800_001 }, code: "invalid_value", value: 604_800_001 },
    { inbox: { attempts: 0 }, code: "invalid_value", value: 0 },
    { inbox: { attempts: 101 }, code: "invalid_value", value: 101 },
    { inbox: { serviceMs: 3_600_001 }, code: "invalid_value", value: 3_600_001 },
    { inbox: { select: { delayMs: 60_001 } }, code: "invalid_value", value: 60_001 },
    { inbox: { capacityEvents: 0 }, code: "invalid_value", value: 0 },
    { inbox: { capacityEvents: 16_777_217 }, code: "invalid_value", value: 16_777_217 },
    { inbox: { capacityBytes: 1_073_741_825 }, code: "invalid_value", value: 1_073_741_825 },
    { inbox: { select: { events: 5_000 } }, code: "invalid_value", value: 5_000 },
  ];
  test.each(refused)("$inbox is refused by name", async ({ inbox, code, value }) => {
    const host = await startHost();
    const client = await connectTo(host, "ws-json");
    client.send({ ref: 1, inbox });
    expect(await client.take("problem", 1)).toMatchObject({ code, value });
  });

  test("words that nobody knows are refused with those that are", async () => {
    const host = await startHost();
    const client = await connectTo(host, "ws-json");
    for (const inbox of [
      { ordering: "best" },
      { overflow: "explode" },
      { late: "never" },
      { ack: "maybe" },
      { select: { mode: "all" } },
    ]) {
      client.send({ ref: 1, inbox });
      expect((await client.take("problem", 1)).code).toBe("invalid_value");
    }
  });

  test("the whole shape is taken at its neutral values", async () => {
    const host = await startHost();
    const client = await connectTo(host, "ws-json");
    await setInbox(client, {
      ordering: "fifo",
      capacityEvents: 10,
      capacityBytes: 1_000,
      overflow: "drop-oldest",
      select: { mode: "batch", events: 64, bytes: 65_536, delayMs: 0 },
      late: "channel",
      stallMark: 0.5,
      releaseMark: 0.25,
      ack: "none",
      idleMs: 300_000,
      held: false,
    });
  });

  test("what a frame leaves out stays as it was", async () => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, "tcp"), connectTo(host, "tcp")]);
    await sink.join("c");
    await setInbox(sink, { capacityEvents: 2, overflow: "drop-newest" });
    await setInbox(sink, { held: true });
    await source.publish("c", ...numbers(4));
    await setInbox(sink, { held: false });
    expect((await sink.received(2)).map(({ data }) => data)).toEqual(["0", "1"]);
  });
});
