/** The inbox of a service manager: order, overflow, deadlines and acknowledgements of what its handlers get. */
import { describe, expect, test } from "vitest";
import { createClocks, defaultDefinition, type ManagerOptions, type ReceivedEvent } from "../../../../host/index.ts";
import { open } from "../../support/embedded.ts";
import { ManualClock } from "../../support/service.ts";
import { until } from "../../support/until.ts";

const types = (events: readonly ReceivedEvent[]): string[] => events.map(({ type }) => type);

describe("acknowledgements", () => {
  const explicit: ManagerOptions = { ack: "explicit", redeliverMs: 1, attempts: 3 };

  test("an event is acknowledged when its handlers are done, and only those that failed get it again", async () => {
    const host = await open();
    const farm = host.serviceManager("farm", explicit);
    const got: string[] = [];
    farm.handler("c", (_event, { attempt }) => got.push(`good ${attempt}`));
    farm.handler("c", async (_event, { attempt }) => {
      got.push(`bad ${attempt}`);
      if (attempt < 3) throw new Error("not yet");
    });
    host.channel("c").publish({ type: "t" });
    await until(
      () => got.length === 4 && farm.status().unacknowledged === 0,
      () => `three attempts, ${got}`,
    );
    expect(got).toEqual(["good 1", "bad 1", "bad 2", "bad 3"]);
    expect(host.service.statistics()).toMatchObject({ redeliveriesTotal: 2, unacknowledged: 0 });
  });

  test("what fails each time goes to the dead-letter channel", async () => {
    const host = await open();
    const farm = host.serviceManager("farm", { ...explicit, deadLetter: "dead" });
    const dead: string[] = [];
    host.serviceManager("undertaker").handler("dead", ({ type }) => dead.push(type));
    farm.handler("c", () => {
      throw new Error("never");
    });
    host.channel("c").publish({ type: "t" });
    await until(
      () => dead.length === 1,
      () => "the dead letter",
    );
    expect(farm.status()).toMatchObject({ calls: 3, errors: 3, unacknowledged: 0 });
  });

  test("while a handler is at work its event is kept", async () => {
    const host = await open();
    const farm = host.serviceManager("farm", { ack: "explicit" });
    let release = (): void => {};
    farm.handler(
      "c",
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    host.channel("c").publish({ type: "t" });
    for (const kept of [1, 0]) {
      await until(
        () => farm.status().unacknowledged === kept,
        () => `${kept} events that are kept`,
      );
      release();
    }
  });
});

describe("the inbox", () => {
  test("orders what waits, and is changed without loss while it does", async () => {
    const host = await open();
    const farm = host.serviceManager("farm", { held: true, ordering: "priority" });
    const got: ReceivedEvent[] = [];
    farm.handler("c", (event) => got.push(event));
    for (const priority of [1, 9, 5]) host.channel("c").publish({ type: `p${priority}`, priority });
    farm.configure({ ordering: "lifo" });
    farm.configure({ held: false });
    await farm.settled();
    expect(types(got)).toEqual(["p5", "p9", "p1"]);
    farm.configure({ ordering: "priority", held: true });
    for (const priority of [1, 9, 5]) host.channel("c").publish({ type: `q${priority}`, priority });
    farm.configure({ held: null });
    await farm.settled();
    expect(types(got.slice(3))).toEqual(["q9", "q5", "q1"]);
    expect(() => farm.configure({ ordering: "none" })).toThrow(expect.objectContaining({ code: "invalid_value" }));
  });

  test("something urgent that comes while a handler is at work goes before what waits", async () => {
    const host = await open();
    const farm = host.serviceManager("farm", { ordering: "priority" });
    const got: string[] = [];
    farm.handler("c", async ({ type }) => {
      got.push(type);
      if (type === "first") host.channel("c").publish({ type: "urgent", priority: 9 });
      await new Promise((resolve) => setTimeout(resolve, 1));
    });
    for (const type of ["first", "second", "third"]) host.channel("c").publish({ type });
    await farm.settled();
    expect(got).toEqual(["first", "urgent", "second", "third"]);
  });

  test("its overflow is told", async () => {
    const dropped: unknown[] = [];
    const host = await open();
    const farm = host.serviceManager("farm", {
      capacityEvents: 2,
      held: true,
      onDropped: (told) => dropped.push(told),
    });
    farm.handler("c", () => {});
    for (let event = 0; event < 5; event++) host.channel("c").publish({ type: "t" });
    farm.configure({ held: false });
    await farm.settled();
    expect(farm.status().events).toBe(2);
    expect(dropped).toEqual([{ channel: "c", reason: "overflow", count: 3 }]);
  });

  test("a policy to disconnect ends the manager, which hears why", async () => {
    const ended: string[] = [];
    const host = await open();
    const farm = host.serviceManager("farm", {
      capacityEvents: 2,
      overflow: "disconnect",
      onEnd: (reason) => ended.push(reason),
    });
    farm.handler("c", () => {});
    for (let event = 0; event < 5; event++) host.channel("c").publish({ type: "t" });
    await until(
      () => ended.length === 1,
      () => "the end",
    );
    expect(ended).toEqual(["disconnect"]);
    expect(() => farm.handler("c", () => {})).toThrow(expect.objectContaining({ code: "inbox_unknown" }));
  });

  test("deadlines are met when the handlers are done; what is late is not begun where the channel says so", async () => {
    const service = new ManualClock();
    const host = await open({ clocks: { ...createClocks(), service } });
    host.service.channels.put("firm", {
      ...defaultDefinition,
      delivery: { ...defaultDefinition.delivery, late: "drop" },
    });
    const farm = host.serviceManager("farm", { select: { mode: "batch" } });
    const got: string[] = [];
    farm.handler(["firm", "soft"], async ({ type }) => {
      got.push(type);
      service.advance(10);
    });
    host.channel("soft").publish({ type: "met", ttlMs: 10 });
    host.channel("soft").publish({ type: "missed", ttlMs: 15 });
    host.channel("firm").publish({ type: "dropped", ttlMs: 19 });
    await farm.settled();
    expect(got).toEqual(["met", "missed"]);
    expect(farm.status().deadlines).toEqual({ met: 1, missed: 1, dropped: 1 });
  });

  test("with delayMs its handlers wait for more events: until a batch is full, the first has waited so long, or would be late", async () => {
    const service = new ManualClock();
    const host = await open({ clocks: { ...createClocks(), service } });
    const farm = host.serviceManager("farm", { select: { mode: "batch", events: 3, delayMs: 100 } });
    const got: string[] = [];
    farm.handler("c", ({ type }) => got.push(type));
    farm.handler("c", () => {});
    const publish = (...all: string[]) => {
      for (const type of all) host.channel("c").publish({ type });
    };
    const pass = async (ms: number) => {
      service.advance(ms);
      // What may leave has its turns of the loop.
      for (let turns = 0; turns < 5; turns++) await new Promise<void>((resolve) => setImmediate(resolve));
      return got.splice(0);
    };
    publish("a", "b");
    expect([await pass(0), await pass(99)]).toEqual([[], []]);
    expect(farm.status()).toMatchObject({ waiting: 2, calls: 0 });
    expect(await pass(1)).toEqual(["a", "b"]);
    publish("c", "d", "e");
    expect(await pass(0)).toEqual(["c", "d", "e"]);
    publish("f");
    host.channel("c").publish({ type: "urgent", ttlMs: 40 });
    expect([await pass(0), await pass(20)]).toEqual([[], []]);
    expect(await pass(19)).toEqual(["f", "urgent"]);
    // When that deadline is over as well, nothing hurries the next one.
    expect(await pass(10)).toEqual([]);
    publish("g");
    expect(await pass(0)).toEqual([]);
    farm.configure({ select: { delayMs: 0 } });
    expect(await pass(0)).toEqual(["g"]);
    // One entry an event, whoever handles it.
    expect(farm.status()).toMatchObject({ events: 8, calls: 16, waiting: 0, deadlines: { met: 1, missed: 0 } });
  });
});
