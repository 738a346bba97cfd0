/** POST /v1/channels/{channel}/cancel, and the same within the process. */
import { describe, expect, onTestFinished, test } from "vitest";
import { createHost } from "../../../host/index.ts";
import { TestCarrier } from "../support/carrier.ts";
import { createTestControl } from "./support.ts";

const path = "/v1/channels/c/cancel";
const event = { type: "request", key: "r-1", time: "2026-01-01T00:00:00Z" };

/** A control plane, a worker that has begun, and one that has not. */
async function working() {
  const control = createTestControl();
  const begun = new TestCarrier(control.service);
  const waiting = new TestCarrier(control.service);
  for (const worker of [begun, waiting]) worker.join("c");
  waiting.send({ kind: { case: "inbox", value: { held: true } } });
  await control.ask("POST", "/v1/channels/c/events", event);
  control.service.flush();
  return { ...control, begun, waiting };
}

/** Types and keys of what a carrier was delivered. */
const got = (carrier: TestCarrier) =>
  carrier
    .frames()
    .flatMap((frame) => (frame.case === "deliver" ? frame.value.events : []))
    .map((delivery) => `${delivery.event?.type} ${delivery.event?.key}`);

describe("POST /v1/channels/{channel}/cancel", () => {
  test("withdraws what waits, tells who has begun, and says how many", async () => {
    const { ask, service, begun, waiting } = await working();
    const answer = await ask("POST", path, { key: "r-1" });
    expect(answer).toMatchObject({ status: 200, json: { withdrawn: 1, forwarded: 1 } });
    service.flush();
    expect(got(begun)).toEqual(["request r-1", "cancel r-1"]);
    expect(got(waiting)).toEqual([]);
    expect(waiting.frames()).toContainEqual(
      expect.objectContaining({ case: "dropped", value: expect.objectContaining({ count: 1n, reason: "cancelled" }) }),
    );
    expect((await ask("POST", path, { key: "r-1" })).json).toEqual({ withdrawn: 0, forwarded: 1 });
    expect(service.statistics()).toMatchObject({ droppedCancelledTotal: 1, cancelsTotal: 2, cancelsForwardedTotal: 2 });
  });

  test("`at` spares what is younger", async () => {
    const { ask } = await working();
    expect((await ask("POST", path, { key: "r-1", at: "2025-12-31T23:59:59.999999Z" })).json).toEqual({
      withdrawn: 0,
      forwarded: 0,
    });
    expect((await ask("POST", path, { key: "r-1", at: "2026-01-01T00:00:00Z" })).json).toEqual({
      withdrawn: 1,
      forwarded: 1,
    });
  });

  test("`as` takes part in the race of that member: it is not told, and 409 where another one was first", async () => {
    const { ask, service, begun, waiting } = await working();
    waiting.send({ kind: { case: "inbox", value: { held: false } } });
    service.flush();
    expect((await ask("POST", path, { key: "r-1", as: "m1" })).json).toEqual({ withdrawn: 0, forwarded: 1 });
    const second = await ask("POST", path, { key: "r-1", as: "m2", at: "2999-01-01T00:00:00Z" });
    expect(second).toMatchObject({ status: 409, json: { code: "cancelled" } });
    service.flush();
    expect(got(begun)).toEqual(["request r-1"]);
    expect(got(waiting)).toEqual(["request r-1", "cancel r-1"]);
  });

  test("an inbox that is polled is told with its answer what it will not get", async () => {
    const { ask } = createTestControl();
    const inbox = `/v1/inboxes/${(await ask("POST", "/v1/inboxes", {})).json["id"]}`;
    await ask("PUT", `${inbox}/joins/c`, {});
    await ask("POST", "/v1/channels/c/events", [event, { type: "other" }]);
    expect((await ask("POST", path, { key: "r-1" })).json).toEqual({ withdrawn: 1, forwarded: 0 });
    expect((await ask("GET", inbox)).json).toMatchObject({ depth: { events: 1 } });
    const { json } = await ask("GET", `${inbox}/events`);
    expect(json).toMatchObject({
      data: [{ event: { type: "other" } }],
      dropped: [{ channel: "c", reason: "cancelled", count: 1 }],
    });
  });

  test.each([
    { name: "no key", body: {}, status: 422, code: "invalid_value", value: "key" },
    { name: "an empty key", body: { key: "" }, status: 422, code: "invalid_value" },
    { name: "a key of 1,025 bytes", body: { key: "k".repeat(1025) }, status: 422, code: "key_too_long", limit: 1024 },
    { name: "a moment that is none", body: { key: "k", at: "soon" }, status: 422, code: "invalid_value" },
    {
      name: "an unknown field",
      body: { key: "k", channel: "c" },
      status: 400,
      code: "unknown_field",
      value: "channel",
    },
    { name: "an unknown member", body: { key: "k", as: "m99" }, status: 404, code: "member_unknown", value: "m99" },
    { name: "no JSON", body: "{", status: 400, code: "malformed" },
  ])("$name is refused", async ({ body, status, name: _name, ...problem }) => {
    const { ask } = await working();
    expect(await ask("POST", path, body)).toMatchObject({ status, json: problem });
  });

  test("of a channel that is not there is 404, and makes none", async () => {
    const { ask } = createTestControl();
    const { status, json } = await ask("POST", path, { key: "k" });
    expect([status, json["code"], json["value"]]).toEqual([404, "channel_unknown", "c"]);
    expect((await ask("GET", "/v1/channels/c")).status).toBe(404);
    expect((await ask("GET", path)).status).toBe(405);
  });

  test("a single channel with a source can be cancelled on", async () => {
    const { ask, service } = createTestControl();
    await ask("PUT", "/v1/channels/c", { source: "single" });
    new TestCarrier(service).send({ kind: { case: "join", value: { channel: "c", role: "source" } } });
    expect((await ask("POST", path, { key: "k" })).status).toBe(200);
  });
});

describe("Channel.cancel()", () => {
  test("withdraws for all; a subscription's takes part in the race", async () => {
    const host = await createHost({ memoryBytes: 96 * 2 ** 20 });
    onTestFinished(() => host.close());
    const channel = host.channel("c");
    const [a, b] = [channel.subscribe(), channel.subscribe()];
    const [nextA, nextB] = [a[Symbol.asyncIterator](), b[Symbol.asyncIterator]()];
    channel.publish(event);
    expect(channel.cancel("r-1")).toEqual({ withdrawn: 2, forwarded: 0 });
    channel.publish({ ...event, key: "r-2" });
    for (const next of [nextA, nextB]) expect((await next.next()).value).toMatchObject({ key: "r-2" });
    expect(a.cancel("r-2")).toEqual({ withdrawn: 0, forwarded: 1 });
    expect(() => b.cancel("r-2", { at: "2999-01-01T00:00:00Z" })).toThrow(
      expect.objectContaining({ code: "cancelled" }),
    );
    expect((await nextB.next()).value).toMatchObject({ type: "cancel", key: "r-2" });
    expect(() => channel.cancel("")).toThrow(expect.objectContaining({ code: "invalid_value" }));
    expect(() => channel.cancel("k", { at: "soon" })).toThrow(expect.objectContaining({ code: "invalid_value" }));
    expect(() => host.channel("nowhere").cancel("k")).toThrow(expect.objectContaining({ code: "channel_unknown" }));
  });
});
