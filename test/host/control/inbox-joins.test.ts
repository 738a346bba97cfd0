import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { defaultDefinition } from "../../../host/channel/definition.ts";
import { EventSchema } from "../../../host/gen/sluice/v1/event_pb.ts";
import { createTestControl, type TestControl } from "./support.ts";

/** A control plane with one inbox. */
async function withInbox(implicitChannels = true): Promise<TestControl & { readonly path: string }> {
  const control = createTestControl({}, { implicitChannels });
  const { json } = await control.ask("POST", "/v1/inboxes");
  return { ...control, path: `/v1/inboxes/${json["id"]}` };
}

/** Types of the events that are there. */
async function typesIn({ ask, path }: Awaited<ReturnType<typeof withInbox>>): Promise<string[]> {
  const { json } = await ask("GET", `${path}/events`);
  return (json["data"] as { event: { type: string } }[]).map(({ event }) => event.type);
}

describe("PUT /v1/inboxes/{inbox}/joins/{channel}", () => {
  test("subscribes with 201 and Location; again with 200, which loses nothing", async () => {
    const control = await withInbox();
    const { ask, path } = control;
    const created = await ask("PUT", `${path}/joins/a%2Fb`, { types: ["x", "y"], attributes: { load: 0.5, n: 3 } });
    expect(created.status).toBe(201);
    expect(created.headers.get("location")).toBe(`${path}/joins/a%2Fb`);
    expect(created.json).toEqual({
      channel: "a/b",
      member: "m1",
      role: "sink",
      types: ["x", "y"],
      attributes: { load: 0.5, n: 3 },
    });
    await ask("POST", "/v1/channels/a%2Fb/events", [{ type: "x" }, { type: "z" }]);
    const again = await ask("PUT", `${path}/joins/a%2Fb`, { types: ["x", "y"], attributes: { load: 0.5, n: 3 } });
    expect([again.status, again.json]).toEqual([200, created.json]);
    expect(again.headers.get("location")).toBeNull();
    expect((await ask("GET", "/v1/channels/a%2Fb")).json["sinks"]).toBe(1);
    expect(await typesIn(control)).toEqual(["x"]);
  });

  test("makes a join of all events from an empty body", async () => {
    const { ask, path } = await withInbox();
    expect((await ask("PUT", `${path}/joins/c`)).json).toMatchObject({ types: [], attributes: {} });
  });

  test("replaces types and attributes of a join that is there, for events from then on", async () => {
    const control = await withInbox();
    const { ask, path, service } = control;
    await ask("PUT", `${path}/joins/c`, { types: ["x"], attributes: { zone: "eu", load: 1 } });
    await ask("POST", "/v1/channels/c/events", [{ type: "x" }, { type: "y" }]);
    const changed = await ask("PUT", `${path}/joins/c`, { types: ["y"], attributes: { zone: "us" } });
    expect(changed.json).toMatchObject({ types: ["y"], attributes: { zone: "us" } });
    await ask("POST", "/v1/channels/c/events", [{ type: "x" }, { type: "y" }]);
    expect(await typesIn(control)).toEqual(["x", "y"]);
    await ask("PUT", `${path}/joins/c`, {});
    await ask("POST", "/v1/channels/c/events", [{ type: "x" }, { type: "y" }]);
    expect(await typesIn(control)).toEqual(["x", "y"]);
    // The core was told, too: of the attributes nothing is left.
    const member = service.inboxes.get(path.slice("/v1/inboxes/".length))?.joins();
    const [{ member: number } = { member: 0 }] = Array.from(member ?? []);
    expect(service.core.exports.memberAttributes(number, 0x100_000)).toBe(0);
  });

  test("of a channel that stores replays what it has, and says whether that is all", async () => {
    const control = await withInbox();
    const { ask, path, service } = control;
    service.channels.put("c", { ...defaultDefinition, store: { events: 2 } });
    await ask(
      "POST",
      "/v1/channels/c/events",
      ["1", "2", "3"].map((type) => ({ type })),
    );
    const joined = await ask("PUT", `${path}/joins/c`, { after: { epoch: 1, sequence: 1 } });
    expect(joined.json["recovered"]).toBe(true);
    expect(await typesIn(control)).toEqual(["2", "3"]);
    await ask("DELETE", `${path}/joins/c`);
    expect((await ask("PUT", `${path}/joins/c`, { after: { epoch: 1, sequence: 0 } })).json["recovered"]).toBe(false);
    await ask("DELETE", `${path}/joins/c`);
    expect((await ask("PUT", `${path}/joins/c`, { replay: false })).json).not.toHaveProperty("recovered");
    expect(await typesIn(control)).toEqual([]);
  });

  test("where chooses, is shown, and is replaced as a whole", async () => {
    const { ask, path, service } = await withInbox();
    const joined = await ask("PUT", `${path}/joins/c`, { where: "level > 1", dialect: "cesql" });
    expect(joined.json).toMatchObject({ where: "level > 1", dialect: "cesql" });
    const publish = () =>
      [1, 2, 3].map((level) =>
        service.publish("c", [
          create(EventSchema, { type: `t${level}`, attributes: { level: { kind: { case: "number", value: level } } } }),
        ]),
      );
    publish();
    await ask("PUT", `${path}/joins/c`, { where: "type = 't1'" });
    publish();
    await ask("PUT", `${path}/joins/c`, {});
    publish();
    const polled = await ask("GET", `${path}/events?max=100`);
    const types = (polled.json["data"] as { event: { type: string } }[]).map(({ event }) => event.type);
    expect(types).toEqual(["t2", "t3", "t1", "t1", "t2", "t3"]);
    expect((await ask("PUT", `${path}/joins/c`, { where: "type = " })).json).toMatchObject({
      status: 422,
      code: "expression",
      line: 1,
    });
  });

  test.each([
    [{ filters: { out: { route: { limit: 1 } } } }, 422, "invalid_value"],
    [{ piggyback: ["load"] }, 422, "invalid_value"],
    [{ misses: true }, 422, "invalid_value"],
    [{ typs: ["a"] }, 400, "unknown_field"],
    [{ role: "source" }, 400, "unknown_field"],
    [{ channel: "d" }, 400, "unknown_field"],
    [{ types: [""] }, 422, "invalid_value"],
    [{ types: Array.from({ length: 65 }, (_, index) => `t${index}`) }, 422, "invalid_value"],
    [{ attributes: { Zone: 1 } }, 422, "attribute_name"],
    [{ attributes: { zone: null } }, 422, "invalid_value"],
  ])("refuses %j with %i %s, and joins nothing", async (body, status, code) => {
    const { ask, path, service } = await withInbox();
    expect((await ask("PUT", `${path}/joins/c`, body)).json).toMatchObject({ status, code });
    expect(service.statistics()["members"]).toBe(0);
  });

  test("a change that is refused leaves the join as it was", async () => {
    const control = await withInbox();
    const { ask, path } = control;
    await ask("PUT", `${path}/joins/c`, { types: ["x"] });
    const many = Object.fromEntries(Array.from({ length: 64 }, (_, index) => [`a${index}`, "v".repeat(400)]));
    expect((await ask("PUT", `${path}/joins/c`, { attributes: many })).json).toMatchObject({
      code: "attributes_too_large",
    });
    await ask("POST", "/v1/channels/c/events", [{ type: "x" }, { type: "y" }]);
    expect(await typesIn(control)).toEqual(["x"]);
  });

  test("refuses a channel that is not there where none may be made by joining", async () => {
    const { ask, path } = await withInbox(false);
    expect((await ask("PUT", `${path}/joins/c`)).json).toMatchObject({ status: 404, code: "channel_unknown" });
    expect((await ask("PUT", `${path}/joins/..%2Fx`)).json).toMatchObject({ status: 422, code: "channel_name" });
  });

  test("refuses an inbox that is not there", async () => {
    const { ask } = await withInbox();
    expect((await ask("PUT", "/v1/inboxes/i0/joins/c")).json).toMatchObject({ status: 404, code: "inbox_unknown" });
  });
});

describe("DELETE /v1/inboxes/{inbox}/joins/{channel}", () => {
  test("ends the subscription; what waited of that channel is gone, of others not", async () => {
    const control = await withInbox();
    const { ask, path } = control;
    for (const channel of ["c", "d"]) {
      await ask("PUT", `${path}/joins/${channel}`);
      await ask("POST", `/v1/channels/${channel}/events`, { type: channel });
    }
    expect((await ask("DELETE", `${path}/joins/c`)).status).toBe(204);
    expect(await typesIn(control)).toEqual(["d"]);
    expect((await ask("DELETE", `${path}/joins/c`)).json).toMatchObject({
      status: 404,
      code: "member_unknown",
      value: "c",
    });
  });

  test("the end of a channel ends its joins, and a new channel of that name is joined anew", async () => {
    const control = await withInbox();
    const { ask, path } = control;
    await ask("PUT", `${path}/joins/c`);
    await ask("DELETE", "/v1/channels/c");
    expect((await ask("GET", path)).json["joins"]).toEqual([]);
    expect((await ask("PUT", `${path}/joins/c`)).status).toBe(201);
    await ask("POST", "/v1/channels/c/events", { type: "new" });
    expect(await typesIn(control)).toEqual(["new"]);
  });
});
