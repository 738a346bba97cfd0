/** Filters and attributes that a source brings in its join, over every carrier. */
import { describe, expect, test } from "vitest";
import { defaultDefinition, withFilter } from "../../../host/channel/definition.ts";
import { bindingFromJson } from "../../../host/filter/route.ts";
import { type Carrier, type Client, carriers, connectTo } from "../support/client.ts";
import { startHost, type TestHost } from "../support/host.ts";
import { until } from "../support/until.ts";

/** Sinks of "c" on one carrier each, by their attributes. */
async function sinks(host: TestHost, carrier: Carrier, ...attributes: readonly object[]): Promise<Client[]> {
  const clients = await Promise.all(attributes.map(() => connectTo(host, carrier)));
  for (const [index, client] of clients.entries()) await client.join("c", { attributes: attributes[index] });
  return clients;
}

/** Publishes an event that all sinks get, of another source, and waits for it: then everything before has come, too. */
async function types(host: TestHost, ...clients: readonly Client[]): Promise<string[][]> {
  const plain = await connectTo(host, "tcp");
  await plain.publish("c", { type: "end" });
  const ended = (client: Client) => client.events.some(({ type }) => type === "end");
  await until(
    () => clients.every(ended),
    () => "the last event",
  );
  return clients.map(({ events }) => events.map(({ type }) => type).filter((type) => type !== "end"));
}

describe.each(carriers)("over %s", (carrier) => {
  test("filters of a join decide about that member's own events, and nobody else's", async () => {
    const host = await startHost();
    const [eu, us] = (await sinks(host, carrier, { zone: "eu" }, { zone: "us" })) as [Client, Client];
    const source = await connectTo(host, carrier);
    const out = { routes: [{ when: "type = 'a'", where: "sink.zone = 'eu'" }, { where: "sink.zone = zone" }] };
    await source.join("c", { role: "source", filters: { out, in: { route: { unique: {} } } } });
    const us1 = { type: "b", attributes: { zone: "us" }, key: "k" };
    const results = await source.publish("c", { type: "a" }, us1, us1);
    // The first is told after OUT; what IN takes away is no matter of selection.
    expect(results.map(({ sinks: selected }) => selected).slice(0, 2)).toEqual([1, 1]);
    expect(await types(host, eu, us)).toEqual([["a"], ["b"]]);
  });

  test("they run before the channel's, and go with the member", async () => {
    const host = await startHost();
    const lowest = bindingFromJson({ route: { orderBy: "sink.load", limit: 1 } });
    host.service.channels.put("c", withFilter(defaultDefinition, "out", lowest));
    const [a, b, c] = (await sinks(host, carrier, { load: 1 }, { load: 2, big: true }, { load: 3, big: true })) as [
      Client,
      Client,
      Client,
    ];
    const source = await connectTo(host, carrier);
    const { member } = await source.join("c", { role: "source", filters: { out: { route: { where: "sink.big" } } } });
    await source.publish("c", { type: "both" });
    source.send({ leave: { member } });
    await source.take("left");
    await source.publish("c", { type: "channel" });
    await source.join("c", { role: "source" });
    await source.publish("c", { type: "again" });
    host.service.channels.put("c", defaultDefinition);
    expect(await types(host, a, b, c)).toEqual([["channel", "again"], ["both"], []]);
  });

  test("piggyback: what an event says becomes the member's own, and counts from the next event on", async () => {
    const host = await startHost();
    host.service.channels.put(
      "c",
      withFilter(defaultDefinition, "out", bindingFromJson({ route: { orderBy: "sink.load", limit: 1 } })),
    );
    const [one, other] = (await Promise.all([connectTo(host, carrier), connectTo(host, carrier)])) as [Client, Client];
    const both = { role: "both", piggyback: ["load", "zone"] };
    await one.join("c", { ...both, attributes: { load: 1 } });
    await other.join("c", { ...both, attributes: { load: 2 } });
    const source = await connectTo(host, carrier);
    await source.publish("c", { type: "first" });
    await one.publish("c", { type: "load", attributes: { load: 9, zone: "eu", other: 1 } });
    await source.publish("c", { type: "second" });
    const attributes = host.service.members.list("c").find(({ role, member }) => role === "both" && member === 1);
    expect(Object.keys(attributes?.attributes() ?? {}).sort()).toEqual(["load", "zone"]);
    host.service.channels.put("c", defaultDefinition);
    expect(await types(host, one, other)).toEqual([["first"], ["load", "second"]]);
  });

  test("a reply goes to the one that asked", async () => {
    const host = await startHost();
    const binding = bindingFromJson({
      routes: [{ reply: { response: "type = 'response'" }, orderBy: "sink.load", limit: 1 }],
    });
    host.service.channels.put("c", withFilter(defaultDefinition, "out", binding));
    const clients = await Promise.all([0, 1, 2].map(() => connectTo(host, carrier)));
    const [asker, server, other] = clients as [Client, Client, Client];
    await asker.join("c", { role: "both" });
    await server.join("c", { role: "both", attributes: { load: 0 } });
    await other.join("c", { role: "both", attributes: { load: 1 } });
    await asker.publish("c", { type: "request", key: "q" });
    await server.received(1);
    await server.publish("c", { type: "response", key: "q" }, { type: "response", key: "nobody's" });
    host.service.channels.put("c", defaultDefinition);
    expect(await types(host, asker, server, other)).toEqual([["response"], ["request"], []]);
  });
});

test("an anonymous publish after a join with filters is not the member's", async () => {
  const host = await startHost();
  const [sink] = (await sinks(host, "tcp", {})) as [Client];
  const source = await connectTo(host, "tcp");
  await source.join("d", { role: "source", filters: { out: { route: { limit: 0 } } } });
  await source.publish("c", { type: "other channel" });
  await source.publish("d", { type: "none" });
  expect(await types(host, sink)).toEqual([["other channel"]]);
});
