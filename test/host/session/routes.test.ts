/** What could go wrong with routes on a live host: bad loads, many sinks, sinks that go, keys without end, a core that fails. */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { type ChannelDefinition, defaultDefinition, withFilter } from "../../../host/channel/definition.ts";
import { SluiceError } from "../../../host/errors.ts";
import { bindingFromJson } from "../../../host/filter/route.ts";
import type { Value } from "../../../host/gen/sluice/v1/event_pb.ts";
import { type Event, EventSchema } from "../../../host/gen/sluice/v1/event_pb.ts";
import { createTestControl } from "../control/support.ts";
import { TestCarrier } from "../support/carrier.ts";
import { createTestService } from "../support/service.ts";

const routed = (route: object): ChannelDefinition => withFilter(defaultDefinition, "out", bindingFromJson({ route }));
const event = (type = "t", fields: MessageInitShape<typeof EventSchema> = {}): Event =>
  create(EventSchema, { ...fields, type });

/** A service with a channel "c" and sinks that count what they get. */
function withSinks(route: object, count: number, attributes: (index: number) => Record<string, number | string>) {
  const made = createTestService();
  made.service.channels.put("c", routed(route));
  const got = new Array<number>(count).fill(0);
  const subscriptions = got.map((_, index) =>
    made.service.subscribe("c", {
      attributes: attributes(index),
      onEvents: (events) => {
        got[index] = (got[index] ?? 0) + events.length;
      },
    }),
  );
  const publish = (events: Event[]): number[] => {
    const results = made.service.publish("c", events);
    made.settle();
    return results.map((result) => ("sinks" in result ? result.sinks : -1));
  };
  return { ...made, got, subscriptions, publish };
}

describe("loads that are no numbers", () => {
  test("NaN and infinities of binary clients rank last or at the ends, and harm nobody", async () => {
    const control = createTestControl();
    const { service, settle, ask } = control;
    service.channels.put("c", routed({ orderBy: "sink.load", limit: 3 }));
    const loads = [Number.NaN, Number.POSITIVE_INFINITY, 5, Number.NEGATIVE_INFINITY];
    const carriers = loads.map((value) => {
      const carrier = new TestCarrier(service);
      const load = { kind: { case: "number" as const, value } };
      carrier.send({ kind: { case: "join", value: { channel: "c", attributes: { load } } } });
      return carrier;
    });
    settle();
    service.publish("c", [event()]);
    settle();
    expect(carriers.map((carrier) => carrier.delivered())).toEqual([0, 1, 1, 1]);
    const members = (await ask("GET", "/v1/channels/c/members")).json["data"] as { attributes: object }[];
    expect(members.slice(0, 3).map(({ attributes }) => attributes)).toEqual([{}, {}, { load: 5 }]);
    expect((await ask("POST", "/v1/channels/c/explain", { type: "t" })).status).toBe(200);
  });

  test("a limit that is NaN, negative or no number is none, nobody, none", () => {
    const { publish } = withSinks({ limit: "n" }, 3, () => ({}));
    const n = (kind: Value["kind"]) => event("t", { attributes: { n: { kind } } });
    expect(
      publish([
        n({ case: "number", value: Number.NaN }),
        n({ case: "integer", value: -1n }),
        n({ case: "number", value: 1.9 }),
        n({ case: "number", value: Number.POSITIVE_INFINITY }),
        n({ case: "text", value: "two" }),
        event(),
      ]),
    ).toEqual([3, 0, 1, 3, 3, 3]);
  });
});

describe("many", () => {
  test("5,000 sinks have routes: the best is found, and the load of one of them moves it", () => {
    const { publish, got, subscriptions } = withSinks({ orderBy: "sink.load", limit: 2 }, 5_000, (index) => ({
      load: (index * 7_919) % 5_000,
    }));
    expect(publish([event()])).toEqual([2]);
    const chosen = got.flatMap((count, index) => (count > 0 ? [index] : []));
    expect(chosen.map((index) => (index * 7_919) % 5_000)).toEqual([0, 1].sort((a, b) => a - b).slice(0, 2));
    subscriptions[4_321]?.update({ load: -1 });
    publish([event()]);
    expect(got[4_321]).toBe(1);
  });

  test("100,000 keys in a memory of 1,000 are bounded, and what was forgotten is counted", () => {
    const { service, publish, got } = withSinks({ unique: { withinMs: 60_000, maxKeys: 1_000 } }, 1, () => ({}));
    for (let batch = 0; batch < 25; batch++) {
      publish(Array.from({ length: 4_000 }, (_, index) => event("t", { key: `k${batch * 4_000 + index}` })));
    }
    publish([event("t", { key: "k99999" }), event("t", { key: "k0" })]);
    expect(got).toEqual([100_001]);
    expect(service.channels.get("c")?.routeCounters("out")).toMatchObject([
      { events: 100_002, duplicates: 1, keys: 1_000, evicted: 99_001 },
    ]);
  });

  test("equal loads are spread evenly between two updates", () => {
    const { publish, got } = withSinks({ orderBy: "sink.load", limit: 1 }, 4, () => ({ load: 0.5 }));
    for (let batch = 0; batch < 10; batch++) publish(Array.from({ length: 1_000 }, () => event()));
    expect(got).toEqual([2_500, 2_500, 2_500, 2_500]);
  });
});

describe("a sink that leaves", () => {
  test("between selection and delivery gets nothing, and the next event goes to another", () => {
    const { service, settle } = createTestService();
    service.channels.put("c", routed({ orderBy: "sink.load", limit: 1 }));
    const carriers = [1, 2].map((load) => {
      const carrier = new TestCarrier(service);
      const attributes = { load: { kind: { case: "integer" as const, value: BigInt(load) } } };
      carrier.send({ kind: { case: "join", value: { channel: "c", attributes } } });
      return carrier;
    });
    settle();
    const selected = (): number => (service.publish("c", [event()])[0] as { sinks: number }).sinks;
    expect(selected()).toBe(1);
    carriers[0]?.connection.closed();
    settle();
    expect(carriers.map((carrier) => carrier.delivered())).toEqual([0, 0]);
    expect(selected()).toBe(1);
    settle();
    expect(carriers[1]?.delivered()).toBe(1);
  });
});

describe("events that wait for a sink", () => {
  const hold = {
    ...routed({ where: "sink.ready" }),
    delivery: { ...defaultDefinition.delivery, empty: "hold" as const },
  };

  test.each([
    ["a sink that comes", "join"],
    ["an update of one", "update"],
    ["another filter", "filter"],
    ["a filter that is taken away", "unbind"],
  ] as const)("are delivered by %s, in order, in the same turn", (_name, by) => {
    const { service, settle } = createTestService();
    service.channels.put("c", hold);
    const got: string[] = [];
    const subscribe = (attributes: Record<string, boolean>) =>
      service.subscribe("c", {
        attributes,
        onEvents: (events) => got.push(...events.map(({ event: told }) => told.type)),
      });
    const subscription = subscribe({ up: true });
    service.publish("c", [event("a"), event("b")]);
    settle();
    expect(got).toEqual([]);
    const bind = (route: object | null) =>
      service.channels.setFilter("c", "out", route === null ? null : bindingFromJson({ route }));
    if (by === "join") subscribe({ ready: true });
    else if (by === "update") subscription.update({ ready: true });
    else bind(by === "filter" ? { where: "sink.up" } : null);
    settle();
    expect(got).toEqual(["a", "b"]);
  });
});

describe("a trap of the core", () => {
  test("filters are bound again in the new core, with counters from 0, and diversion to the new number", () => {
    const { service, settle } = createTestService();
    const parked: string[] = [];
    const divert = { ...routed({ where: "sink.ready" }).filters };
    service.channels.put("before", defaultDefinition);
    service.channels.put("c", {
      ...defaultDefinition,
      filters: divert,
      delivery: { ...defaultDefinition.delivery, empty: "divert", divertTo: "parked" },
    });
    service.channels.put("parked", defaultDefinition);
    service.channels.remove("before");
    service.subscribe("parked", { onEvents: (events) => parked.push(...events.map(({ event: told }) => told.type)) });
    service.publish("c", [event("one")]);
    settle();
    service.core.exports = {
      ...service.core.exports,
      ingestFrame: () => {
        throw new WebAssembly.RuntimeError("unreachable");
      },
    };
    expect(() => service.publish("c", [event()])).toThrow(SluiceError);
    expect(service.epoch).toBe(2);
    service.publish("c", [event("two")]);
    settle();
    expect(parked).toEqual(["one", "two"]);
    expect(service.channels.get("c")?.routeCounters("out")).toMatchObject([{ events: 1, nobody: 1 }]);
    expect(service.channels.filterTotals.read("out").events).toBe(1);
  });

  test("while a filter is bound: who asked hears it, and the one before is in force", () => {
    const { service } = createTestService();
    service.channels.put("c", routed({ limit: 1 }));
    service.core.exports = {
      ...service.core.exports,
      routesAdd: () => {
        throw new WebAssembly.RuntimeError("unreachable");
      },
    };
    const other = bindingFromJson({ route: { limit: 2 } });
    expect(() => service.channels.setFilter("c", "out", other)).toThrow(
      expect.objectContaining({ code: "core_restarted" }),
    );
    expect(service.channels.get("c")?.definition.filters.out?.routes[0]?.limit).toBe(1);
    expect(service.channels.filterTotals.count("out")).toBe(1);
  });

  test("a core that refuses leaves everything as it was", () => {
    const { service } = createTestService();
    service.channels.put("c", routed({ limit: 1 }));
    const { exports } = service.core;
    const both = { in: bindingFromJson({ route: { unique: {} } }), out: bindingFromJson({ route: { limit: 2 } }) };
    let calls = 0;
    // The second list, that of IN, finds no room: OUT, bound just before, must be as it was.
    service.core.exports = { ...exports, routesAdd: (at, bytes) => (++calls === 2 ? 0 : exports.routesAdd(at, bytes)) };
    expect(() => service.channels.put("c", { ...defaultDefinition, filters: both })).toThrow(SluiceError);
    service.core.exports = exports;
    expect(service.channels.get("c")?.definition.filters).toMatchObject({ in: null, out: { routes: [{ limit: 1 }] } });
    for (let index = 0; index < 3; index++) service.subscribe("c", { onEvents: () => {} });
    expect(service.publish("c", [event()])).toMatchObject([{ sinks: 1 }]);
  });
});
