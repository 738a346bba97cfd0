/**
 * Orderings of inboxes as clients meet them: over sockets, by PATCH, on a stream. The orders themselves are held by
 * test/core-wasm/order.test.ts.
 */
import { describe, expect, test } from "vitest";
import { createTestControl } from "../control/support.ts";
import { type Client, carriers, connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";

async function setInbox(client: Client, inbox: object): Promise<void> {
  client.send({ ref: 99, inbox });
  await client.take("receipt", 99);
}

const events = [
  { type: "t", id: "plain" },
  { type: "t", id: "urgent", priority: 9 },
  { type: "t", id: "soon", ttlMs: 50_000 },
  { type: "t", id: "urgent and soon", priority: 9, ttlMs: 50_000 },
];

describe("sockets", () => {
  test.each(carriers)("%s: what waits leaves in the order that the inbox has now", async (carrier) => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, carrier), connectTo(host, "tcp")]);
    await sink.join("c");
    await setInbox(sink, { ordering: "priority+deadline", held: true });
    await source.publish("c", ...events);
    await setInbox(sink, { held: false });
    const first = await sink.received(4);
    expect(first.map(({ id }) => id)).toEqual(["urgent and soon", "urgent", "soon", "plain"]);
    await setInbox(sink, { held: true });
    await source.publish("c", ...events);
    await setInbox(sink, { ordering: "deadline" });
    await setInbox(sink, { held: false });
    const second = (await sink.received(8)).slice(4);
    expect(second.map(({ id }) => id)).toEqual(["urgent and soon", "soon", "urgent", "plain"]);
  });

  test("hello may say it, and credit decides what is the most urgent", async () => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, "ws-json"), connectTo(host, "tcp")]);
    sink.send({ ref: 1, hello: { inbox: { ordering: "priority", overflow: "drop-lowest", capacityEvents: 2 } } });
    await sink.take("welcome", 1);
    sink.send({ credit: { events: 1, bytes: 100_000 } });
    await sink.join("c");
    await source.publish("c", { type: "t", id: "0" });
    await sink.received(1);
    await source.publish("c", ...[1, 5, 3].map((priority) => ({ type: "t", id: `${priority}`, priority })));
    sink.send({ credit: { events: 10, bytes: 100_000 } });
    expect((await sink.received(3)).slice(1).map(({ id }) => id)).toEqual(["5", "3"]);
    expect(await sink.take("dropped")).toMatchObject({ channel: "c", count: 1, reason: "overflow" });
  });
});

describe("HTTP", () => {
  test("PATCH reorders what waits; nothing is lost or doubled", async () => {
    const control = createTestControl();
    const { ask } = control;
    const { json } = await ask("POST", "/v1/inboxes", {});
    const path = `/v1/inboxes/${json["id"]}`;
    await ask("PUT", `${path}/joins/c`, {});
    await ask("POST", "/v1/channels/c/events", events);
    const patched = await ask("PATCH", path, { ordering: "deadline" });
    expect(patched.json).toMatchObject({ ordering: "deadline", depth: { events: 4 } });
    const ids = async () =>
      ((await ask("GET", `${path}/events?max=3`)).json["data"] as { event: { id: string } }[]).map(
        ({ event }) => event.id,
      );
    expect(await ids()).toEqual(["urgent and soon", "soon", "urgent"]);
    expect((await ask("PATCH", path, { ordering: null })).json["ordering"]).toBe("fifo");
    expect(await ids()).toEqual(["plain"]);
    expect((await ask("PATCH", path, { ordering: "best" })).json).toMatchObject({ code: "invalid_value" });
  });
});

describe("deadlines", () => {
  test("a missed deadline is told once, and counted where the inbox is shown", async () => {
    const control = createTestControl();
    const { ask, clock } = control;
    await ask("PUT", "/v1/channels/c", { delivery: { late: "drop" } });
    const { json } = await ask("POST", "/v1/inboxes", { ordering: "deadline" });
    const path = `/v1/inboxes/${json["id"]}`;
    await ask("PUT", `${path}/joins/c`, {});
    await ask("POST", "/v1/channels/c/events", [
      { type: "t", id: "late", ttlMs: 10 },
      { type: "t", id: "early", ttlMs: 1_000 },
    ]);
    clock.advance(500);
    const { json: polled } = await ask("GET", `${path}/events`);
    expect((polled["data"] as { event: { id: string } }[]).map(({ event }) => event.id)).toEqual(["early"]);
    expect((await ask("GET", path)).json).toMatchObject({
      joins: [{ channel: "c", deadlines: { met: 1, missed: 1, dropped: 1, violations: 0 } }],
    });
  });
});
