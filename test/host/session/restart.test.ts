/**
 * A trap of the core. It is provoked by making an export throw what the engine throws, and by scribbling over memory.
 */
import { describe, expect, test } from "vitest";
import { PAGE_BYTES, REGIONS_END } from "../../../core-wasm/abi.ts";
import { defaultDefinition } from "../../../host/channel/definition.ts";
import { codes } from "../../../host/errors.ts";
import type { Service } from "../../../host/service.ts";
import { TestCarrier } from "../support/carrier.ts";
import { carriers, connectTo } from "../support/client.ts";
import { breakCore, startHost } from "../support/host.ts";
import { createTestService } from "../support/service.ts";
import { until } from "../support/until.ts";

describe("a trap of the core", () => {
  test.each(["ingest", "drain", "dirtyTake", "controlPush"] as const)(
    "in %s(): sessions are told, and the host goes on in a new core",
    async (name) => {
      const epochs: number[] = [];
      const host = await startHost({ onEpoch: (epoch) => epochs.push(epoch) });
      const { service } = host;
      service.channels.put("kept", { ...defaultDefinition, types: ["a"] });
      const clients = await Promise.all(carriers.map((carrier) => connectTo(host, carrier)));
      for (const client of clients) await client.join("kept");
      breakCore(service, name);
      clients[0]?.send({ ref: 1, ping: {} });
      for (const [index, client] of clients.entries()) {
        expect(await client.take("drain")).toEqual(expect.objectContaining({ retryMs: 1_000 }));
        expect(await client.take("problem")).toMatchObject({ code: "core_restarted" });
        const { code } = await client.closed;
        if (carriers[index] !== "tcp") expect(code).toBe(codes.core_restarted.close);
      }
      expect(service.epoch).toBe(2);
      expect(epochs).toEqual([2]);
      expect(service.sessionCount).toBe(0);
      expect(host.log).toContainEqual(expect.objectContaining({ level: "error", message: "core failed", epoch: 1 }));

      const [source, sink] = await Promise.all([connectTo(host, "ws-json"), connectTo(host, "tcp")]);
      expect(await sink.join("kept")).toMatchObject({ channel: "kept", epoch: 2 });
      const results = await source.publish("kept", { type: "a" }, { type: "b" });
      expect(results[0]).toMatchObject({ sequence: 1, epoch: 2, sinks: 1 });
      expect(results[1].problem.code).toBe("type_refused");
      await sink.received(1);
    },
  );

  test("memory that was scribbled over is left behind", async () => {
    const host = await startHost();
    const client = await connectTo(host, "tcp");
    await client.join("c", { role: "both" });
    // Every table of the core: pointers of all ones lead beyond the memory at once.
    host.service.core.views.bytes.fill(0xff, REGIONS_END, REGIONS_END + 64 * PAGE_BYTES);
    client.send({ publish: { channel: "c", events: [{ type: "t" }] } });
    await until(
      () => host.service.counters.coreRestarts === 1,
      () => "a restart",
    );
    const next = await connectTo(host, "ws-json");
    await next.join("c", { role: "both" });
    await next.publish("c", { type: "t" });
    await next.received(1);
  });

  test("embedded subscriptions and the host's own publishing go on", () => {
    const { service, settle } = createTestService();
    const got: string[] = [];
    service.subscribe("c", {
      onEvents: (deliveries) => got.push(...deliveries.map(({ event, epoch }) => `${event.type}@${epoch}`)),
    });
    service.publish("c", [event("one")]);
    settle();
    breakCore(service, "ingestFrame");
    expect(() => service.publish("c", [event("lost")])).toThrow(
      expect.objectContaining({ code: "core_restarted", retryable: true }),
    );
    const [result] = service.publish("c", [event("two")]);
    settle();
    expect(result).toMatchObject({ sequence: 1, epoch: 2, sinks: 1 });
    expect(got).toEqual(["one@1", "two@2"]);
  });

  test.each(["channelAdd", "channelSet", "channelRemove"] as const)(
    "in %s(): who asked hears it, and the definitions are as before",
    (name) => {
      const { service } = createTestService();
      service.channels.put("kept", { ...defaultDefinition, types: ["a"] });
      const carrier = new TestCarrier(service);
      breakCore(service, name);
      const change = {
        channelAdd: () => service.channels.put("new", defaultDefinition),
        channelSet: () => service.channels.put("kept", { ...defaultDefinition, echo: false }),
        channelRemove: () => service.channels.remove("kept"),
      };
      expect(change[name]).toThrow(expect.objectContaining({ code: "core_restarted" }));
      expect(service.epoch).toBe(2);
      expect(carrier.ended).toBe(true);
      const kept = name === "channelRemove" ? [] : [["kept", ["a"], undefined]];
      expect(
        service.channels.list().map(({ name: own, definition }) => [own, definition.types, definition.echo]),
      ).toEqual(kept);
      expect(service.publish("kept", [event("b")])).toMatchObject(
        name === "channelRemove" ? [{ sequence: 1 }] : [{ problem: { code: "type_refused" } }],
      );
    },
  );

  test("the third within a minute ends the host; two and one later do not", () => {
    const fatal: Error[] = [];
    const { service, clock } = createTestService({}, { onFatal: (error) => fatal.push(error) });
    const trap = (): void => {
      const carrier = new TestCarrier(service);
      breakCore(service, "ingest");
      carrier.send({ kind: { case: "ping", value: {} } });
      expect(carrier.ended).toBe(true);
    };
    trap();
    trap();
    clock.advance(60_001);
    trap();
    trap();
    expect(fatal).toEqual([]);
    expect(service.epoch).toBe(5);
    trap();
    expect(fatal).toHaveLength(1);
    expect(() => new TestCarrier(service)).toThrow(/shutting down/);
  });

  test("a fault of the host's own code ends that session only", async () => {
    const host = await startHost();
    const [bad, good] = await Promise.all([connectTo(host, "ws-json"), connectTo(host, "ws-json")]);
    await good.join("c", { role: "both" });
    const { resolve } = host.service.channels;
    host.service.channels.resolve = () => {
      throw new TypeError("a mistake");
    };
    bad.send({ ref: 1, join: { channel: "x" } });
    expect(await bad.take("problem", 1)).toMatchObject({ code: "internal" });
    host.service.channels.resolve = resolve;
    expect(JSON.stringify(bad.told)).not.toContain("a mistake");
    await good.publish("c", { type: "t" });
    await good.received(1);
    expect(host.service.epoch).toBe(1);
  });
});

function event(type: string): Parameters<Service["publish"]>[1][number] {
  return {
    $typeName: "sluice.v1.Event",
    id: "",
    source: "",
    type,
    subject: "",
    key: "",
    attributes: {},
    dataContentType: "",
  };
}
