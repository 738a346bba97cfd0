/** `/v1/channels/{channel}/filters/{stage}`: who gets an event, as an operator says it, changes it and looks at it. */
import { describe, expect, test } from "vitest";
import { type Answer, createTestControl, type TestControl } from "./support.ts";

const path = "/v1/channels/c";
const out = `${path}/filters/out`;
const leastLoaded = { orderBy: "sink.load", limit: 1 };

interface Routed extends TestControl {
  /** Publishes and tells which sinks got each event, by their index, in the order of the sinks. */
  deliver(...events: object[]): Promise<number[][]>;
  /** Sets live attributes of a sink. */
  update(sink: number, attributes: object): Promise<Answer>;
}

/** A channel "c" with polled inboxes as sinks, by their attributes. */
async function withSinks(...attributes: readonly object[]): Promise<Routed> {
  const control = createTestControl();
  const { ask } = control;
  await ask("PUT", path, {});
  const sinks: { id: string; member: string }[] = [];
  for (const one of attributes) {
    const id = String((await ask("POST", "/v1/inboxes")).json["id"]);
    const { json } = await ask("PUT", `/v1/inboxes/${id}/joins/c`, { attributes: one });
    sinks.push({ id, member: String(json["member"]) });
  }
  return {
    ...control,
    async deliver(...events) {
      const got: number[][] = [];
      for (const event of events) {
        await ask("POST", `${path}/events`, { type: "t", ...event });
        const polls = await Promise.all(sinks.map(({ id }) => ask("GET", `/v1/inboxes/${id}/events`)));
        got.push(polls.flatMap(({ json }, index) => ((json["data"] as unknown[]).length > 0 ? [index] : [])));
      }
      return got;
    },
    update: (sink, changed) => ask("PATCH", `${path}/members/${sinks[sink]?.member}`, { attributes: changed }),
  };
}

describe("PUT /v1/channels/{channel}/filters/{stage}", () => {
  test("binds from the next event on; GET shows routes, summary and what they did; DELETE lets all get events", async () => {
    const { ask, deliver, update } = await withSinks({ load: 0.5 }, { load: 0.2 }, {});
    expect(await deliver({})).toEqual([[0, 1, 2]]);
    const bound = await ask("PUT", out, { route: leastLoaded });
    expect(bound.status).toBe(201);
    expect(bound.headers.get("location")).toBe(out);
    expect(await deliver({}, {})).toEqual([[1], [1]]);
    await update(1, { load: 0.9 });
    expect(await deliver({})).toEqual([[0]]);
    const { json } = await ask("GET", out);
    expect(json).toEqual({
      channel: "c",
      stage: "out",
      routes: [leastLoaded],
      summary: "1 best by sink.load",
      counters: [
        {
          route: "1 best by sink.load",
          events: 3,
          sinks: 3,
          nobody: 0,
          duplicates: 0,
          evicted: 0,
          unanswered: 0,
          keys: 0,
        },
      ],
    });
    expect((await ask("GET", path)).json["filters"]).toEqual({ in: null, out: { routes: [leastLoaded] } });
    expect((await ask("DELETE", out)).status).toBe(204);
    expect(await deliver({})).toEqual([[0, 1, 2]]);
    expect((await ask("GET", path)).json["filters"]).toEqual({ in: null, out: null });
  });

  test("tries routes in order, and none decides where none's `when` holds", async () => {
    const { ask, deliver } = await withSinks({ zone: "eu" }, { zone: "us" });
    const routes = [
      { when: "type = 'a'", where: "sink.zone = 'eu'" },
      { when: "type IN ('a', 'b')", where: "sink.zone = zone" },
    ];
    await ask("PUT", out, { routes });
    const us = { attributes: { zone: "us" } };
    expect(await deliver({ type: "a", ...us }, { type: "b", ...us }, { type: "c", ...us })).toEqual([[0], [1], [0, 1]]);
    const { json } = await ask("GET", out);
    expect((json["counters"] as { events: number }[]).map(({ events }) => events)).toEqual([1, 1]);
  });

  test("takes back what GET shows, and an identical filter changes nothing: tag, counters, what is remembered", async () => {
    const { ask, deliver } = await withSinks({});
    const first = await ask("PUT", `${path}/filters/in`, { route: { unique: { withinMs: 60_000 } } });
    expect(await deliver({ key: "k" }, { key: "k" })).toEqual([[0], []]);
    const shown = await ask("GET", `${path}/filters/in`);
    const again = await ask("PUT", `${path}/filters/in`, shown.json);
    expect(again.status).toBe(200);
    expect(again.headers.get("etag")).toBe(first.headers.get("etag"));
    expect(again.json).toEqual(shown.json);
    expect(again.json["counters"]).toMatchObject([{ events: 2, duplicates: 1, keys: 1 }]);
    expect(await deliver({ key: "k" })).toEqual([[]]);
  });

  test("keeps what `unique` remembers where the new routes have the same; counters begin anew", async () => {
    const { ask, deliver } = await withSinks({});
    const unique = { withinMs: 60_000 };
    await ask("PUT", out, { route: { unique } });
    await deliver({ key: "k" });
    const { status, json } = await ask("PUT", out, { route: { unique, limit: 1 } });
    expect(status).toBe(200);
    expect(json["counters"]).toMatchObject([{ events: 0, keys: 1 }]);
    expect(await deliver({ key: "k" }, { key: "new" })).toEqual([[], [0]]);
  });

  test("two operators who bind at once: the second hears that the filter is another one than it expects", async () => {
    const { ask } = await withSinks({});
    const seen = (await ask("PUT", out, { route: leastLoaded })).headers.get("etag") ?? "";
    const [one, other] = await Promise.all([
      ask("PUT", out, { route: { limit: 1 } }, { "if-match": seen }),
      ask("PUT", out, { route: { limit: 2 } }, { "if-match": seen }),
    ]);
    expect([one.status, other.status]).toEqual([200, 412]);
    expect(other.json).toMatchObject({ code: "precondition_failed", limit: one.headers.get("etag") });
    expect((await ask("GET", out)).json["routes"]).toEqual([{ limit: 1 }]);
    expect((await ask("DELETE", out, undefined, { "if-match": seen })).status).toBe(412);
    expect((await ask("PUT", out, { route: {} }, { "if-none-match": "*" })).status).toBe(412);
    expect((await ask("PUT", `${path}/filters/in`, { route: {} }, { "if-none-match": "*" })).status).toBe(201);
  });

  test("GET answers 304 while the routes are the same, whatever was counted", async () => {
    const { ask, deliver } = await withSinks({});
    const etag = (await ask("PUT", out, { route: leastLoaded })).headers.get("etag") ?? "";
    await deliver({});
    expect((await ask("GET", out, undefined, { "if-none-match": etag })).status).toBe(304);
  });

  test.each([
    ["GET", "/v1/channels/nobody/filters/out", undefined, 404, "channel_unknown"],
    ["PUT", "/v1/channels/nobody/filters/out", { route: {} }, 404, "channel_unknown"],
    ["GET", out, undefined, 404, "not_found"],
    ["DELETE", out, undefined, 404, "not_found"],
    ["GET", `${path}/filters/on`, undefined, 404, "not_found"],
    ["POST", out, {}, 405, "method_not_allowed"],
    ["PUT", out, {}, 422, "invalid_value"],
    ["PUT", out, { module: "least-loaded" }, 422, "not_supported"],
    ["PUT", out, { routes: Array(65).fill({}) }, 422, "invalid_value"],
    ["PUT", out, { route: { oderBy: "sink.load" } }, 400, "unknown_field"],
    ["PUT", out, { route: { choose: "random", charge: 1 } }, 422, "contradiction"],
    ["PUT", out, { route: { when: "sink.load < 1" } }, 422, "expression"],
    ["PUT", `${out}?dry=1`, { route: {} }, 400, "unknown_field"],
  ])("%s %s with %j is %i %s, and nothing is bound", async (method, target, body, status, code) => {
    const { ask } = await withSinks();
    expect((await ask(method, target, body)).json).toMatchObject({ status, code });
    expect((await ask("GET", path)).json["filters"]).toEqual({ in: null, out: null });
  });

  test("an expression that is refused names field, line, column and what could stand there", async () => {
    const { ask } = await withSinks();
    const { json } = await ask("PUT", out, { routes: [{}, { where: "sink.load <\n  AND b" }] });
    expect(json).toMatchObject({ status: 422, code: "expression", line: 2, column: 3, value: "AND" });
    expect(json["detail"]).toContain("routes[1].where");
    expect((json["expected"] as string[]).length).toBeGreaterThan(0);
  });

  test("64 routes with every field are taken, and unbound again without a trace", async () => {
    const { ask, service } = await withSinks({ load: 1 });
    const route = {
      when: "type = 't' AND n = 1",
      where: "sink.load < 2",
      orderBy: "sink.load",
      descending: true,
      limit: "n",
      per: "sink.zone",
      charge: 0.5,
      maxAgeMs: 1_000,
      unique: { by: "key", withinMs: 10, maxKeys: 5 },
      reply: { response: "type = 'r'", withinMs: 10, maxKeys: 5 },
    };
    const bindTwice = async (charge: number) => {
      for (const [step, status] of [201, 200].entries()) {
        const routes = Array.from({ length: 64 }, (_, index) => ({ ...route, charge: charge + step + index }));
        expect((await ask("PUT", out, { routes })).status).toBe(status);
      }
      expect((await ask("DELETE", out)).status).toBe(204);
      return service.statistics()["pagesUsed"];
    };
    const once = await bindTwice(0);
    for (let round = 1; round < 6; round++) expect(await bindTwice(round * 100)).toBe(once);
  });
});

describe("the filters of a channel resource", () => {
  test("are put, patched as a whole, unbound by null, and left out by PUT", async () => {
    const { ask, deliver } = await withSinks({ load: 2 }, { load: 1 });
    expect((await ask("PATCH", path, { filters: { out: { routes: [leastLoaded] } } })).status).toBe(200);
    expect(await deliver({})).toEqual([[1]]);
    // A filter is one thing: `route` takes the place of `routes`, and the other stage stays.
    const patch = { filters: { out: { route: { ...leastLoaded, descending: true } }, in: { route: { unique: {} } } } };
    expect((await ask("PATCH", path, patch)).status).toBe(200);
    expect(await deliver({})).toEqual([[0]]);
    const patched = await ask("PATCH", path, { filters: { out: null } });
    expect(patched.json["filters"]).toEqual({ in: { routes: [{ unique: {} }] }, out: null });
    expect(await deliver({})).toEqual([[0, 1]]);
    await ask("PUT", path, { filters: { out: { route: leastLoaded } } });
    expect((await ask("GET", path)).json["filters"]).toEqual({ in: null, out: { routes: [leastLoaded] } });
    await ask("PUT", path, {});
    expect((await ask("GET", path)).json["filters"]).toEqual({ in: null, out: null });
  });

  test("change the tag of the channel, not each other's", async () => {
    const { ask } = await withSinks();
    const etag = async (target: string) => (await ask("GET", target)).headers.get("etag");
    const before = await etag(path);
    await ask("PUT", out, { route: leastLoaded });
    const bound = await etag(path);
    expect(bound).not.toBe(before);
    const filter = await etag(out);
    await ask("PUT", `${path}/filters/in`, { route: {} });
    expect(await etag(out)).toBe(filter);
    expect(await etag(path)).not.toBe(bound);
  });

  test("decide echo where nobody said: off while an OUT filter is bound", async () => {
    const { ask } = await withSinks();
    const echo = async () => (await ask("GET", path)).json["echo"];
    expect(await echo()).toBe(true);
    await ask("PUT", `${path}/filters/in`, { route: {} });
    expect(await echo()).toBe(true);
    await ask("PUT", out, { route: leastLoaded });
    expect(await echo()).toBe(false);
    // A patch of something else leaves it unsaid.
    await ask("PATCH", path, { delivery: { priority: 7 } });
    await ask("DELETE", out);
    expect(await echo()).toBe(true);
    await ask("PATCH", path, { echo: true });
    await ask("PUT", out, { route: leastLoaded });
    expect(await echo()).toBe(true);
    await ask("PATCH", path, { echo: null });
    expect(await echo()).toBe(false);
  });

  test("come from templates, whole, and a channel's own word counts more", async () => {
    const { ask } = createTestControl();
    await ask("PUT", "/v1/templates/all", { pattern: ">", filters: { out: { routes: [{ limit: 1 }] } } });
    await ask("PUT", "/v1/templates/jobs", { pattern: "jobs.>", filters: { out: { route: { limit: 2 } } } });
    await ask("PUT", "/v1/channels/other", {});
    await ask("PUT", "/v1/channels/jobs.a", {});
    await ask("PUT", "/v1/channels/jobs.b", { filters: { out: null } });
    const bound = async (name: string) =>
      ((await ask("GET", `/v1/channels/${name}`)).json["filters"] as { out: unknown }).out;
    expect(await bound("other")).toEqual({ routes: [{ limit: 1 }] });
    expect(await bound("jobs.a")).toEqual({ routes: [{ limit: 2 }] });
    expect(await bound("jobs.b")).toBeNull();
    expect((await ask("PATCH", "/v1/channels/jobs.a", { filters: { out: null } })).status).toBe(200);
    expect(await bound("jobs.a")).toBeNull();
    const refused = await ask("PUT", "/v1/templates/bad", { pattern: "x", filters: { in: { route: { when: "(" } } } });
    expect(refused.json).toMatchObject({ code: "expression", line: 1, column: 2 });
    expect(refused.json["detail"]).toContain("filters.in.route.when");
  });
});

describe("delivery.empty", () => {
  const nobody = { route: { where: "sink.ready" } };

  test("drop: the event is gone, and counted", async () => {
    const { ask, deliver, update } = await withSinks({});
    await ask("PUT", out, nobody);
    expect(await deliver({})).toEqual([[]]);
    await update(0, { ready: true });
    expect(await deliver({})).toEqual([[0]]);
    expect((await ask("GET", out)).json["counters"]).toMatchObject([{ events: 2, nobody: 1, sinks: 1 }]);
  });

  test("divert: it goes to another channel, also to one that comes later, and nowhere when that is gone", async () => {
    const { ask, deliver } = await withSinks({});
    const delivery = { empty: "divert", divertTo: "parked" };
    expect((await ask("PATCH", path, { delivery })).status).toBe(200);
    expect((await ask("GET", path)).json["delivery"]).toMatchObject(delivery);
    await ask("PUT", out, nobody);
    await deliver({});
    const id = String((await ask("POST", "/v1/inboxes")).json["id"]);
    await ask("PUT", `/v1/inboxes/${id}/joins/parked`, {});
    const parked = async () => ((await ask("GET", `/v1/inboxes/${id}/events`)).json["data"] as unknown[]).length;
    expect(await parked()).toBe(0);
    await deliver({});
    expect(await parked()).toBe(1);
    await ask("DELETE", "/v1/channels/parked");
    await ask("PUT", "/v1/channels/another", {});
    expect(await deliver({})).toEqual([[]]);
    await ask("PATCH", path, { delivery: { empty: "drop" } });
    expect(await deliver({})).toEqual([[]]);
  });

  test("hold: it waits until a sink qualifies", async () => {
    const { ask, deliver, update, settle } = await withSinks({});
    await ask("PATCH", path, { delivery: { empty: "hold" } });
    await ask("PUT", out, nobody);
    expect(await deliver({ key: "k" })).toEqual([[]]);
    await update(0, { ready: true });
    settle();
    const inboxes = (await ask("GET", "/v1/inboxes")).json["data"] as { id: string }[];
    const { json } = await ask("GET", `/v1/inboxes/${inboxes[0]?.id}/events`);
    expect(json["data"]).toMatchObject([{ event: { key: "k" } }]);
  });
});

describe("what routes count", () => {
  test("stands in /v1/stats by channel and stage, and in /metrics by stage only", async () => {
    const { ask, deliver } = await withSinks({ load: 1 }, { load: 2 });
    await ask("PUT", out, { routes: [{ when: "type = 'none'" }, leastLoaded] });
    await ask("PUT", `${path}/filters/in`, { route: { unique: {} } });
    await deliver({ key: "k" }, { key: "k" });
    const stats = (await ask("GET", "/v1/stats?of=channels")).json["data"] as Record<string, unknown>[];
    expect(stats[0]?.["filters"]).toMatchObject({
      out: { summary: "none: all; 1 best by sink.load", events: 2, sinks: 2 },
      in: { events: 2, duplicates: 1, keys: 1 },
    });
    const metrics = async () => (await ask("GET", "/metrics")).text.split("\n").filter((line) => /filter/.test(line));
    const before = await metrics();
    expect(before).toContain('sluice_filters{stage="out"} 1');
    expect(before).toContain('sluice_filter_events_total{stage="out"} 2');
    expect(before).toContain('sluice_filter_duplicates_total{stage="in"} 1');
    expect(before).toContain('sluice_filter_keys{stage="in"} 1');
    // What was counted stays counted when a filter, or its channel, goes.
    await ask("DELETE", out);
    await ask("DELETE", path);
    const after = await metrics();
    expect(after).toContain('sluice_filters{stage="out"} 0');
    expect(after).toContain('sluice_filter_events_total{stage="out"} 2');
    expect(after).toContain('sluice_filter_duplicates_total{stage="in"} 1');
    expect(after).toContain('sluice_filter_keys{stage="in"} 0');
    expect(after.filter((line) => !line.startsWith("#"))).toHaveLength(16);
  });
});
