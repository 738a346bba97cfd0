/**
 * Goal: what one session publishes reaches every sink of the channel, whatever each of them speaks and however its bytes
 * come in. Method: all pairs of carriers over real sockets, with both ways of reading.
 */
import { describe, expect, test } from "vitest";
import { carriers, connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";

const pairs = [true, false].flatMap((onread) =>
  carriers.flatMap((from) => carriers.map((to) => ({ onread, from, to }))),
);

describe("publish and deliver", () => {
  test.each(pairs)("$from to $to, onread $onread: every field arrives", async ({ onread, from, to }) => {
    const host = await startHost({ onread });
    const [source, sink] = await Promise.all([connectTo(host, from), connectTo(host, to)]);
    source.send({ ref: 1, hello: { client: "web" } });
    const welcome = await source.take("welcome", 1);
    await sink.join("orders");
    const event = {
      type: "made",
      id: "o-1",
      subject: "s",
      key: "k",
      priority: 7,
      attributes: { load: 0.5, zone: "eu", urgent: true },
      data: { n: 1 },
    };
    const [result] = await source.publish("orders", event, { type: "plain" });
    const [first, second] = await sink.received(2);

    expect(welcome).toMatchObject({ host: host.service.hostId, resumed: false, epoch: 1 });
    expect(result).toMatchObject({ sequence: 1, epoch: 1, sinks: 1, hosts: 1 });
    expect(first).toMatchObject({
      sequence: 1,
      type: "made",
      id: "o-1",
      source: expect.stringMatching(/^\/web\/\d+$/),
      data: '{"n":1}',
    });
    expect(second).toMatchObject({ sequence: 2, type: "plain", data: "" });
    for (const part of ["load", "zone", "eu", "urgent", '"k"', "7"]) expect(first?.text).toContain(part);
  });

  test("one event reaches sinks of all carriers in the order of its source", async () => {
    const host = await startHost();
    const sinks = await Promise.all(carriers.map((carrier) => connectTo(host, carrier)));
    for (const sink of sinks) await sink.join("c");
    const sources = await Promise.all(carriers.map((carrier) => connectTo(host, carrier)));
    const events = Array.from({ length: 200 }, (_, index) => ({ type: "t", data: index }));
    for (const source of sources) source.send({ publish: { channel: "c", events } });

    for (const sink of sinks) {
      const received = await sink.received(600);
      expect(received).toHaveLength(600);
      expect(received.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 600 }, (_, index) => index + 1));
      const names = [...new Set(received.map(({ source }) => source))];
      expect(names).toHaveLength(3);
      for (const name of names) {
        const own = received.filter(({ source }) => source === name).map(({ data }) => Number(data));
        expect(own).toEqual(events.map(({ data }) => data));
      }
    }
  });

  test("an event of the largest size passes, on every carrier", async () => {
    const host = await startHost();
    const data = "x".repeat(1_000_000);
    for (const carrier of carriers) {
      const [source, sink] = await Promise.all([connectTo(host, carrier), connectTo(host, carrier)]);
      await sink.join(carrier);
      await source.publish(carrier, { type: "big", data });
      const [event] = await sink.received(1);
      expect(event?.data).toBe(JSON.stringify(data));
    }
  });

  test("the deliveries of a JSON session are numbered densely, with member and epoch", async () => {
    const host = await startHost();
    const [source, sink] = await Promise.all([connectTo(host, "tcp"), connectTo(host, "ws-json")]);
    const { member } = await sink.join("c");
    await source.publish("c", { type: "a" }, { type: "b" });
    await source.publish("c", { type: "c" });
    await sink.received(3);
    const entries = sink.told.filter(({ kind }) => kind === "deliver").flatMap(({ value }) => value.events);
    expect(entries.map(({ number }) => number)).toEqual([1, 2, 3]);
    for (const entry of entries) expect(entry).toMatchObject({ member, channel: "c", epoch: 1, attempt: 1 });
    expect(entries[0].event.id).toBe(`${host.service.hostId}-1-1-1`);
  });
});

describe("anonymity", () => {
  test.each(carriers)("%s: a delivery tells neither the session nor the members of its source", async (carrier) => {
    const host = await startHost();
    const [source, sink] = await Promise.all([connectTo(host, carrier), connectTo(host, carrier)]);
    source.send({ ref: 1, hello: { client: "spy", token: "secret-token" } });
    const { session } = await source.take("welcome", 1);
    const { member } = await source.join("c", { role: "both" });
    const { member: own } = await sink.join("c");
    await source.publish("c", { type: "t" });
    const [event] = await sink.received(1);
    expect(session.length).toBeGreaterThanOrEqual(20);
    expect(event?.text).not.toContain(session);
    expect(event?.text).not.toContain("secret-token");
    expect(event?.text).not.toContain(`"${member}"`);
    expect(own).not.toBe(member);
  });
});
