/** `POST …/explain`: verdict, stage, reason and the words that decided, per sink. */
import { describe, expect, test } from "vitest";
import { createTestControl } from "./support.ts";

/** A channel with polled inboxes as sinks, by their joins. */
async function withSinks(...joins: readonly object[]) {
  const control = createTestControl({}, { implicitChannels: true });
  const inboxes: string[] = [];
  for (const join of joins) {
    const { json } = await control.ask("POST", "/v1/inboxes");
    const id = String(json["id"]);
    inboxes.push(id);
    expect((await control.ask("PUT", `/v1/inboxes/${id}/joins/c`, join)).status).toBe(201);
  }
  const explain = async (event: object, query = "") => control.ask("POST", `/v1/channels/c/explain${query}`, event);
  return { ...control, inboxes, explain };
}

type Entry = { verdict: string; stage: string; reason: string; expression?: object; inbox: object; member: string };
const entries = (json: Record<string, unknown>): Entry[] => json["data"] as Entry[];

describe("POST /v1/channels/{channel}/explain", () => {
  test("tells each sink's verdict, with the part of its expression that decided", async () => {
    const { explain, inboxes, service } = await withSinks(
      {},
      { types: ["other"] },
      { where: "load < 0.5 AND zone = 'eu'" },
      { where: "zone = 'eu' AND\n(load > 2 OR nothere = 1)" },
      { where: "zone = sink.zone", attributes: { zone: "us" } },
    );
    const { status, json } = await explain({ type: "t", attributes: { load: 0.9, zone: "eu" } });
    expect(status).toBe(200);
    expect(json).toMatchObject({ sinks: 1, next: null, event: { type: "t", attributes: { load: 0.9, zone: "eu" } } });
    const data = entries(json);
    expect(data.map(({ verdict, stage, reason }) => [verdict, stage, reason])).toEqual([
      ["delivered", null, null],
      ["rejected", "match", "type"],
      ["rejected", "match", "where"],
      ["rejected", "match", "missing"],
      ["rejected", "match", "where"],
    ]);
    expect(data.map(({ expression }) => expression)).toEqual([
      undefined,
      undefined,
      { text: "load < 0.5", line: 1, column: 1, missing: [] },
      { text: "load > 2 OR nothere = 1", line: 2, column: 2, missing: ["nothere"] },
      { text: "zone = sink.zone", line: 1, column: 1, missing: [] },
    ]);
    expect(data[0]).toMatchObject({
      host: service.hostId,
      rank: null,
      region: null,
      inbox: { id: inboxes[0], depth: 0, position: 1 },
    });
  });

  test("agrees with publishing, whatever the event", async () => {
    const { explain, ask } = await withSinks({ where: "n > 3" }, { where: "n BETWEEN 2 AND 5" }, { types: ["a"] }, {});
    for (let n = 0; n < 8; n++) {
      const event = { type: n % 2 === 0 ? "a" : "b", attributes: { n } };
      const { json } = await explain(event);
      const published = await ask("POST", "/v1/channels/c/events", event);
      expect((published.json["results"] as { sinks: number }[])[0]?.sinks).toBe(json["sinks"]);
    }
  });

  test("position counts what waits; a held inbox holds; a full one that rejects says so", async () => {
    const { explain, ask, inboxes } = await withSinks({}, {}, {});
    await ask("PATCH", `/v1/inboxes/${inboxes[1]}`, { held: true });
    await ask("PATCH", `/v1/inboxes/${inboxes[2]}`, { capacityEvents: 2, overflow: "reject" });
    for (let round = 0; round < 2; round++) await ask("POST", "/v1/channels/c/events", { type: "t" });
    expect(entries((await explain({ type: "t" })).json)).toMatchObject([
      { verdict: "delivered", inbox: { depth: 2, position: 3 } },
      { verdict: "held", stage: "inbox", reason: "held", inbox: { depth: 2, position: 3 } },
      { verdict: "rejected", stage: "inbox", reason: "capacity", inbox: { depth: 2, position: null } },
    ]);
  });

  test("position is where the inbox's ordering would put the event", async () => {
    const orderings = ["fifo", "lifo", "priority", "deadline", "priority+deadline", "time", "window"];
    const { explain, ask, inboxes } = await withSinks(...orderings.map(() => ({})));
    for (const [index, ordering] of orderings.entries())
      await ask("PATCH", `/v1/inboxes/${inboxes[index]}`, { ordering });
    const event = (priority: number, ttlMs: number, seconds: number) => ({
      type: "t",
      priority,
      ttlMs,
      time: new Date(seconds * 1_000).toISOString(),
    });
    await ask("POST", "/v1/channels/c/events", [event(9, 40_000, 4), event(5, 10_000, 2), event(1, 30_000, 3)]);
    const positions = async (asked: object) =>
      entries((await explain(asked)).json).map(({ inbox }) => (inbox as { position: number }).position);
    expect(await positions(event(5, 20_000, 1))).toEqual([4, 1, 3, 2, 3, 1, 4]);
    expect(await positions(event(9, 5_000, 9))).toEqual([4, 1, 2, 1, 1, 4, 4]);
    expect(await positions({ type: "t" })).toEqual([4, 1, 3, 4, 3, 4, 4]);
  });

  test("has no side effects: sequence, inboxes and statistics stay, no channel comes into being", async () => {
    const { explain, ask, service } = await withSinks({}, { where: "n > 1" });
    const before = { ...service.statistics() };
    for (let round = 0; round < 5; round++) await explain({ type: "t", key: "k", attributes: { n: round } });
    const { httpAnswersTotal: _now, ...after } = service.statistics();
    const { httpAnswersTotal: _then, ...same } = before;
    expect(after).toEqual(same);
    expect((await ask("POST", "/v1/channels/new/explain", { type: "t" })).json).toMatchObject({
      status: 404,
      code: "channel_unknown",
    });
    expect(service.channels.get("new")).toBeUndefined();
  });

  test("`as` is the member that submits, for echo", async () => {
    const { explain, ask } = await withSinks({}, {});
    await ask("PUT", "/v1/channels/c", { echo: false });
    const [first] = entries((await explain({ type: "t" })).json);
    const { json } = await explain({ type: "t" }, `?as=${first?.member}`);
    expect(entries(json).map(({ reason }) => reason)).toEqual(["echo", null]);
    expect((await explain({ type: "t" }, "?as=m999")).json).toMatchObject({ status: 404, code: "member_unknown" });
    expect((await explain({ type: "t" }, "?as=nobody")).json).toMatchObject({ status: 422, code: "invalid_value" });
  });

  test("a channel that would not take the event says why", async () => {
    const { explain, ask } = await withSinks({});
    await ask("PUT", "/v1/channels/c", { types: ["a"] });
    expect((await explain({ type: "b" })).json).toMatchObject({
      sinks: 0,
      data: [],
      refused: { code: "type_refused" },
    });
  });

  test("a text that is not UTF-8 is refused as it is when published", async () => {
    const { ask, explain } = await withSinks({});
    await explain({ type: "t" });
    const bytes = Buffer.from('{"type":"t","source":"/\xac"}', "latin1");
    expect((await ask("POST", "/v1/channels/c/explain", bytes)).json).toMatchObject({ status: 400, code: "not_utf8" });
    expect((await ask("POST", "/v1/channels/c/events", bytes)).json).toMatchObject({ status: 400, code: "not_utf8" });
  });

  test("comes in pages", async () => {
    const { explain } = await withSinks({}, {}, {}, {}, {});
    const { json } = await explain({ type: "t" }, "?limit=2");
    expect(entries(json)).toHaveLength(2);
    const { json: rest } = await explain({ type: "t" }, `?limit=10&cursor=${json["next"]}`);
    expect(entries(rest)).toHaveLength(3);
    expect(rest["next"]).toBeNull();
  });

  test.each([
    [{ typ: "t" }, "", 400, "unknown_field"],
    [[{ type: "t" }], "", 422, "invalid_value"],
    [{ type: "t", priority: 99 }, "", 422, "priority_out_of_range"],
    [{ type: "t" }, "?colour=1", 400, "unknown_field"],
  ])("refuses %j%s", async (event, query, status, code) => {
    const { explain } = await withSinks({});
    expect((await explain(event, query)).json).toMatchObject({ status, code });
  });
});
