/** Routes: an operator binds one over HTTP, sinks on every carrier tell their load, a source brings a filter of its own. */
import { expect } from "vitest";
import { carriers, connectTo } from "../host/support/client.ts";
import type { Suite } from "./suite.ts";

/** Adds the tests. */
export function addRouteTests({ host, check }: Suite): void {
  check("a route sends events to the least loaded sink, whatever carrier tells its load", async () => {
    const channel = `${host().url}/v1/channels/routes`;
    const put = (path: string, body: object): Promise<Response> =>
      fetch(channel + path, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    await put("", {});
    const sinks = await Promise.all(carriers.map((carrier) => connectTo(host(), carrier)));
    const members: string[] = [];
    for (const [index, sink] of sinks.entries())
      members.push((await sink.join("routes", { attributes: { load: 0.5 + index / 10 } })).member);
    const bound = await put("/filters/out", { route: { orderBy: "sink.load", limit: 1 } });
    expect([bound.status, (await bound.json()).summary]).toEqual([201, "1 best by sink.load"]);
    const source = await connectTo(host(), "tcp");
    for (const [index, sink] of sinks.entries()) {
      sink.send({ ref: 7, update: { member: members[index], attributes: { load: 0.1 - index / 100 } } });
      await sink.take("receipt", 7);
      expect(await source.publish("routes", { type: `to ${index}` })).toMatchObject([{ sinks: 1 }]);
      expect((await sink.received(1)).map(({ type }) => type)).toEqual([`to ${index}`]);
    }
    const own = { in: { route: { unique: {} } }, out: { route: { when: "key = 'none'", limit: 0 } } };
    const picky = await connectTo(host(), "ws-json");
    await picky.join("routes", { role: "source", filters: own });
    const results = await picky.publish("routes", { type: "t", key: "none" }, { type: "t", key: "k" });
    expect(results).toMatchObject([{ sinks: 0 }, { sinks: 1 }]);
    const { counters } = await (await fetch(`${channel}/filters/out`)).json();
    // What the source's own filter left nobody of is counted there as an event for nobody, or not at all.
    expect(counters).toMatchObject([{ sinks: carriers.length + 1 }]);
    expect((await fetch(`${channel}/filters/out`, { method: "DELETE" })).status).toBe(204);
    expect(await source.publish("routes", { type: "all" })).toMatchObject([{ sinks: carriers.length }]);
  });
}
