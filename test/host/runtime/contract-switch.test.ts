/**
 * Goal: what a transition changes together is in force together, over a socket and while events flow.
 *
 * Two regions each have a filter, which lets one of two types through, and an ordering of the inbox that hears them. Publishers write as
 * fast as they can, batches of both types whose deadlines run against their order; a condition flips meanwhile. An event of the
 * marker is published by each transition, so sequences tell which region an event was decided in.
 */
import { expect, test } from "vitest";
import { serveForTest } from "../../hostile/host.ts";
import { type Client, connectTo, type Delivered } from "../support/client.ts";
import { turn, until } from "../support/until.ts";

const FLIPS = 24;
const BATCH = 8;

/** Events of a batch: types take turns, each later one is due earlier. */
const batch = (number: number): object[] =>
  Array.from({ length: BATCH }, (_, index) => ({
    type: index % 2 === 0 ? "even" : "odd",
    id: `${number}.${index}`,
    ttlMs: 60_000 - index * 5_000,
  }));

test("a filter and the ordering of an inbox change under load, at one place of the sequence", async () => {
  const host = await serveForTest();
  const { service } = host;
  const reach = { tcpPort: host.tcpPort, httpPort: host.port };
  service.conditions.put("side", { kind: "value", observed: true, initial: 0 });
  const sink = await connectTo(reach, "tcp");
  const sources: Client[] = [await connectTo(reach, "tcp"), await connectTo(reach, "ws-proto")];
  await sink.join("flow");
  for (const source of sources) await source.join("flow", { role: "source" });
  const put = async (path: string, body: object) => {
    const response = await fetch(`${host.url}/v1/${path}`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    expect([response.ok, await response.text()]).toMatchObject([true, expect.any(String)]);
  };
  const { data } = (await (await fetch(`${host.url}/v1/inboxes`)).json()) as { data: { id: string; role?: string }[] };
  const inbox = data[0]?.id as string;
  const side = (name: string, type: string, ordering: string) => ({
    from: "*",
    to: name,
    do: [
      { publish: { channel: "flow", event: { type: `to-${type}` } } },
      { configure: { inbox, patch: { ordering } } },
      { bind: { channel: "flow", stage: "out", route: { where: `type = '${type}' OR type LIKE 'to-%'` } } },
    ],
  });
  await put("contracts/switch", {
    regions: [{ name: "left", when: "side = 0" }, { name: "right" }],
    transitions: [side("left", "even", "fifo"), side("right", "odd", "deadline")],
  });
  await until(
    () => service.contracts.read("switch").path.length > 0,
    () => "the first region",
  );
  expect(service.contracts.read("switch")).toMatchObject({ path: ["left"], failures: 0 });

  let number = 0;
  for (let flip = 1; flip <= FLIPS; flip++) {
    for (let more = 0; more < 6; more++) {
      for (const source of sources) source.send({ publish: { channel: "flow", events: batch(++number) } });
      if (more % 2 === 0) await turn();
      if (more === 3) service.conditions.change([["side", { value: flip % 2 }]]);
    }
  }
  const receipts = await Promise.all(
    sources.map((source) => source.publish("flow", { type: "to-end", ttlMs: 600_000 })),
  );
  expect(receipts.flat()).toHaveLength(2);
  await until(
    () => sink.events.filter(({ type }) => type === "to-end").length === sources.length,
    () => "the end",
  );
  expect(service.contracts.read("switch").failures).toBe(0);

  const bySequence = [...sink.events].sort((one, other) => one.sequence - other.sequence);
  let now = "even";
  let segment = 0;
  const segmentOf = new Map<Delivered, number>();
  const batches = new Map<string, number>();
  for (const event of bySequence) {
    if (event.type === "to-even" || event.type === "to-odd") {
      now = event.type.slice(3);
      segment++;
    } else if (event.type !== "to-end") {
      expect([event.id, event.type]).toEqual([event.id, now]);
      segmentOf.set(event, segment);
      const of = event.id.split(".")[0] as string;
      batches.set(of, (batches.get(of) ?? 0) + 1);
    }
  }
  // Every flip was carried out, and no event of a batch was left out or came twice.
  expect(segment).toBeGreaterThanOrEqual(FLIPS);
  expect([...batches.values()].every((count) => count === BATCH / 2)).toBe(true);
  expect(batches.size).toBe(number);

  // What was decided in a region came in its order. Only what still waited when the next one began, the end of it, is in that one's.
  const orders = new Map<string, number[]>();
  for (const event of sink.events) {
    const [of = "", index] = event.id.split(".");
    if (segmentOf.has(event)) orders.set(of, [...(orders.get(of) ?? []), Number(index)]);
  }
  const isOwn = (of: string): boolean => {
    const indexes = orders.get(of) as number[];
    const ranks = (indexes[0] as number) % 2 === 0 ? indexes : [...indexes].reverse();
    return ranks.every((one, index) => index === 0 || one > (ranks[index - 1] as number));
  };
  const ownBySegment = new Map<number, string>();
  for (const [event, at] of segmentOf) {
    const [of = "", index] = event.id.split(".");
    if (index === "0" || index === "1") ownBySegment.set(at, (ownBySegment.get(at) ?? "") + (isOwn(of) ? "o" : "n"));
  }
  for (const own of ownBySegment.values()) expect(own).toMatch(/^o*n*$/);
  expect([...ownBySegment.values()].join("")).toContain("o");
});
