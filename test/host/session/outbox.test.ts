/** Outboxes over real sockets and as operators set them: with a join, by `update`, by PATCH; what cannot be is refused by name. */
import { describe, expect, test } from "vitest";
import { carriers, connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";

const events = [
  { type: "t", id: "a", priority: 2 },
  { type: "t", id: "b", priority: 9 },
  { type: "t", id: "c", priority: 5 },
];

describe.each(carriers)("over %s", (carrier) => {
  test("a source joins with an outbox, and changes and releases it while events wait", async () => {
    const host = await startHost();
    const [source, sink] = await Promise.all([connectTo(host, carrier), connectTo(host, "ws-json")]);
    await sink.join("c");
    const outbox = { ordering: "lifo", capacityEvents: 20, capacityBytes: 10_000, held: true };
    const { member, credit } = await source.join("c", { role: "source", outbox });
    expect(credit).toMatchObject({ events: 20, bytes: 10_000 });
    for (const { sequence } of await source.publish("c", ...events)) expect(sequence ?? 0).toBe(0);
    source.send({ ref: 7, update: { member, outbox: { ordering: "priority" } } });
    await source.take("receipt", 7);
    expect(sink.events).toEqual([]);
    source.send({ ref: 8, update: { member, attributes: { load: 0.5 }, outbox: { held: false } } });
    await source.take("receipt", 8);
    expect((await sink.received(3)).map(({ id }) => id)).toEqual(["b", "c", "a"]);
  });

  test("its source is told of what gave way in it", async () => {
    const host = await startHost();
    const source = await connectTo(host, carrier);
    const outbox = { overflow: "drop-oldest", capacityEvents: 1, held: true };
    await source.join("c", { role: "source", outbox });
    await source.publish("c", ...events);
    expect(await source.take("dropped")).toMatchObject({ count: 2, reason: "overflow" });
  });
});

describe("settings", () => {
  test.each([
    { role: "sink", outbox: {} },
    { role: "source", outbox: { ordering: "best" } },
    { role: "source", outbox: { overflow: "explode" } },
    { role: "source", outbox: { capacityEvents: 0 } },
    { role: "source", outbox: { capacityEvents: 16_777_217 } },
    { role: "both", outbox: { capacityBytes: 1_073_741_825 } },
  ])("a join with %j is refused", async (join) => {
    const host = await startHost();
    const client = await connectTo(host, "ws-json");
    client.send({ ref: 1, join: { channel: "c", ...join } });
    expect(await client.take("problem", 1)).toMatchObject({ code: "invalid_value" });
  });

  test("an update of a sink, of a pattern, or of nobody is refused", async () => {
    const host = await startHost();
    const client = await connectTo(host, "ws-json");
    const { member } = await client.join("c");
    const pattern = await client.join("d/>");
    for (const [name, code] of [
      [member, "invalid_value"],
      [pattern.member, "invalid_value"],
      ["m99", "member_unknown"],
    ]) {
      client.send({ ref: 3, update: { member: name, outbox: { held: true } } });
      expect(await client.take("problem", 3)).toMatchObject({ code });
    }
  });
});
