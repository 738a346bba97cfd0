/** Service managers of an embedded host: one inbox, any number of handlers, monitors beside them. */
import { describe, expect, onTestFinished, test } from "vitest";
import { defaultDefinition, type HandlerFailure, serveHost } from "../../../../host/index.ts";
import { connectTo } from "../../support/client.ts";
import { open } from "../../support/embedded.ts";
import { until } from "../../support/until.ts";

describe("handlers", () => {
  test("each event waits once, and every handler that wants it is called, in the order of attaching", async () => {
    const host = await open();
    const farm = host.serviceManager("farm");
    const got: string[] = [];
    farm.handler("load", ({ type }) => got.push(`all ${type}`));
    farm.handler("load", ({ type }) => got.push(`high ${type}`), { types: ["high"] });
    farm.handler("load", ({ type }) => got.push(`much ${type}`), { where: "cpu > 0.5" });
    const load = host.channel("load");
    expect(load.publish({ type: "high", attributes: { cpu: 0.9 } })).toMatchObject({ sinks: 1 });
    load.publish({ type: "low", attributes: { cpu: 0.1 } });
    expect(farm.status()).toMatchObject({ waiting: 2, calls: 0, handlers: 3 });
    await farm.settled();
    expect(got).toEqual(["all high", "high high", "much high", "all low"]);
    expect(farm.status()).toMatchObject({ waiting: 0, events: 2, calls: 4, errors: 0, unhandled: 0 });
  });

  test("the manager is one sink of a channel that wants what any handler wants, as handlers come and go", async () => {
    const host = await open();
    const farm = host.serviceManager("farm");
    const channel = host.channel("c");
    const sinks = (event: { type: string; attributes?: Record<string, number> }) => channel.publish(event).sinks;
    const a = farm.handler("c", () => {}, { types: ["a"] });
    expect([sinks({ type: "a" }), sinks({ type: "b" })]).toEqual([1, 0]);
    const n = farm.handler("c", () => {}, { where: "n > 1" });
    expect([sinks({ type: "b", attributes: { n: 2 } }), sinks({ type: "b", attributes: { n: 1 } })]).toEqual([1, 0]);
    expect(sinks({ type: "a" })).toBe(1);
    a.leave();
    expect([sinks({ type: "a" }), sinks({ type: "a", attributes: { n: 2 } })]).toEqual([0, 1]);
    n.leave();
    expect(host.service.channels.get("c")?.sinks()).toBe(0);
    expect(farm.status().handlers).toBe(0);
  });

  test("one handler serves several channels and patterns, and gets each event once", async () => {
    const host = await open();
    const farm = host.serviceManager("farm");
    const got: string[] = [];
    const handler = farm.handler(["a", "sensors.*"], ({ type }, { channel }) => got.push(`${channel} ${type}`));
    handler.join("sensors.one");
    expect(handler.channels).toEqual(["a", "sensors.*", "sensors.one"]);
    for (const name of ["a", "sensors.one", "sensors.two", "b"]) host.channel(name).publish({ type: "t" });
    await farm.settled();
    expect(got).toEqual(["a t", "sensors.one t", "sensors.two t"]);
    handler.leave("sensors.*");
    for (const name of ["a", "sensors.one", "sensors.two"]) host.channel(name).publish({ type: "u" });
    await farm.settled();
    expect(got.slice(3)).toEqual(["a u", "sensors.one u"]);
  });

  test("what one throws or rejects is told and counted, and the others get the event", async () => {
    const failures: HandlerFailure[] = [];
    const host = await open();
    const farm = host.serviceManager("farm", { onError: (failure) => failures.push(failure), timeoutMs: 20 });
    const got: string[] = [];
    const thrower = farm.handler("c", () => {
      throw new Error("thrown");
    });
    farm.handler("c", () => Promise.reject(new Error("rejected")));
    farm.handler("c", () => new Promise(() => {}));
    farm.handler("c", ({ type }) => got.push(type));
    host.channel("c").publish({ type: "t" });
    await farm.settled();
    expect(got).toEqual(["t"]);
    expect(failures.map(({ error }) => (error as Error).message).sort()).toEqual([
      "A handler took longer than 20 ms",
      "rejected",
      "thrown",
    ]);
    expect(failures[0]).toMatchObject({ event: { type: "t" }, context: { channel: "c", number: 1, attempt: 1 } });
    expect(farm.status()).toMatchObject({ calls: 4, errors: 3 });
    expect(thrower.status()).toEqual({ calls: 1, errors: 1 });
    expect(host.service.statistics()).toMatchObject({ handlerErrorsTotal: 3 });
  });

  test("an event that nobody wants any more when its turn comes is counted", async () => {
    const host = await open();
    const farm = host.serviceManager("farm");
    farm.handler("c", () => {}, { types: ["a"] });
    const gone = farm.handler("c", () => {}, { types: ["b"] });
    host.channel("c").publish({ type: "b" });
    gone.leave();
    await farm.settled();
    expect(farm.status()).toMatchObject({ events: 1, unhandled: 1, calls: 0 });
  });

  test.each([
    { where: "n >", code: "expression" },
    { types: [""], code: "invalid_value" },
  ])("refuses $code, and leaves the manager as it was", async ({ code, ...options }) => {
    const host = await open();
    const farm = host.serviceManager("farm");
    farm.handler("c", () => {}, { types: ["a"] });
    expect(() => farm.handler("c", () => {}, options)).toThrow(expect.objectContaining({ code }));
    expect(() => farm.handler(["d", "a b"], () => {})).toThrow(expect.objectContaining({ code: "channel_name" }));
    expect(farm.status().handlers).toBe(1);
    expect(host.channel("c").publish({ type: "b" }).sinks).toBe(0);
    expect(host.service.channels.get("d")?.sinks()).toBe(0);
  });
});

describe("emit()", () => {
  test("returns before any handler is called, whatever the handlers take", async () => {
    const host = await open();
    const slow = host.serviceManager("slow");
    const quick = host.serviceManager("quick");
    const got: string[] = [];
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    slow.handler("c", () => held);
    quick.handler("c", ({ type }) => got.push(type));
    const monitor = host.channel("c").monitor();
    for (const type of ["a", "b"]) expect(monitor.emit({ type })).toMatchObject({ sinks: 2 });
    expect(got).toEqual([]);
    await quick.settled();
    // The slow one has begun with the first; the second waits in its inbox and nowhere else.
    expect(got).toEqual(["a", "b"]);
    expect(slow.status()).toMatchObject({ events: 1, waiting: 1 });
    release();
    await slow.settled();
    expect(slow.status()).toMatchObject({ events: 2, waiting: 0 });
  });

  test("where a sink blocks events wait in the monitor's own outbox, and are told when that is full", async () => {
    const host = await open();
    const farm = host.serviceManager("farm", { capacityEvents: 10, overflow: "block", held: true });
    farm.handler("c", () => {});
    const [one, other] = [host.channel("c").monitor(), host.channel("c").monitor()];
    let waits = 0;
    for (let round = 0; round < 40; round++) if (one.emit({ type: "t" }).sequence === 0) waits++;
    expect(waits).toBeGreaterThan(0);
    expect(one.outbox()).toMatchObject({ events: waits });
    expect(other.outbox()).toEqual({ events: 0, bytes: 0 });
    expect(one.outbox().bytes).toBeGreaterThan(0);
    const fill = () => {
      for (let round = 0; round < 100_000; round++) one.emit({ type: "t" });
    };
    expect(fill).toThrow(expect.objectContaining({ code: "no_credit" }));
    const { events } = one.outbox();
    farm.configure({ held: false });
    await until(
      () => farm.status().events === 40 - waits + events,
      () => "all that was accepted",
    );
    expect(one.outbox()).toEqual({ events: 0, bytes: 0 });
  });

  test("a channel with a single source has one monitor, until that leaves", async () => {
    const host = await open();
    host.service.channels.put("c", { ...defaultDefinition, source: "single" });
    const monitor = host.channel("c").monitor();
    monitor.emit({ type: "a" });
    expect(() => host.channel("c").monitor()).toThrow(expect.objectContaining({ code: "source_taken" }));
    expect(() => host.channel("c").publish({ type: "b" })).toThrow(expect.objectContaining({ code: "source_taken" }));
    monitor.leave();
    expect(() => monitor.emit({ type: "c" })).toThrow(expect.objectContaining({ code: "not_member" }));
    expect(host.channel("c").monitor().emit({ type: "d" })).toMatchObject({ sequence: 2 });
  });

  test("a monitor serves several channels, and has attributes of its own", async () => {
    const host = await open();
    const got: string[] = [];
    const farm = host.serviceManager("farm");
    farm.handler(["a", "b"], ({ type }, { channel }) => got.push(`${channel} ${type}`));
    const monitor = farm.monitor("a", { attributes: { zone: "eu" }, piggyback: ["load"] });
    monitor.join("b");
    monitor.emit({ type: "one", attributes: { load: 0.5 } });
    monitor.emit({ type: "two" }, { channel: "b" });
    expect(() => monitor.emit({ type: "three" }, { channel: "c" })).toThrow(
      expect.objectContaining({ code: "not_member" }),
    );
    monitor.update({ zone: "us" });
    await farm.settled();
    expect(got).toEqual(["a one", "b two"]);
    const source = host.service.members.list("a").find(({ role }) => role === "source");
    expect(Object.keys(source?.attributes() ?? {}).sort()).toEqual(["load", "zone"]);
    farm.leave();
    expect(host.service.channels.get("a")?.sources()).toBe(0);
  });
});

describe("cascades", () => {
  test("handlers may publish; what they bring about is counted in hops, behind their awaits too", async () => {
    const host = await open();
    const farm = host.serviceManager("farm");
    const hops: number[] = [];
    const reply = farm.monitor("b");
    farm.handler("a", async () => {
      await new Promise((resolve) => setTimeout(resolve, 1));
      reply.emit({ type: "t" });
    });
    farm.handler("b", () => void host.channel("c").publish({ type: "t", attributes: { kept: 1 } }));
    farm.handler("c", ({ attributes }, context) => {
      hops.push(context.hops);
      expect(attributes).toEqual({ kept: 1, cascade_hops: 2 });
    });
    host.channel("a").publish({ type: "t" });
    await until(
      () => hops.length === 1,
      () => "the last of the cascade",
    );
    expect(hops).toEqual([2]);
  });

  test("a loop ends at the limit: the handler is refused, and that is counted and told", async () => {
    const failures: HandlerFailure[] = [];
    const host = await open();
    const farm = host.serviceManager("farm", { hopsMax: 5, onError: (failure) => failures.push(failure) });
    const other = host.serviceManager("other", { hopsMax: 50 });
    const [ping, pong] = [farm.monitor("ping"), other.monitor("pong")];
    farm.handler("pong", () => void ping.emit({ type: "ping" }));
    other.handler("ping", () => void pong.emit({ type: "pong" }));
    host.channel("ping").publish({ type: "ping" });
    await until(
      () => failures.length === 1,
      () => "the refusal",
    );
    expect(failures[0]?.error).toMatchObject({ code: "limit_reached", limit: 5, value: 6 });
    expect(farm.status()).toMatchObject({ cascadesRefused: 1, errors: 1 });
    expect(other.status()).toMatchObject({ cascadesRefused: 0 });
    expect(host.service.statistics()).toMatchObject({ cascadesRefusedTotal: 1 });
    // Others may publish to those channels as before.
    expect(host.channel("ping").publish({ type: "other" }).sinks).toBe(1);
  });

  test("one that never ends leaves the event loop its turns", async () => {
    const host = await open();
    const farm = host.serviceManager("farm", { hopsMax: 1_000, select: { mode: "batch" } });
    let calls = 0;
    let turns = 0;
    const tick = setInterval(() => turns++, 1);
    farm.handler("c", () => {
      if (calls++ < 900)
        for (let copy = 0; copy < 2 && calls < 20_000; copy++) host.channel("c").publish({ type: "t" });
    });
    for (let event = 0; event < 5_000; event++) host.channel("c").publish({ type: "t" });
    await until(
      () => farm.status().waiting === 0,
      () => "all events",
    );
    clearInterval(tick);
    expect(turns).toBeGreaterThan(0);
    expect(farm.status().errors).toBe(0);
  });
});

describe("a manager", () => {
  test("has a name of its own, which is free again when it has left", async () => {
    const host = await open();
    const farm = host.serviceManager("farm");
    expect(() => host.serviceManager("farm")).toThrow(expect.objectContaining({ code: "contradiction" }));
    for (const name of ["", "Farm", "a b", "x".repeat(200)])
      expect(() => host.serviceManager(name)).toThrow(expect.objectContaining({ code: "invalid_value" }));
    for (const options of [{ hopsMax: 0 }, { timeoutMs: Number.NaN }, { capacityEvents: 0 }, { ordering: "x" }])
      expect(() => host.serviceManager("other", options)).toThrow(expect.objectContaining({ code: "invalid_value" }));
    farm.leave();
    farm.leave();
    await farm.settled();
    expect(() => host.serviceManager("farm")).not.toThrow();
    expect(() => farm.configure({ held: true })).toThrow(expect.objectContaining({ code: "inbox_unknown" }));
  });

  test("leaves with what waits discarded, and nothing is called any more", async () => {
    const host = await open();
    const farm = host.serviceManager("farm", { held: true });
    let calls = 0;
    farm.handler("c", () => calls++);
    host.channel("c").publish({ type: "t" });
    farm.leave();
    host.service.flush();
    expect(calls).toBe(0);
    expect(host.service.statistics()).toMatchObject({ droppedLeftTotal: 1 });
    expect(host.channel("c").publish({ type: "t" }).sinks).toBe(0);
  });

  test("is chosen by routes by its live attributes, as one sink", async () => {
    const host = await open();
    const got: string[] = [];
    const managers = ["a", "b"].map((name, index) => {
      const manager = host.serviceManager(name, { attributes: { load: index } });
      for (let handler = 0; handler < 2; handler++) manager.handler("c", ({ type }) => got.push(`${name} ${type}`));
      return manager;
    });
    const source = host.service.channels.resolve("c");
    const { bindingFromJson } = await import("../../../../host/filter/route.ts");
    host.service.channels.setFilter(source.name, "out", bindingFromJson({ route: { orderBy: "sink.load", limit: 1 } }));
    host.channel("c").publish({ type: "one" });
    managers[0]?.update({ load: 2, zone: "eu" });
    host.channel("c").publish({ type: "two" });
    await Promise.all(managers.map((manager) => manager.settled()));
    expect(got).toEqual(["a one", "a one", "b two", "b two"]);
    managers[0]?.update({ zone: null });
    const member = host.service.members.list("c").find(({ inbox }) => inbox === "manager.a");
    expect(Object.keys(member?.attributes() ?? {})).toEqual(["load"]);
  });

  test("goes on in a new core, and when its channel comes back", async () => {
    const host = await open();
    const farm = host.serviceManager("farm");
    const got: string[] = [];
    farm.handler("c", ({ type }) => got.push(type), { where: "n = 1" });
    farm.handler("c", ({ type }) => got.push(type), { types: ["t"] });
    const monitor = farm.monitor("c");
    monitor.emit({ type: "before", attributes: { n: 1 } });
    await farm.settled();
    host.service.fault(new WebAssembly.RuntimeError("unreachable"), undefined);
    expect(host.service.epoch).toBe(2);
    monitor.emit({ type: "after", attributes: { n: 1 } });
    monitor.emit({ type: "t" });
    await farm.settled();
    expect(got).toEqual(["before", "after", "t"]);
    host.service.channels.remove("c");
    host.service.flush();
    expect(host.channel("c").publish({ type: "back", attributes: { n: 1 } }).sinks).toBe(1);
    await farm.settled();
    expect(got.slice(3)).toEqual(["back"]);
  });
});

describe("beside sockets", () => {
  test("a served host's managers and clients share channels, and operators see the inbox", async () => {
    const host = await open();
    const served = await serveHost({ service: host.service, listen: "127.0.0.1:0", tcp: "127.0.0.1:0" });
    onTestFinished(() => served.close());
    const port = (url: string | null) => Number(new URL(url ?? "").port);
    const reachable = { tcpPort: port(served.tcpUrl), httpPort: port(served.url) };
    const farm = host.serviceManager("farm", { ordering: "priority", held: true });
    const reply = farm.monitor("answers");
    farm.handler("c", ({ type }) => void reply.emit({ type: `re ${type}` }));
    for (const carrier of ["tcp", "ws-json"] as const) {
      const client = await connectTo(reachable, carrier);
      await client.join("answers");
      expect(await client.publish("c", { type: carrier })).toMatchObject([{ sinks: 1 }]);
      const inbox = `${served.url}/v1/inboxes/manager.farm`;
      expect(await (await fetch(inbox)).json()).toMatchObject({
        id: "manager.farm",
        kind: "manager",
        ordering: "priority",
        held: true,
        idleMs: null,
        depth: { events: 1 },
        joins: [{ channel: "c", role: "sink" }],
      });
      // What waits is the manager's: nobody polls, joins or deletes it over HTTP.
      for (const [method, path, status] of [
        ["GET", "/events", 404],
        ["PUT", "/joins/d", 404],
        ["DELETE", "", 405],
      ] as const) {
        const headers = { "content-type": "application/json" };
        const body = method === "PUT" ? "{}" : null;
        expect((await fetch(inbox + path, { method, headers, body })).status, method).toBe(status);
      }
      const patch = async (held: boolean) => {
        const headers = { "content-type": "application/merge-patch+json" };
        return (await fetch(inbox, { method: "PATCH", headers, body: JSON.stringify({ held }) })).status;
      };
      expect(await patch(false)).toBe(200);
      await until(
        () => client.events.some(({ type }) => type === `re ${carrier}`),
        () => "the answer",
      );
      expect(await patch(true)).toBe(200);
    }
  });
});

describe("a channel", () => {
  test("updates and ends all that was made through its face, and nothing else", async () => {
    const host = await open();
    const channel = host.channel("c");
    const other = host.channel("c").handler(() => {});
    const stream = channel.subscribe();
    channel.handler(() => {});
    const monitor = channel.monitor();
    channel.update({ load: 1 });
    const loads = host.service.members.list("c").map((member) => Object.keys(member.attributes()).length);
    expect(loads.sort()).toEqual([0, 1, 1, 1]);
    stream.leave();
    monitor.leave();
    channel.leave();
    expect(host.service.channels.get("c")?.sinks()).toBe(1);
    other.close();
  });
});
