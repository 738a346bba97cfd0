/**
 * Settings, deadlines, acknowledgements and credit that cannot be: row by row what docs/mailboxes.md says under "Input that cannot be",
 * over HTTP and in frames.
 */
import { describe, expect, test } from "vitest";
import { limits } from "../../../host/limits.ts";
import { encodeFrame } from "../../core-wasm/frames.ts";
import { sizeDelimited } from "../../core-wasm/wire.ts";
import { carriers, connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";
import { until } from "../support/until.ts";
import { createTestControl } from "./support.ts";

const CAPACITY_EVENTS_MAX = 16_777_216;
const CAPACITY_BYTES_MAX = 2 ** 30;
const HUGE = "1e999";

/** Bodies are texts: JSON.stringify() has no NaN and no Infinity. */
const capacities = ["capacityEvents", "capacityBytes"].flatMap((field) =>
  ["0", "-1", "1.5", "9007199254740993", HUGE, '"NaN"'].map((value) => [`{"${field}":${value}}`, 422, "invalid_value"]),
) as [string, number, string][];

describe("an inbox over HTTP", () => {
  test.each<[string, number, string]>([
    ...capacities,
    [`{"capacityEvents":${CAPACITY_EVENTS_MAX + 1}}`, 422, "invalid_value"],
    [`{"capacityBytes":${CAPACITY_BYTES_MAX + 1}}`, 422, "invalid_value"],
    ['{"capacityEvents":NaN}', 400, "malformed"],
    ['{"serviceMs":-1}', 422, "invalid_value"],
    [`{"serviceMs":${limits.serviceMs + 1}}`, 422, "invalid_value"],
    [`{"serviceMs":${HUGE}}`, 422, "invalid_value"],
    ['{"redeliverMs":0}', 422, "invalid_value"],
    ['{"redeliverMs":-1}', 422, "time_out_of_range"],
    ['{"attempts":0}', 422, "invalid_value"],
    [`{"attempts":${limits.attemptsMax + 1}}`, 422, "invalid_value"],
    ['{"ordering":"soon"}', 422, "invalid_value"],
    ['{"overflow":"drop-all"}', 422, "invalid_value"],
  ])("refuses %s with %i %s, and there is none", async (body, status, code) => {
    const { ask, service } = createTestControl();
    const { json } = await ask("POST", "/v1/inboxes", body);
    expect(json).toMatchObject({ status, code });
    expect(json).toHaveProperty("value");
    expect(service.inboxes.count).toBe(0);
  });

  test.each([
    { deadLetter: "d" },
    { ordering: "window", overflow: "keep-latest" },
    { ordering: "lifo", overflow: "drop-lowest" },
    { select: { mode: "single", events: 9 } },
    { capacityEvents: 1, capacityBytes: 1 },
    { serviceMs: 0 },
  ])("takes %j: what one policy leaves no use for is kept for when another is set", async (settings) => {
    const { ask } = createTestControl();
    expect((await ask("POST", "/v1/inboxes", settings)).status).toBe(201);
  });

  test.each([
    ['{"through":2}', 422, "ack_unknown"],
    ['{"numbers":[2]}', 422, "ack_unknown"],
    ['{"numbers":[0]}', 422, "ack_unknown"],
    ['{"numbers":[1,2]}', 422, "ack_unknown"],
    ['{"numbers":[-1]}', 422, "invalid_value"],
    ['{"numbers":[1.5]}', 422, "invalid_value"],
    [`{"numbers":[${HUGE}]}`, 422, "invalid_value"],
    ["{}", 422, "invalid_value"],
  ])(
    "of one delivery: acknowledging %s is refused with %i %s, and acknowledges nothing",
    async (body, status, code) => {
      const { ask } = createTestControl();
      const path = `/v1/inboxes/${(await ask("POST", "/v1/inboxes", { ack: "explicit" })).json["id"]}`;
      await ask("PUT", `${path}/joins/c`);
      await ask("POST", "/v1/channels/c/events", { type: "t" });
      expect((await ask("GET", `${path}/events`)).json["data"]).toHaveLength(1);
      expect((await ask("POST", `${path}/acks`, body)).json).toMatchObject({ status, code });
      expect((await ask("GET", path)).json).toMatchObject({ unacknowledged: 1 });
    },
  );

  test.each(["max=0", "max=-1", "max=NaN", "max=1.5", "max=1e9", "waitMs=-1", "waitMs=NaN", "waitMs=1e12"])(
    "taking with %s is refused, with the limit",
    async (query) => {
      const { ask } = createTestControl();
      const { json: made } = await ask("POST", "/v1/inboxes");
      const { json } = await ask("GET", `/v1/inboxes/${made["id"]}/events?${query}`);
      expect(json).toMatchObject({ status: 422, code: "invalid_value", value: query.split("=")[1] });
      expect(json["limit"]).toEqual(expect.any(Number));
    },
  );

  test("that was deleted is unknown to whoever takes, acknowledges, changes or joins", async () => {
    const { ask } = createTestControl();
    const path = `/v1/inboxes/${(await ask("POST", "/v1/inboxes", { ack: "explicit" })).json["id"]}`;
    expect((await ask("DELETE", path)).status).toBe(204);
    const answers = await Promise.all([
      ask("GET", `${path}/events`),
      ask("GET", `${path}/events?waitMs=1000&type=t`),
      ask("POST", `${path}/acks`, { through: 1 }),
      ask("PATCH", path, { held: true }),
      ask("PUT", `${path}/joins/c`),
      ask("DELETE", path),
    ]);
    expect(answers.map(({ json }) => json["code"])).toEqual(answers.map(() => "inbox_unknown"));
  });
});

describe("an inbox that is deleted while polls wait at it", () => {
  test("answers each of them at once, and says so", async () => {
    const { ask, service } = createTestControl();
    const path = `/v1/inboxes/${(await ask("POST", "/v1/inboxes")).json["id"]}`;
    await ask("PUT", `${path}/joins/c`);
    // The clocks of this host stand still: none of them ends by itself.
    const waiting = ["", "&type=t", "&where=load%20%3E%200", "&max=1"].map((query) =>
      ask("GET", `${path}/events?waitMs=60000${query}`),
    );
    await until(
      () => service.inboxes.get(path.split("/").at(-1) as string)?.polls === waiting.length,
      () => "four polls that wait",
    );
    await ask("DELETE", path);
    for (const { json } of await Promise.all(waiting)) {
      expect(json).toMatchObject({ status: 404, code: "inbox_unknown", value: path.split("/").at(-1) });
      expect(json["detail"]).toContain("it was deleted");
    }
  });
});

describe("a clock that jumps", () => {
  test.each(["fifo", "lifo", "priority", "deadline", "priority+deadline", "time", "window"])(
    "ahead by hours: in an inbox ordered by %s each event misses once, is delivered once, and again once",
    async (ordering) => {
      const { ask, clock, settle } = createTestControl();
      const settings = { ordering, ack: "explicit", redeliverMs: 1_000, attempts: 3, idleMs: 86_400_000 };
      const path = `/v1/inboxes/${(await ask("POST", "/v1/inboxes", settings)).json["id"]}`;
      await ask("PUT", `${path}/joins/c`);
      const poll = async () =>
        (await ask("GET", `${path}/events`)).json["data"] as { number: number; attempt: number }[];
      const jump = () => {
        settle();
        clock.advance(6 * 3_600_000);
        settle();
      };
      await ask(
        "POST",
        "/v1/channels/c/events",
        [5, 700, 3_600_000].map((ttlMs) => ({ type: "t", ttlMs })),
      );
      jump();
      expect((await ask("GET", path)).json["joins"]).toMatchObject([
        { deadlines: { met: 0, missed: 3, dropped: 0, violations: 0 } },
      ]);
      expect((await poll()).map(({ attempt }) => attempt)).toEqual([1, 1, 1]);
      jump();
      expect((await poll()).map(({ number, attempt }) => [number, attempt])).toEqual([1, 2, 3].map((n) => [n, 2]));
      expect((await ask("GET", path)).json["joins"]).toMatchObject([{ deadlines: { missed: 3 } }]);
    },
  );
});

describe("a channel", () => {
  test.each([
    ['"window":{"lose":0,"of":0,"periodMs":1}', "invalid_value"],
    ['"window":{"lose":-1,"of":2,"periodMs":1}', "invalid_value"],
    ['"window":{"lose":3,"of":2,"periodMs":1}', "contradiction"],
    ['"window":{"lose":1,"of":65537,"periodMs":1}', "invalid_value"],
    ['"window":{"lose":0.5,"of":2,"periodMs":1}', "invalid_value"],
    ['"window":{"lose":1,"of":2,"periodMs":0}', "invalid_value"],
    ['"window":{"lose":1,"of":2,"periodMs":-1}', "invalid_value"],
    [`"window":{"lose":1,"of":2,"periodMs":${HUGE}}`, "invalid_value"],
    ['"window":{"lose":1,"of":2,"periodMs":86400001}', "invalid_value"],
    ['"window":{"lose":1,"of":2,"periodMs":"NaN"}', "invalid_value"],
    ['"window":{"lose":1,"of":2}', "invalid_value"],
    ['"late":"divert"', "contradiction"],
    ['"late":"divert","divertTo":"c"', "contradiction"],
    ['"late":"never"', "invalid_value"],
    ['"ttlMs":0', "invalid_value"],
    ['"ttlMs":-1', "invalid_value"],
    [`"ttlMs":${HUGE}`, "invalid_value"],
  ])("with delivery %s is refused as %s, and there is none", async (delivery, code) => {
    const { ask } = createTestControl();
    expect((await ask("PUT", "/v1/channels/c", `{"delivery":{${delivery}}}`)).json).toMatchObject({
      status: 422,
      code,
    });
    expect((await ask("GET", "/v1/channels/c")).status).toBe(404);
  });
});

describe("an event", () => {
  test.each([
    ['"deliverBy":"10000-01-01T00:00:00Z"', "invalid_value"],
    ['"deliverBy":"0000-12-31T23:59:59Z"', "time_out_of_range"],
    ['"deliverBy":"NaN"', "invalid_value"],
    ['"ttlMs":-1', "time_out_of_range"],
    [`"ttlMs":${HUGE}`, "invalid_value"],
    ['"ttlMs":1.5', "invalid_value"],
    ['"deliverBy":"2030-01-01T00:00:00Z","ttlMs":5', "invalid_value"],
  ])("with %s is refused as %s", async (fields, code) => {
    const { ask } = createTestControl();
    const { json } = await ask("POST", "/v1/channels/c/events", `{"type":"t",${fields}}`);
    expect(json).toMatchObject({ status: 422, code });
    expect(json).toHaveProperty("value");
  });

  test.each(['"deliverBy":"2000-01-01T00:00:00Z"', '"ttlMs":0', '"deliverBy":"9999-12-31T23:59:59.999Z"'])(
    "with %s is taken, and delivered where its channel does not drop it",
    async (fields) => {
      const { ask } = createTestControl();
      const { json: made } = await ask("POST", "/v1/inboxes", { ordering: "deadline" });
      await ask("PUT", `/v1/inboxes/${made["id"]}/joins/c`);
      expect((await ask("POST", "/v1/channels/c/events", `{"type":"t",${fields}}`)).status).toBe(200);
      expect((await ask("GET", `/v1/inboxes/${made["id"]}/events`)).json["data"]).toHaveLength(1);
    },
  );
});

describe.each(carriers)("in frames over %s", (carrier) => {
  test("what an inbox cannot be is refused, and the session goes on", async () => {
    const host = await startHost();
    const client = await connectTo(host, carrier);
    const refused = [
      [{ capacityEvents: CAPACITY_EVENTS_MAX + 1 }, [1, CAPACITY_EVENTS_MAX]],
      [{ capacityBytes: CAPACITY_BYTES_MAX + 1 }, [1, CAPACITY_BYTES_MAX]],
      [{ redeliverMs: 0 }, [1, limits.redeliverMsMax]],
      [{ attempts: 0 }, [1, limits.attemptsMax]],
    ] as const;
    for (const [index, [inbox, limit]] of refused.entries()) {
      client.send({ ref: index + 1, inbox });
      expect(await client.take("problem", index + 1)).toMatchObject({ code: "invalid_value", limit });
    }
    await client.join("c", { role: "both" });
    await client.publish("c", { type: "t" });
    await client.received(1);
  });

  test("credit that adds up to more than can be counted is endless, and none is none", async () => {
    const host = await startHost();
    const client = await connectTo(host, carrier);
    await client.join("c", { role: "both" });
    const most = Number.MAX_SAFE_INTEGER;
    for (const [index, credit] of [
      { events: most, bytes: most },
      { events: most },
      { events: 0, bytes: 0 },
    ].entries()) {
      client.send({ ref: index + 1, credit });
      await client.take("receipt", index + 1);
    }
    await client.publish("c", { type: "t" });
    await client.received(1);
  });

  test("numbers that were never delivered are refused", async () => {
    const host = await startHost();
    const client = await connectTo(host, carrier);
    await client.join("c");
    for (const [index, ack] of [{ through: 1 }, { numbers: [5] }].entries()) {
      client.send({ ref: index + 1, ack });
      expect(await client.take("problem", index + 1)).toMatchObject({ code: "ack_unknown", value: [1, 5][index] });
    }
  });

  test("numbers that were never delivered are told once where nobody asks, until there is another delivery", async () => {
    const host = await startHost();
    const client = await connectTo(host, carrier);
    await client.join("c", { role: "both" });
    const problems = () => client.told.filter(({ kind }) => kind === "problem");
    const flood = async (ref: number) => {
      for (let number = 10; number < 60; number++) client.send({ ack: { through: number } });
      client.send({ ref, ack: { through: 2 ** 40 } });
      return await client.take("problem", ref);
    };
    expect(await flood(1)).toMatchObject({ code: "ack_unknown", limit: 0 });
    expect(problems()).toHaveLength(2);
    await client.publish("c", { type: "t" });
    await client.received(1);
    const { detail, limit } = await flood(2);
    expect([detail, limit]).toEqual([expect.stringContaining("4294967295 or beyond"), 1]);
    expect(problems()).toHaveLength(4);
  });
});

test("credit in binary frames may be any number of 64 bits, and adds up to no more than can be counted", async () => {
  const host = await startHost();
  const client = await connectTo(host, "tcp");
  await client.join("c", { role: "both" });
  const most = 2n ** 64n - 1n;
  for (let ref = 1; ref <= 3; ref++) {
    const kind = { case: "credit" as const, value: { events: most, bytes: most } };
    client.sendRaw(sizeDelimited(encodeFrame({ ref, kind })));
    await client.take("receipt", ref);
  }
  await client.publish("c", { type: "t" }, { type: "t" });
  await client.received(2);
});
