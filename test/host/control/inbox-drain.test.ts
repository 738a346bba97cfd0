import { describe, expect, test } from "vitest";
import { TestCarrier } from "../support/carrier.ts";
import { createTestControl } from "./support.ts";

describe("DELETE /v1/inboxes/{inbox}/events", () => {
  test("discards what waits, counts it, and tells whoever polls", async () => {
    const control = createTestControl();
    const { ask } = control;
    const path = `/v1/inboxes/${(await ask("POST", "/v1/inboxes", { ack: "explicit" })).json["id"]}`;
    for (const channel of ["c", "d"]) await ask("PUT", `${path}/joins/${channel}`);
    await ask("POST", "/v1/channels/c/events", [{ type: "a" }]);
    await ask("GET", `${path}/events`);
    await ask("POST", "/v1/channels/c/events", [{ type: "a" }, { type: "b" }]);
    await ask("POST", "/v1/channels/d/events", [{ type: "c" }]);
    expect(await ask("DELETE", `${path}/events`)).toMatchObject({ status: 200, json: { discarded: 3 } });
    // What was delivered is not waiting; it is for acknowledgement to end that.
    expect((await ask("GET", path)).json).toMatchObject({ depth: { events: 0 }, unacknowledged: 1 });
    expect((await ask("GET", `${path}/events`)).json).toEqual({
      data: [],
      next: null,
      dropped: [
        { channel: "c", reason: "drained", count: 2 },
        { channel: "d", reason: "drained", count: 1 },
      ],
    });
    expect(control.service.statistics()["droppedDrainedTotal"]).toBe(3);
    expect((await ask("DELETE", `${path}/events`)).json).toEqual({ discarded: 0 });
  });

  test("is for sockets, too, which are told", async () => {
    const { ask, service, settle } = createTestControl();
    const socket = new TestCarrier(service);
    socket.send({ kind: { case: "inbox", value: { held: true, ordering: "priority" } } });
    socket.join("c");
    await ask("POST", "/v1/channels/c/events", [{ type: "a" }, { type: "b", priority: 9 }]);
    const [id] = [...service.inboxes.list()].map((inbox) => inbox.id);
    expect((await ask("DELETE", `/v1/inboxes/${id}/events`)).json).toEqual({ discarded: 2 });
    settle();
    const dropped = socket.frames().find((kind) => kind.case === "dropped");
    expect(dropped?.value).toMatchObject({ count: 2n, reason: "drained" });
    expect(socket.delivered()).toBe(0);
  });

  test("lets go of publishers that a blocking inbox held back", async () => {
    const { ask, service } = createTestControl();
    const { json } = await ask("POST", "/v1/inboxes", { capacityEvents: 4, overflow: "block" });
    await ask("PUT", `/v1/inboxes/${json["id"]}/joins/c`);
    await ask(
      "POST",
      "/v1/channels/c/events",
      Array.from({ length: 5 }, () => ({ type: "t" })),
    );
    expect(service.channels.get("c")?.sequence()).toBeLessThan(5);
    await ask("DELETE", `/v1/inboxes/${json["id"]}/events`);
    expect(service.channels.get("c")?.sequence()).toBeGreaterThan(2);
  });

  test("is 404 where there is none", async () => {
    const { ask } = createTestControl();
    for (const id of ["i0", "s99", "nope"])
      expect((await ask("DELETE", `/v1/inboxes/${id}/events`)).json).toMatchObject({
        status: 404,
        code: "inbox_unknown",
      });
  });
});
