/** Traces of single events, against a served host: sockets, polls, service managers and handlers beside one another. */
import { describe, expect, onTestFinished, test } from "vitest";
import { serveHost } from "../../../host/index.ts";
import { limits } from "../../../host/limits.ts";
import { type Carrier, carriers, connectTo } from "../support/client.ts";
import { open } from "../support/embedded.ts";
import { until } from "../support/until.ts";

async function served() {
  const host = await open();
  const server = await serveHost({ service: host.service, listen: "127.0.0.1:0", tcp: "127.0.0.1:0" });
  onTestFinished(() => server.close());
  const port = (url: string | null) => Number(new URL(url ?? "").port);
  const reachable = { tcpPort: port(server.tcpUrl), httpPort: port(server.url) };
  const ask = async (method: string, path: string, body?: object) => {
    const init =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } };
    const answer = await fetch(server.url + path, { method, ...init });
    const text = await answer.text();
    return { status: answer.status, json: text === "" ? {} : JSON.parse(text) };
  };
  return { host, reachable, ask, path: "/v1/channels/c/trace" };
}

describe.each(carriers)("over %s", (carrier: Carrier) => {
  test("a sink's part has times in the order of the stages", async () => {
    const { reachable, ask, path, host } = await served();
    const client = await connectTo(reachable, carrier);
    await client.join("c");
    const { status, json } = await ask("POST", path, { type: "t", attributes: { n: 1 } });
    expect(status).toBe(200);
    expect(json).toMatchObject({ channel: "c", sequence: 1, epoch: 1, sinks: 1, complete: true });
    expect(json.id).toMatch(/^trace-/);
    expect(json.submittedAt).toMatch(/^20\d\d-.*Z$/);
    expect(json.deliveries).toHaveLength(1);
    const [delivery] = json.deliveries;
    expect(delivery).toMatchObject({ inbox: expect.stringMatching(/^s\d+$/), acknowledgedMs: null });
    const times = [0, json.encodedMs, json.queuedMs, delivery.drainedMs, delivery.writtenMs];
    expect(times).toEqual([...times].sort((one, other) => one - other));
    await until(
      () => client.events.length === 1,
      () => "the event",
    );
    expect(client.events[0]).toMatchObject({ type: "t", id: json.id });
    // Nobody is followed any more, so nobody pays.
    expect(host.service.tracing.active).toBe(0);
  });

  test("acknowledgements of a socket have a time, by number and up to one", async () => {
    const { reachable, ask, path, host } = await served();
    const client = await connectTo(reachable, carrier);
    client.send({ inbox: { ack: "explicit" } });
    await client.join("c");
    const trace = async () => (await ask("POST", path, { type: "t" })).json.deliveries[0];
    for (const ack of [{ numbers: [2] }, { through: 4 }]) {
      // The one before is of no interest to anybody.
      await client.publish("c", { type: "other" });
      const before = await trace();
      expect(before).toMatchObject({ acknowledgedMs: null });
      expect(host.service.tracing.unacknowledged).toBe(1);
      client.send({ ack });
      await expect.poll(() => host.service.tracing.unacknowledged).toBe(0);
      const [{ deliveries }] = (await ask("GET", "/v1/traces")).json.data;
      expect(deliveries[0].acknowledgedMs).toBeGreaterThanOrEqual(deliveries[0].writtenMs);
    }
  });
});

describe("a trace", () => {
  test("tells of handlers, managers and polls beside one another, and of their acknowledgements", async () => {
    const { host, ask } = await served();
    host.channel("c").handler(() => {});
    host.serviceManager("farm", { ack: "explicit" }).handler("c", () => {});
    const { id } = (await ask("POST", "/v1/inboxes", { ack: "explicit" })).json;
    await ask("PUT", `/v1/inboxes/${id}/joins/c`, {});
    const told = await host.channel("c").trace({ id: "mine", type: "t" }, { waitMs: 1 });
    expect(told).toMatchObject({ id: "mine", sinks: 3, complete: false });
    const events = (await ask("GET", `/v1/inboxes/${id}/events`)).json;
    await ask("POST", `/v1/inboxes/${id}/acks`, {
      numbers: events.data.map(({ number }: { number: number }) => number),
    });
    await expect.poll(async () => (await ask("GET", "/v1/traces")).json.data[0].complete).toBe(true);
    const { deliveries } = (await ask("GET", "/v1/traces")).json.data[0];
    const byInbox = Object.fromEntries(deliveries.map((one: { inbox: string | null }) => [one.inbox, one]));
    expect(Object.keys(byInbox).sort()).toEqual([id, "manager.farm", "null"].sort());
    expect(byInbox.null.acknowledgedMs).toBeNull();
    for (const one of [id, "manager.farm"]) {
      expect(byInbox[one].acknowledgedMs).toBeGreaterThanOrEqual(byInbox[one].drainedMs);
    }
  });

  test("says that an event waits for its sinks, or in its outbox", async () => {
    const { host, ask, path } = await served();
    const farm = host.serviceManager("farm", { held: true, overflow: "block", capacityEvents: 2 });
    farm.handler("c", () => {});
    const first = (await ask("POST", `${path}?waitMs=0`, { type: "t" })).json;
    expect(first).toMatchObject({ sequence: 1, sinks: 1, deliveries: [], complete: false });
    const second = (await ask("POST", `${path}?waitMs=0`, { type: "t" })).json;
    expect(second).toMatchObject({ sequence: 0, complete: false });
    farm.configure({ held: false });
    await farm.settled();
    const { data } = (await ask("GET", "/v1/traces")).json;
    expect(data.map(({ deliveries }: { deliveries: object[] }) => deliveries.length)).toEqual([1, 1]);
    host.close();
    expect(host.service.tracing.active).toBe(0);
  });

  test("of an event for nobody is complete at once; one that is refused is none", async () => {
    const { ask, path } = await served();
    expect((await ask("POST", path, { type: "t" })).json).toMatchObject({ sinks: 0, deliveries: [], complete: true });
    expect((await ask("POST", path, { type: "" })).status).toBe(422);
    expect((await ask("POST", path, [{ type: "a" }, { type: "b" }])).status).toBe(422);
    for (const waitMs of ["-1", "x", String(limits.traceWaitMsMax + 1)])
      expect((await ask("POST", `${path}?waitMs=${waitMs}`, { type: "t" })).status).toBe(422);
    expect((await ask("GET", "/v1/traces")).json.data).toHaveLength(1);
  });

  test("is kept with the last ones only", async () => {
    const { host } = await served();
    const farm = host.serviceManager("farm", { held: true });
    farm.handler("c", () => {});
    for (let event = 0; event < limits.traces + 10; event++)
      await host.channel("c").trace({ type: "t", id: `e${event}` }, { waitMs: 0 });
    const { tracing } = host.service;
    expect(tracing.list().map(({ id }) => id)).toEqual(
      Array.from({ length: limits.traces }, (_, index) => `e${limits.traces + 9 - index}`),
    );
    expect(tracing.active).toBe(limits.traces);
    farm.configure({ held: false });
    await farm.settled();
    expect(tracing.active).toBe(0);
  });
});
