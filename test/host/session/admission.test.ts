/**
 * Admission: what is promised of deadlines, and refused where it cannot be kept, over sockets and over HTTP.
 */
import { describe, expect, test } from "vitest";
import { ORDERING_DEADLINE, ORDERING_PRIORITY_DEADLINE, ORDERING_WINDOW } from "../../../core-wasm/abi.ts";
import { admissionOf } from "../../../host/session/admission.ts";
import { createTestControl } from "../control/support.ts";
import { connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";

const window = (lose: number, of: number, periodMs: number) => ({ window: { lose, of, periodMs }, rate: undefined });
const rate = (perSecond: number | undefined) => ({ window: null, rate: perSecond });
const windowed = { ordering: ORDERING_WINDOW, serviceMs: 1 };
const byDeadline = { ordering: ORDERING_DEADLINE, serviceMs: 2 };

describe("rules", () => {
  test.each([
    [
      "the worked example needs all of the time",
      windowed,
      [window(1, 2, 1), window(3, 4, 1), window(6, 8, 1)],
      "accepted",
      1,
    ],
    ["unequal periods are best effort", windowed, [window(1, 2, 1), window(1, 2, 4)], "bestEffort", 0.625],
    ["a stream that may lose all needs nothing", windowed, [window(3, 3, 1)], "accepted", 0],
    ["channels without a window need nothing", windowed, [window(0, 1, 2), rate(undefined)], "accepted", 0.5],
    ["rates count in events per second", byDeadline, [rate(100), rate(400)], "accepted", 1],
    ["a join without a rate asks for nothing", byDeadline, [rate(100), rate(undefined)], "accepted", 0.2],
    [
      "priorities before deadlines promise nothing",
      { ...byDeadline, ordering: ORDERING_PRIORITY_DEADLINE },
      [rate(100)],
      "bestEffort",
      0.2,
    ],
  ] as const)("%s", (_, settings, demands, verdict, u) => {
    const admission = admissionOf(settings, demands);
    expect(admission?.verdict).toBe(verdict);
    expect(admission?.u).toBeCloseTo(u, 9);
  });

  test("without serviceMs it is unchecked, and where nobody asks there is no answer", () => {
    expect(admissionOf({ ...windowed, serviceMs: undefined }, [window(0, 1, 0.1)])).toEqual({ verdict: "unchecked" });
    expect(admissionOf(windowed, [rate(10)])).toBeUndefined();
    expect(admissionOf(byDeadline, [window(0, 1, 1)])).toBeUndefined();
  });

  test.each([
    ["windows", windowed, [window(0, 1, 1), window(1, 2, 1)], 1.5],
    ["rates", byDeadline, [rate(500), rate(0.5)], 1.001],
    ["the largest rate", byDeadline, [rate(1_000_000_000)], 2_000_000],
  ] as const)("%s that need more than all of the time are refused with u", (_, settings, demands, u) => {
    expect(() => admissionOf(settings, demands)).toThrowError(
      expect.objectContaining({ code: "admission", limit: 1, u: expect.closeTo(u, 6) }),
    );
  });
});

describe("HTTP", () => {
  const windows = (periodMs: number) => ({ delivery: { window: { lose: 1, of: 4, periodMs } } });

  test("joins, settings and windows are each refused with 409 and u, and nothing changes", async () => {
    const { ask } = createTestControl();
    await ask("PUT", "/v1/channels/a", windows(10));
    await ask("PUT", "/v1/channels/b", windows(10));
    expect((await ask("GET", "/v1/channels/a")).json["delivery"]).toMatchObject(windows(10).delivery);
    const opened = await ask("POST", "/v1/inboxes", { ordering: "window", serviceMs: 8 });
    expect(opened.json).toMatchObject({ ordering: "window", serviceMs: 8 });
    const path = `/v1/inboxes/${opened.json["id"]}`;
    expect((await ask("PUT", `${path}/joins/a`, {})).json["admission"]).toEqual({ verdict: "accepted", u: 0.6 });
    const join = await ask("PUT", `${path}/joins/b`, {});
    expect(join.status).toBe(409);
    expect(join.json).toMatchObject({ code: "admission", limit: 1, u: 1.2 });
    expect(await ask("PATCH", path, { serviceMs: 14 })).toMatchObject({
      status: 409,
      json: { code: "admission", u: 1.05 },
    });
    expect(await ask("PATCH", "/v1/channels/a", windows(5))).toMatchObject({
      status: 409,
      json: { code: "admission", u: 1.2 },
    });
    expect((await ask("GET", path)).json).toMatchObject({ serviceMs: 8, joins: [{ channel: "a" }] });
    expect((await ask("GET", "/v1/channels/a")).json["delivery"]).toMatchObject(windows(10).delivery);
    // Now it is unchecked; and later nobody promises anything.
    expect((await ask("PATCH", path, { serviceMs: null })).json["serviceMs"]).toBeNull();
    expect((await ask("PUT", `${path}/joins/b`, {})).json["admission"]).toEqual({ verdict: "unchecked" });
    await ask("PATCH", "/v1/channels/a", { delivery: { window: null } });
    expect((await ask("GET", "/v1/channels/a")).json["delivery"]).toMatchObject({ window: null });
  });

  test("a join may change its rate", async () => {
    const { ask } = createTestControl();
    const { json } = await ask("POST", "/v1/inboxes", { ordering: "deadline", serviceMs: 5 });
    const path = `/v1/inboxes/${json["id"]}/joins/c`;
    expect((await ask("PUT", path, { rate: 100 })).json["admission"]).toEqual({ verdict: "accepted", u: 0.5 });
    expect((await ask("PUT", path, { rate: 201 })).status).toBe(409);
    expect((await ask("PUT", path, { rate: 150 })).json["admission"]).toEqual({ verdict: "accepted", u: 0.75 });
    expect((await ask("PUT", path, {})).json["admission"]).toBeUndefined();
  });

  test.each([
    [{ window: { lose: 3, of: 2, periodMs: 1 } }, 422, "contradiction"],
    [{ window: { lose: -1, of: 2, periodMs: 1 } }, 422, "invalid_value"],
    [{ window: { lose: 0, of: 0, periodMs: 1 } }, 422, "invalid_value"],
    [{ window: { lose: 0.5, of: 2, periodMs: 1 } }, 422, "invalid_value"],
    [{ window: { lose: 1, of: 65_537, periodMs: 1 } }, 422, "invalid_value"],
    [{ window: { lose: 1, of: 2, periodMs: 0 } }, 422, "invalid_value"],
    [{ window: { lose: 1, of: 2, periodMs: -5 } }, 422, "invalid_value"],
    [{ window: { lose: 1, of: 2, periodMs: 86_400_001 } }, 422, "invalid_value"],
    [{ window: { lose: 1, of: 2 } }, 422, "invalid_value"],
    [{ window: { lose: 1, of: 2, periodMs: 1, every: 3 } }, 400, "unknown_field"],
  ])("a channel is refused %j", async (delivery, status, code) => {
    const { ask } = createTestControl();
    expect(await ask("PUT", "/v1/channels/c", { delivery })).toMatchObject({ status, json: { code } });
  });

  test.each([[{ rate: 0 }], [{ rate: -1 }], [{ rate: 1e10 }]])("a join is refused %j", async (join) => {
    const { ask } = createTestControl();
    const { json } = await ask("POST", "/v1/inboxes", {});
    expect((await ask("PUT", `/v1/inboxes/${json["id"]}/joins/c`, join)).json["code"]).toBe("invalid_value");
  });
});

describe("sockets", () => {
  test("joined tells the verdict, a problem the u", async () => {
    const host = await startHost();
    const client = await connectTo(host, "ws-json");
    client.send({ ref: 1, inbox: { ordering: "deadline", serviceMs: 4 } });
    await client.take("receipt", 1);
    expect(await client.join("c", { rate: 200 })).toMatchObject({ admission: { verdict: "accepted", u: 0.8 } });
    client.send({ ref: 7, join: { channel: "d", rate: 100 } });
    expect(await client.take("problem", 7)).toMatchObject({ code: "admission", u: expect.closeTo(1.2, 9), limit: 1 });
    expect((await client.join("e")).admission).toBeUndefined();
  });
});
