/** `POST …/explain` of a channel with filters: the route that decided, how each sink stood in it, and the words that put it out. */
import { describe, expect, test } from "vitest";
import { TestCarrier } from "../support/carrier.ts";
import { createTestControl } from "./support.ts";

const path = "/v1/channels/c";

interface Entry {
  readonly member: string;
  readonly verdict: string;
  readonly stage: string | null;
  readonly reason: string | null;
  readonly rank: number | null;
  readonly expression?: { readonly text: string; readonly missing: readonly string[] };
  readonly route?: Readonly<Record<string, unknown>>;
}

/** A channel with filters and polled inboxes as sinks, by their attributes. */
async function withSinks(filters: object, ...attributes: readonly object[]) {
  const control = createTestControl();
  const { ask } = control;
  await ask("PUT", path, { filters });
  for (const one of attributes) {
    const id = String((await ask("POST", "/v1/inboxes")).json["id"]);
    await ask("PUT", `/v1/inboxes/${id}/joins/c`, { attributes: one });
  }
  const explain = async (event: object, query = ""): Promise<Entry[]> => {
    const { json } = await ask("POST", `${path}/explain${query}`, { type: "t", ...event });
    return json["data"] as Entry[];
  };
  return { ...control, explain };
}

const told = ({ verdict, stage, reason, rank }: Entry) => [verdict, stage, reason, rank];

describe("routes in explain", () => {
  test("tell rank, value, charge, age and selections, also of those that are not chosen", async () => {
    const route = { where: "sink.load < 0.8 AND sink.zone = zone", orderBy: "sink.load", limit: 1, charge: 0.5 };
    const { explain, ask, clock } = await withSinks(
      { out: { routes: [{ when: "type = 'other'" }, route] } },
      { load: 0.4, zone: "eu" },
      { load: 0.2, zone: "eu" },
      { load: 0.9, zone: "eu" },
      { load: 0.1, zone: "us" },
      { zone: "eu" },
    );
    const event = { attributes: { zone: "eu" } };
    clock.advance(250);
    await ask("POST", `${path}/events`, { type: "t", ...event });
    const data = await explain(event);
    expect(data.map(told)).toEqual([
      ["delivered", null, null, 1],
      ["rejected", "out", "route.limit", 2],
      ["rejected", "out", "route.where", null],
      ["rejected", "out", "route.where", null],
      ["rejected", "out", "route.where", null],
    ]);
    const summary = "1 best by sink.load where sink.load < 0.8 AND sink.zone = zone, each choice costs 0.5";
    expect(data[0]?.route).toEqual({
      of: "channel",
      stage: "out",
      index: 1,
      summary,
      value: 0.4,
      charge: 0,
      ageMs: 250,
      selections: 0,
    });
    expect(data[1]?.route).toMatchObject({ index: 1, value: 0.2, charge: 0.5, ageMs: 250, selections: 1 });
    expect(data.slice(2).map(({ expression }) => expression)).toMatchObject([
      { text: "sink.load < 0.8", missing: [] },
      { text: "sink.zone = zone", missing: [] },
      { text: "sink.load < 0.8", missing: ["sink.load"] },
    ]);
    expect((await explain({ type: "other" })).map(({ route: one, verdict }) => [verdict, one?.["index"]])).toEqual(
      Array(5).fill(["delivered", 0]),
    );
  });

  test("tell the stage, and of a sink that both let through how OUT chose it", async () => {
    const filters = {
      out: { route: { orderBy: "sink.load", limit: 2 } },
      in: { route: { unique: { withinMs: 60_000 } } },
    };
    const { explain, ask } = await withSinks(filters, { load: 1 }, { load: 2 }, { load: 3 });
    const before = await explain({ key: "k" });
    expect(before.map(told)).toEqual([
      ["delivered", null, null, 1],
      ["delivered", null, null, 2],
      ["rejected", "out", "route.limit", 3],
    ]);
    expect(before.map(({ route }) => route?.["stage"])).toEqual(["out", "out", "out"]);
    await ask("POST", `${path}/events`, { type: "t", key: "k" });
    const after = await explain({ key: "k" });
    expect(after.map(({ stage, reason }) => [stage, reason])).toEqual([
      ["in", "route.unique"],
      ["in", "route.unique"],
      ["out", "route.limit"],
    ]);
    expect(after[0]?.route).toMatchObject({
      stage: "in",
      summary: "all, unique by key for 5 s".replace("5 s", "60 s"),
    });
    // A dry run leaves nothing behind.
    expect((await ask("GET", `${path}/filters/in`)).json["counters"]).toMatchObject([{ events: 1, keys: 1 }]);
  });

  test("tell of a route that the submitter brought itself, and of a reply", async () => {
    const reply = { reply: { response: "type = 'response'" } };
    const { explain, service, settle } = await withSinks({ out: { route: reply } }, { zone: "eu" }, { zone: "us" });
    const carrier = new TestCarrier(service);
    const filters = { out: { route: { where: "sink.zone = 'eu'" } } };
    carrier.send({ kind: { case: "join", value: { channel: "c", role: "both", filters } } });
    settle();
    const [eu, us, own] = await explain({}, "?as=m3");
    expect(eu).toMatchObject({ verdict: "delivered", route: { of: "channel" } });
    expect(us).toMatchObject({
      verdict: "rejected",
      reason: "route.where",
      route: { of: "source", stage: "out", index: 0, summary: "all where sink.zone = 'eu'" },
      expression: { text: "sink.zone = 'eu'" },
    });
    expect(own).toMatchObject({ verdict: "rejected", reason: "echo" });
    expect((await explain({ type: "response", key: "q" })).map(({ reason }) => reason)).toEqual([
      "route.reply",
      "route.reply",
      "route.reply",
    ]);
  });

  test("agree with publishing", async () => {
    const routes = [
      { when: "n < 3", where: "sink.n >= n", orderBy: "sink.n", descending: true, limit: "n" },
      { when: "n < 6", limit: 1, per: "sink.group" },
      { unique: {} },
    ];
    const attributes = Array.from({ length: 6 }, (_, n) => ({ n, group: n % 2 === 0 ? "a" : "b" }));
    const { explain, ask } = await withSinks({ out: { routes } }, ...attributes);
    for (const n of [0, 1, 2, 3, 4, 5, 6, 6, 7]) {
      const event = { type: "t", key: `k${n}`, attributes: { n } };
      const expected = (await explain(event)).filter(({ verdict }) => verdict === "delivered").length;
      const { json } = await ask("POST", `${path}/events`, event);
      expect((json["results"] as { sinks: number }[])[0]?.sinks).toBe(expected);
    }
  });
});
