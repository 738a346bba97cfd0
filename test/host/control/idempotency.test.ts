import { describe, expect, test } from "vitest";
import { IdempotencyKeys, keyFromHeader } from "../../../host/control/idempotency.ts";
import { limits } from "../../../host/limits.ts";
import type { LocalDelivery } from "../../../host/session/local.ts";
import { ManualClock } from "../support/service.ts";
import { createTestControl } from "./support.ts";

const path = "/v1/channels/c/events";
const key = { "idempotency-key": '"k-1"' };

describe("Idempotency-Key", () => {
  /** How many events reached a sink. */
  const counting = () => {
    const control = createTestControl();
    const deliveries: LocalDelivery[] = [];
    control.service.subscribe("c", { onEvents: (some) => deliveries.push(...some) });
    return {
      ...control,
      delivered: () => {
        control.settle();
        return deliveries.length;
      },
    };
  };

  test("publishes once and answers a repetition as the first time, saying so", async () => {
    const { ask, delivered } = counting();
    const first = await ask("POST", path, { type: "t" }, key);
    const second = await ask("POST", path, { type: "t" }, key);
    expect([first.status, first.headers.get("idempotency-replayed")]).toEqual([200, null]);
    expect([second.status, second.headers.get("idempotency-replayed")]).toEqual([200, "true"]);
    expect(second.text).toBe(first.text);
    expect(second.headers.get("content-type")).toBe(first.headers.get("content-type"));
    expect(delivered()).toBe(1);
  });

  test("answers requests that arrive together alike", async () => {
    const { ask, delivered } = counting();
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask("POST", path, { type: "t" }, key)));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get("idempotency-replayed") === "true")).toHaveLength(19);
    expect(delivered()).toBe(1);
  });

  test("takes a key with and without quotes for the same", async () => {
    const { ask, delivered } = counting();
    await ask("POST", path, { type: "t" }, key);
    await ask("POST", path, { type: "t" }, { "idempotency-key": "k-1" });
    expect(delivered()).toBe(1);
  });

  test("remembers the results of an array, problems included", async () => {
    const { ask, delivered } = counting();
    const first = await ask("POST", path, [{ type: "t" }, {}], key);
    expect((await ask("POST", path, [{ type: "t" }, {}], key)).text).toBe(first.text);
    expect(delivered()).toBe(1);
  });

  test.each([
    ["another body", { type: "u" }, {}, ""],
    ["another media type", { specversion: "1.0", type: "t" }, { "content-type": "application/cloudevents+json" }, ""],
    ["another receipt", { type: "t" }, {}, "?receipt=linked"],
  ])("refuses a key with %s", async (_name, body, headers, query) => {
    const { ask, delivered } = counting();
    await ask("POST", path, { type: "t" }, key);
    const answer = await ask("POST", path + query, body, { ...key, ...headers });
    expect(answer.json).toMatchObject({ status: 422, code: "idempotency_key_reused", value: "k-1" });
    expect(delivered()).toBe(1);
  });

  test("tells events in binary mode apart by their fields", async () => {
    const { ask } = counting();
    const event = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t", ...key };
    expect((await ask("POST", path, "x", event)).status).toBe(200);
    expect((await ask("POST", path, "x", event)).headers.get("idempotency-replayed")).toBe("true");
    expect((await ask("POST", path, "x", { ...event, "ce-id": "2" })).json["code"]).toBe("idempotency_key_reused");
  });

  test("is the channel's: another channel does not know it, nor does one that was made again", async () => {
    const { ask, service } = counting();
    await ask("POST", path, { type: "t" }, key);
    const other = await ask("POST", "/v1/channels/d/events", { type: "other" }, key);
    expect([other.status, other.headers.get("idempotency-replayed")]).toEqual([200, null]);
    service.channels.remove("c");
    expect((await ask("POST", path, { type: "other" }, key)).headers.get("idempotency-replayed")).toBeNull();
  });

  test("does not remember a refusal: nothing was published", async () => {
    const { ask, delivered } = counting();
    expect((await ask("POST", path, { type: "" }, key)).status).toBe(422);
    expect((await ask("POST", path, { type: "t" }, key)).status).toBe(200);
    expect(delivered()).toBe(1);
  });

  test("is forgotten after five minutes of the service clock", async () => {
    const { ask, clock, delivered } = counting();
    await ask("POST", path, { type: "t" }, key);
    clock.advance(limits.idempotencyMs - 1);
    expect((await ask("POST", path, { type: "t" }, key)).headers.get("idempotency-replayed")).toBe("true");
    clock.advance(1);
    expect((await ask("POST", path, { type: "t" }, key)).headers.get("idempotency-replayed")).toBeNull();
    expect(delivered()).toBe(2);
  });

  test("survives a restart of the core: the first publish was answered", async () => {
    const { ask, service } = counting();
    const first = await ask("POST", path, { type: "t" }, key);
    service.fault(new WebAssembly.RuntimeError("unreachable"), undefined);
    expect(service.epoch).toBe(2);
    expect((await ask("POST", path, { type: "t" }, key)).text).toBe(first.text);
  });
});

describe("IdempotencyKeys", () => {
  const channel = { name: "c" };

  test("refuses a further key of a full channel until one expires, and says when", () => {
    const clock = new ManualClock();
    const keys = new IdempotencyKeys(clock, { ...limits, idempotencyKeys: 2 });
    for (const name of ["1", "2"]) {
      expect(keys.find("c", channel, name, "p")).toBeUndefined();
      keys.keep(channel, name, "p", "answer");
      clock.advance(1_000);
    }
    expect(() => keys.find("c", channel, "3", "p")).toThrow(
      expect.objectContaining({ code: "rate_limited", limit: 2, retryMs: limits.idempotencyMs - 2_000 }),
    );
    // What is remembered is answered all the same, and other channels have their own room.
    expect(keys.find("c", channel, "1", "p")).toBe("answer");
    expect(keys.find("d", { name: "d" }, "3", "p")).toBeUndefined();
    clock.advance(limits.idempotencyMs - 2_000);
    expect(keys.find("c", channel, "3", "p")).toBeUndefined();
  });

  test("refuses a further key where all channels together have too many bytes, and gives them back", () => {
    const clock = new ManualClock();
    const keys = new IdempotencyKeys(clock, { ...limits, idempotencyBytes: 2_000 });
    keys.keep(channel, "1", "p", "x".repeat(2_000));
    expect(() => keys.find("d", undefined, "1", "p")).toThrow(
      expect.objectContaining({ code: "rate_limited", limit: 2_000 }),
    );
    clock.advance(limits.idempotencyMs);
    expect(keys.find("d", undefined, "1", "p")).toBeUndefined();
    expect(keys.count).toBe(0);
  });
});

describe("keyFromHeader()", () => {
  test.each([
    ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ["8e03978e", "8e03978e"],
    ['"a \\"b\\" \\\\"', 'a "b" \\'],
    ["x".repeat(255), "x".repeat(255)],
  ])("reads %s", (header, want) => {
    expect(keyFromHeader(header, 255)).toBe(want);
  });

  test.each(["", '""', '"', '"a', "ä", "x".repeat(256)])("refuses %j", (header) => {
    expect(() => keyFromHeader(header, 255)).toThrow(expect.objectContaining({ code: "invalid_value", limit: 255 }));
  });
});
