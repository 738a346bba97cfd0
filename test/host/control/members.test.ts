import { describe, expect, test } from "vitest";
import { TestCarrier } from "../support/carrier.ts";
import { createTestControl } from "./support.ts";

const path = "/v1/channels/c/members";
const onEvents = (): void => {};

describe("GET /v1/channels/{channel}/members", () => {
  test("tells role, mailbox and live attributes of sessions with a socket, mailboxes, and what lives in the host", async () => {
    const { ask, service } = createTestControl();
    const carrier = new TestCarrier(service);
    const zone = { kind: { case: "text" as const, value: "eu" } };
    const join = { channel: "c", role: "both", attributes: { zone } };
    carrier.send({ kind: { case: "join", value: join } });
    service.subscribe("c", { attributes: { load: 0.5, n: 3, up: true }, onEvents });
    service.subscribe("d", { onEvents });
    const inbox = await ask("POST", "/v1/inboxes", {});
    await ask("PUT", `/v1/inboxes/${inbox.json["id"]}/joins/c`, {});
    await ask("POST", "/v1/channels/c/events", { type: "t" });
    const { status, json } = await ask("GET", path);
    expect(status).toBe(200);
    const members = json["data"] as Record<string, unknown>[];
    expect(json["next"]).toBeNull();
    expect(members).toHaveLength(4);
    expect(members).toContainEqual({
      member: "m1",
      channel: "c",
      role: "both",
      implicit: false,
      inbox: "s1",
      outbox: {
        ordering: "fifo",
        capacityEvents: 8_192,
        capacityBytes: 4_194_304,
        overflow: "block",
        held: false,
        depth: { events: 0, bytes: 0 },
      },
      attributes: { zone: "eu" },
      ageMs: { zone: 0 },
    });
    expect(members).toContainEqual(
      expect.objectContaining({ role: "sink", inbox: null, attributes: { load: 0.5, n: 3, up: true } }),
    );
    expect(members).toContainEqual(expect.objectContaining({ role: "sink", inbox: inbox.json["id"], attributes: {} }));
    expect(members).toContainEqual(expect.objectContaining({ role: "source", implicit: true, inbox: null }));
    carrier.connection.closed();
    expect((await ask("GET", path)).json["data"]).toHaveLength(3);
  });

  test("an operator sets, holds and releases the outbox of a source, and sees what waits in it", async () => {
    const { ask, service, settle } = createTestControl();
    const carrier = new TestCarrier(service);
    const got: string[] = [];
    service.subscribe("c", { onEvents: (all) => got.push(...all.map(({ event }) => event.id)) });
    carrier.send({ kind: { case: "join", value: { channel: "c", role: "source" } } });
    const { json } = await ask("GET", path);
    const name = (json["data"] as { member: string; role: string }[]).find(({ role }) => role === "source")?.member;
    const change = (outbox: object) => ask("PATCH", `${path}/${name}`, { outbox });
    const held = await change({ ordering: "priority", held: true });
    expect(held.status).toBe(200);
    const events = [1, 9, 5].map((priority) => ({ id: `p${priority}`, type: "t", priority }));
    carrier.send({ kind: { case: "publish", value: { channel: "c", events } } });
    const shown = await ask("GET", `${path}/${name}`);
    expect(shown.json["outbox"]).toMatchObject({ ordering: "priority", held: true, depth: { events: 3 } });
    // What waits is no part of the tag.
    expect(shown.headers.get("etag")).toBe(held.headers.get("etag"));
    await change({ held: false });
    settle();
    expect(got).toEqual(["p9", "p5", "p1"]);
    expect((await change({ ordering: "best" })).json).toMatchObject({ status: 422, code: "invalid_value" });
    expect((await change({ size: 1 })).json).toMatchObject({ status: 400, code: "unknown_field" });
    const sink = (json["data"] as { member: string; role: string }[]).find(({ role }) => role === "sink")?.member;
    expect((await ask("PATCH", `${path}/${sink}`, { outbox: { held: true } })).json).toMatchObject({
      status: 422,
      code: "invalid_value",
    });
  });

  test("tells what routes that a member brought have done", async () => {
    const { ask, service } = createTestControl();
    const carrier = new TestCarrier(service);
    service.subscribe("c", { onEvents });
    const filters = { out: { route: { limit: 1 } } };
    carrier.send({ kind: { case: "join", value: { channel: "c", role: "source", filters } } });
    carrier.send({ kind: { case: "publish", value: { channel: "c", events: [{ type: "t" }, { type: "t" }] } } });
    const { json } = await ask("GET", path);
    const source = (json["data"] as Record<string, unknown>[]).find(({ role }) => role === "source");
    expect(source).toMatchObject({ counters: { in: [], out: [{ events: 2, sinks: 2, nobody: 0 }] } });
  });

  test("comes in pages by number, whoever leaves in between, and its cursor is for this channel only", async () => {
    const { ask, service } = createTestControl();
    const subscriptions = Array.from({ length: 25 }, () => service.subscribe("c", { onEvents }));
    const seen: string[] = [];
    let query = "?limit=7";
    for (let pages = 0; pages < 10; pages += 1) {
      const { json } = await ask("GET", path + query);
      seen.push(...(json["data"] as { member: string }[]).map(({ member }) => member));
      subscriptions[pages]?.close();
      if (json["next"] === null) break;
      query = `?limit=7&cursor=${String(json["next"])}`;
      service.channels.resolve("d");
      expect((await ask("GET", `/v1/channels/d/members${query}`)).json).toMatchObject({ code: "invalid_value" });
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => `m${index + 1}`));
  });

  test("is empty where nobody is, and 404 where there is no channel", async () => {
    const { ask, service } = createTestControl();
    expect((await ask("GET", path)).json).toMatchObject({ status: 404, code: "channel_unknown", value: "c" });
    expect(service.channels.list()).toEqual([]);
    service.channels.resolve("c");
    expect((await ask("GET", path)).json).toEqual({ data: [], next: null });
    expect((await ask("GET", `${path}?x=1`)).json).toMatchObject({ code: "unknown_field", value: "query.x" });
  });
});

describe("GET and PATCH /v1/channels/{channel}/members/{member}", () => {
  test("change live attributes: what is left out stays, null removes", async () => {
    const { ask, service } = createTestControl();
    service.subscribe("c", { attributes: { load: 0.5, zone: "eu" }, onEvents });
    const before = await ask("GET", `${path}/m1`);
    expect(before.json).toMatchObject({ member: "m1", attributes: { load: 0.5, zone: "eu" } });
    const etag = before.headers.get("etag") ?? "";
    expect((await ask("GET", `${path}/m1`, undefined, { "if-none-match": etag })).status).toBe(304);
    const patch = { attributes: { load: 1, zone: null, up: false } };
    const changed = await ask("PATCH", `${path}/m1`, patch, { "if-match": etag });
    expect(changed.status).toBe(200);
    expect(changed.json).toMatchObject({ member: "m1", attributes: { load: 1, up: false } });
    expect(changed.json["attributes"]).not.toHaveProperty("zone");
    const after = await ask("GET", `${path}/m1`);
    expect([after.json, after.headers.get("etag")]).toEqual([changed.json, changed.headers.get("etag")]);
    const refused = await ask("PATCH", `${path}/m1`, patch, { "if-match": etag });
    expect(refused.json).toMatchObject({ status: 412, code: "precondition_failed" });
  });

  test.each([
    [`${path}/m2`, {}, 404, "member_unknown", "m2"],
    ["/v1/channels/d/members/m1", {}, 404, "member_unknown", "m1"],
    ["/v1/channels/e/members/m1", {}, 404, "channel_unknown", "e"],
    [`${path}/x1`, {}, 422, "invalid_value", "x1"],
    [`${path}/m0`, {}, 422, "invalid_value", "m0"],
    [`${path}/m99999999999`, {}, 422, "invalid_value", "m99999999999"],
    [`${path}/..%2Fm1`, {}, 422, "invalid_value", "../m1"],
    [`${path}/m1`, { role: "sink" }, 400, "unknown_field", "role"],
    [`${path}/m1`, { attributes: { Load: 1 } }, 422, "attribute_name", "Load"],
    [`${path}/m1`, { attributes: { load: [1] } }, 422, "invalid_value", undefined],
    [`${path}/m1`, { attributes: { load: "x".repeat(20_000) } }, 422, "attributes_too_large", undefined],
    [`${path}/m1`, [], 422, "invalid_value", undefined],
  ])("%s with %j is %i %s", async (target, attributes, status, code, value) => {
    const { ask, service } = createTestControl();
    service.subscribe("c", { onEvents });
    service.channels.resolve("d");
    const body = Array.isArray(attributes) || "role" in attributes || "attributes" in attributes ? attributes : null;
    const answer = await ask("PATCH", target, body ?? { attributes: { load: 1 } });
    expect(answer.json).toMatchObject({ status, code });
    if (value !== undefined) expect(answer.json["value"]).toBe(value);
    expect((await ask("GET", `${path}/m1`)).json["attributes"]).toEqual({});
  });
});
