/** `where` over sockets: who gets what, and how a bad one is refused. */
import { describe, expect, test } from "vitest";
import { carriers, connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";
import { until } from "../support/until.ts";

const events = [
  { type: "load", id: "1", attributes: { load: 0.2, zone: "eu" } },
  { type: "load", id: "2", attributes: { load: 0.9, zone: "eu" } },
  { type: "load", id: "3", attributes: { load: 0.9, zone: "us" } },
  { type: "other", id: "4", attributes: { zone: "eu" } },
];

describe("join with where", () => {
  test.each(carriers)("%s: only what the expression holds of", async (carrier) => {
    const host = await startHost();
    const [sink, all, source] = await Promise.all([
      connectTo(host, carrier),
      connectTo(host, "tcp"),
      connectTo(host, "ws-json"),
    ]);
    await sink.join("c", { where: "load > 0.5 AND zone = 'eu' OR type = 'other'" });
    await all.join("c");
    const results = await source.publish("c", ...events);
    expect(results.map(({ sinks }) => sinks)).toEqual([1, 2, 1, 2]);
    await all.received(4);
    expect((await sink.received(2)).map(({ id }) => id)).toEqual(["2", "4"]);
  });

  test("sink.NAME follows updates", async () => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, "ws-json"), connectTo(host, "tcp")]);
    const { member } = await sink.join("c", { where: "zone = sink.zone", attributes: { zone: "eu" } });
    await source.publish("c", ...events);
    expect((await sink.received(3)).map(({ id }) => id)).toEqual(["1", "2", "4"]);
    sink.send({ ref: 9, update: { member, attributes: { zone: "us" } } });
    await sink.take("receipt", 9);
    await source.publish("c", ...events);
    expect((await sink.received(4)).map(({ id }) => id)).toEqual(["1", "2", "4", "3"]);
  });

  test("the pure dialect has no fractions and counts in 32 bits", async () => {
    const host = await startHost();
    const sink = await connectTo(host, "ws-json");
    sink.send({ ref: 1, join: { channel: "c", where: "load > 0.5", dialect: "cesql" } });
    expect(await sink.take("problem", 1)).toMatchObject({ code: "expression" });
    await sink.join("c", { where: "LENGTH(zone) = 2", dialect: "cesql" });
    await (await connectTo(host, "tcp")).publish("c", ...events);
    expect(await sink.received(4)).toHaveLength(4);
  });

  test("a bad expression is refused before anything happens, with line and column", async () => {
    const host = await startHost();
    const sink = await connectTo(host, "ws-json");
    sink.send({ ref: 1, join: { channel: "unheard-of", where: "load >\n  AND" } });
    expect(await sink.take("problem", 1)).toMatchObject({ code: "expression", value: "AND" });
    expect(host.service.channels.get("unheard-of")).toBeUndefined();
  });

  test("sessions that end give memory and names back", async () => {
    const host = await startHost();
    const used = (): number => host.service.statistics()["pagesUsed"] ?? 0;
    const round = async (from: number): Promise<number> => {
      const sink = await connectTo(host, "tcp");
      await Promise.all(
        Array.from({ length: 200 }, (_, at) => sink.join(`c${at}`, { where: `load > ${from + at} AND name${at} = 1` })),
      );
      sink.send({ ping: {} });
      await sink.take("pong");
      sink.end(false);
      await until(
        () => host.service.sessionCount === 0,
        () => "the session to end",
      );
      return used();
    };
    await round(0);
    const pages = await round(1_000);
    expect(await round(2_000)).toBe(pages);
  });
});
