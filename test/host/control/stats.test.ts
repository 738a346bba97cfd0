import { describe, expect, test } from "vitest";
import { defaultDefinition } from "../../../host/channel/definition.ts";
import { losses } from "../../../host/session/reasons.ts";
import { TestCarrier } from "../support/carrier.ts";
import { createTestControl } from "./support.ts";

const onEvents = (): void => {};

describe("GET /v1/stats", () => {
  test("tells totals, channels and mailboxes", async () => {
    const { ask, service, clock } = createTestControl();
    service.channels.put("kept", { ...defaultDefinition, store: { events: 5 } });
    const carrier = new TestCarrier(service);
    carrier.join("kept");
    service.subscribe("kept", { onEvents });
    const held = await ask("POST", "/v1/inboxes", {});
    await ask("PUT", `/v1/inboxes/${held.json["id"]}/joins/kept`, {});
    await ask("POST", "/v1/channels/kept/events", [{ type: "a" }, { type: "b" }]);
    clock.advance(1_500);
    const { status, json } = await ask("GET", "/v1/stats");
    expect(status).toBe(200);
    expect(json).toMatchObject({ host: "host", epoch: 1, at: "1970-01-01T00:16:41.500Z", uptimeMs: 1_500 });
    expect(json["totals"]).toMatchObject({ eventsTotal: 2, channels: 1, sessions: 1 });
    expect(json["channels"]).toEqual({
      data: [
        {
          name: "kept",
          sinks: 3,
          sources: 1,
          sequence: 2,
          stored: 2,
          dropped: Object.fromEntries(losses.map(({ word }) => [word, 0])),
          filters: { in: null, out: null },
        },
      ],
      next: null,
    });
    const { data, next } = json["inboxes"] as { data: Record<string, unknown>[]; next: unknown };
    expect(next).toBeNull();
    expect(data).toContainEqual({ id: "s1", kind: "stream", held: false, events: 2, bytes: expect.any(Number) });
    expect(data).toContainEqual(expect.objectContaining({ id: held.json["id"], kind: "http", events: 2 }));
  });

  test("goes through one list in pages", async () => {
    const { ask, service } = createTestControl();
    for (let index = 0; index < 5; index += 1) service.channels.put(`c${index}`, defaultDefinition);
    const first = (await ask("GET", "/v1/stats?limit=2")).json["channels"] as { data: unknown[]; next: string };
    expect(first.data).toHaveLength(2);
    const second = await ask("GET", `/v1/stats?of=channels&limit=2&cursor=${first.next}`);
    expect(second.json["data"]).toMatchObject([{ name: "c2" }, { name: "c3" }]);
    const third = await ask("GET", `/v1/stats?of=channels&cursor=${String(second.json["next"])}`);
    expect(third.json).toMatchObject({ data: [{ name: "c4" }], next: null });
    expect((await ask("GET", "/v1/stats?of=inboxes")).json).toEqual({ data: [], next: null });
    const wrong = await ask("GET", `/v1/stats?of=inboxes&cursor=${first.next}`);
    expect(wrong.json).toMatchObject({ status: 422, code: "invalid_value" });
  });

  test.each([
    ["of=filters", 422, "invalid_value"],
    ["of=", 422, "invalid_value"],
    ["of=constructor", 422, "invalid_value"],
    ["cursor=abc", 422, "invalid_value"],
    ["limit=0", 422, "invalid_value"],
    ["channel=c", 400, "unknown_field"],
  ])("refuses ?%s", async (query, status, code) => {
    expect((await createTestControl().ask("GET", `/v1/stats?${query}`)).json).toMatchObject({ status, code });
  });
});

describe("GET /v1/hosts", () => {
  test("shows the one host there is, as an entry of a list", async () => {
    const { ask } = createTestControl({ info: { version: "1", runtime: "test", url: "http://127.0.0.1:1" } });
    expect((await ask("GET", "/v1/hosts")).json).toEqual({
      data: [
        {
          id: "host",
          url: "http://127.0.0.1:1",
          state: "alive",
          self: true,
          joinedAt: "1970-01-01T00:16:40.000Z",
          links: [],
        },
      ],
      next: null,
    });
    expect((await ask("GET", "/v1/hosts?limit=0")).json).toMatchObject({ status: 422 });
    expect((await ask("GET", "/v1/hosts?x=0")).json).toMatchObject({ status: 400, code: "unknown_field" });
    expect((await ask("PUT", "/v1/hosts", {})).status).toBe(405);
  });
});
