/**
 * Patterns over HTTP, on whole hosts: streams and inboxes.
 */
import { describe, expect, onTestFinished, test } from "vitest";
import { createHost } from "../../../host/index.ts";
import { serveHost } from "../../../host/runtime/node.ts";
import type { ServedHost } from "../../../host/runtime/open-host.ts";
import { openStream, type StreamEvent } from "../support/event-stream.ts";
import { until } from "../support/until.ts";

async function serve(): Promise<ServedHost> {
  const host = await serveHost({ listen: "127.0.0.1:0", tcp: null, onFatal: () => {} });
  onTestFinished(() => host.close());
  return host;
}

/** Asks in JSON; gives status and body. */
async function ask(host: ServedHost, method: string, path: string, body?: unknown) {
  const answer = await fetch(`${host.url}/v1${path}`, {
    method,
    ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  // biome-ignore lint/suspicious/noExplicitAny: fields differ by resource; tests look at what they expect.
  return { status: answer.status, headers: answer.headers, json: (text === "" ? {} : JSON.parse(text)) as any };
}

const publish = (host: ServedHost, channel: string, ...events: object[]) =>
  ask(host, "POST", `/channels/${encodeURIComponent(channel)}/events`, events);
const events = (host: ServedHost, pattern: string, query = "") =>
  `${host.url}/v1/channels/${encodeURIComponent(pattern)}/events${query}`;
const typesOf = (seen: readonly StreamEvent[]): string[] =>
  seen.map(({ event, data }) => (event === "message" ? JSON.parse(data).type : event));

describe("GET /v1/channels/{pattern}/events", () => {
  test("tells of events of all channels that match, those to come included, and goes on when one ends", async () => {
    const host = await serve();
    await ask(host, "PUT", "/channels/user%2F1", {});
    const stream = await openStream(events(host, "user/>"));
    expect(stream.response.statusCode).toBe(200);
    await publish(host, "user/1", { type: "a" });
    await publish(host, "user/2/inbox", { type: "b" });
    await publish(host, "users", { type: "not" });
    await stream.received(2);
    await ask(host, "DELETE", "/channels/user%2F1");
    await publish(host, "user/1", { type: "c" });
    expect(typesOf(await stream.received(3))).toEqual(["a", "b", "c"]);
    expect(stream.over()).toBe(false);
    stream.leave();
    await until(
      () => host.service.statistics()["patterns"] === 0,
      () => "the pattern to end with its stream",
    );
  });

  test("applies the query to every channel", async () => {
    const host = await serve();
    const query = `?type=t&attr.zone=eu&where=${encodeURIComponent("zone = sink.zone")}`;
    const stream = await openStream(events(host, "q.*", query));
    for (const name of ["q.1", "q.2"]) {
      const attributes = { zone: "eu" };
      await publish(host, name, { type: "t", data: name, attributes }, { type: "t" }, { type: "x", attributes });
    }
    expect((await stream.received(2)).map(({ data }) => JSON.parse(data).data)).toEqual(["q.1", "q.2"]);
  });

  test("names the channel where asked for deliveries, and is an event where not", async () => {
    const host = await serve();
    const [plain, told] = await Promise.all([
      openStream(events(host, "d.*")),
      openStream(events(host, "d.*", "?format=delivery")),
    ]);
    await publish(host, "d.1", { type: "a", id: "x", data: { n: 1 } });
    await publish(host, "d.2", { type: "b" });
    expect(JSON.parse((await plain.received(1))[0]?.data ?? "")).toMatchObject({ id: "x", type: "a" });
    const deliveries = (await told.received(2)).map(({ data }) => JSON.parse(data));
    expect(deliveries).toEqual([
      { channel: "d.1", sequence: 1, epoch: 1, event: expect.objectContaining({ id: "x", type: "a", data: { n: 1 } }) },
      { channel: "d.2", sequence: 1, epoch: 1, event: expect.objectContaining({ type: "b", id: expect.any(String) }) },
    ]);
    // One channel's stream may ask for them, too.
    const single = await openStream(events(host, "d.1", "?format=delivery"));
    await publish(host, "d.1", { type: "c" });
    expect(JSON.parse((await single.received(1))[0]?.data ?? "")).toMatchObject({ channel: "d.1", sequence: 2 });
  });

  test("says at a reconnect that it cannot know what was missed, and replays what is stored", async () => {
    const host = await serve();
    await ask(host, "PUT", "/channels/g.1", { store: { events: 10 } });
    const first = await openStream(events(host, "g.*"));
    // Even before its first event a client has something to come back with.
    await until(
      () => first.id !== "",
      () => "a position",
    );
    await publish(host, "g.1", { type: "1" });
    const [seen] = await first.received(1);
    first.leave();
    await publish(host, "g.1", { type: "2" });
    for (const id of [first.id, seen?.id ?? ""]) {
      const again = await openStream(events(host, "g.*"), { "last-event-id": id });
      expect(again.response.headers["sluice-recovered"]).toBe("false");
      const [gap] = await again.received(1);
      expect(gap?.event).toBe("gap");
      expect(JSON.parse(gap?.data ?? "")).toEqual({ reason: "pattern", lastEventId: id });
      expect(typesOf((await again.received(3)).slice(1))).toEqual(["1", "2"]);
      again.leave();
    }
  });

  test.each([
    ["a*", 422, "invalid_value"],
    ["a.>.b", 422, "invalid_value"],
    [`${"a".repeat(260)}*`, 422, "invalid_value"],
  ])("refuses %s", async (pattern, status, code) => {
    const host = await serve();
    const answer = await ask(host, "GET", `/channels/${encodeURIComponent(pattern)}/events`);
    expect(answer.json).toMatchObject({ status, code });
  });

  test("no other route takes a pattern for a channel", async () => {
    const host = await serve();
    for (const [method, path] of [
      ["PUT", ""],
      ["GET", ""],
      ["GET", "/members"],
      ["POST", "/events"],
      ["POST", "/explain"],
    ] as const) {
      const answer = await ask(
        host,
        method,
        `/channels/${encodeURIComponent("p.*")}${path}`,
        method === "GET" ? undefined : {},
      );
      expect(answer.json, `${method} ${path}`).toMatchObject({ status: 422, code: "channel_name" });
    }
  });
});

describe("PUT /v1/inboxes/{id}/joins/{pattern}", () => {
  async function inbox(host: ServedHost): Promise<string> {
    return `/inboxes/${(await ask(host, "POST", "/inboxes", {})).json.id}`;
  }
  const join = "/joins/s.*";

  test("follows channels to come; a poll names the channel of each event", async () => {
    const host = await serve();
    const path = await inbox(host);
    const created = await ask(host, "PUT", `${path}${join}`, { types: ["t"], attributes: { zone: "eu" } });
    expect(created.status).toBe(201);
    expect(created.headers.get("location")).toBe(`/v1${path}/joins/${encodeURIComponent("s.*")}`);
    expect(created.json).toMatchObject({ channel: "s.*", role: "sink", types: ["t"], attributes: { zone: "eu" } });
    await publish(host, "s.1", { type: "t" }, { type: "x" });
    await publish(host, "s.2", { type: "t" });
    await publish(host, "z.2", { type: "t" });
    const { json } = await ask(host, "GET", `${path}/events?max=10`);
    expect(json.data.map(({ number, channel }: never) => [number, channel])).toEqual([
      [1, "s.1"],
      [2, "s.2"],
    ]);
    const shown = (await ask(host, "GET", path)).json.joins;
    expect(shown).toEqual([expect.objectContaining({ channel: "s.*", member: created.json.member })]);
    const [member] = (await ask(host, "GET", "/channels/s.1/members")).json.data.filter(
      ({ role }: { role: string }) => role === "sink",
    );
    expect(member).toMatchObject({ pattern: "s.*", inbox: path.slice("/inboxes/".length), attributes: { zone: "eu" } });
  });

  test("is changed by a second PUT, for all channels and those to come, and ended by DELETE", async () => {
    const host = await serve();
    const path = await inbox(host);
    await ask(host, "PUT", `${path}${join}`, { where: "zone = sink.zone", attributes: { zone: "eu", gone: 1 } });
    const both = ["eu", "us"].map((zone) => ({ type: zone, attributes: { zone } }));
    await publish(host, "s.1", ...both);
    const again = await ask(host, "PUT", `${path}${join}`, { where: "zone != sink.zone", attributes: { zone: "eu" } });
    expect(again.status).toBe(200);
    for (const name of ["s.1", "s.2"]) await publish(host, name, ...both);
    const { json } = await ask(host, "GET", `${path}/events?max=10`);
    expect(json.data.map(({ channel, event }: never) => `${channel} ${(event as { type: string }).type}`)).toEqual([
      "s.1 eu",
      "s.1 us",
      "s.2 us",
    ]);
    expect((await ask(host, "DELETE", `${path}${join}`)).status).toBe(204);
    expect((await ask(host, "DELETE", `${path}${join}`)).json).toMatchObject({ code: "member_unknown" });
    expect((await publish(host, "s.1", ...both)).json.results).toMatchObject([{ sinks: 0 }, { sinks: 0 }]);
  });

  test("is told as one membership of its inbox where two patterns and a channel overlap", async () => {
    const host = await serve();
    const path = await inbox(host);
    for (const channel of ["s.*", ">", "s.1"])
      await ask(host, "PUT", `${path}/joins/${encodeURIComponent(channel)}`, {});
    await publish(host, "s.1", { type: "t" });
    const { json } = await ask(host, "GET", `${path}/events?max=10`);
    expect(json.data).toHaveLength(1);
  });

  test("goes on in a new core", async () => {
    const host = await serve();
    const path = await inbox(host);
    await ask(host, "PUT", `${path}${join}`, {});
    await publish(host, "s.1", { type: "before" });
    host.service.fault(new WebAssembly.RuntimeError("unreachable"), undefined);
    await publish(host, "s.1", { type: "old" });
    await publish(host, "s.2", { type: "new" });
    const { json } = await ask(host, "GET", `${path}/events?max=10`);
    expect(json.data.map(({ event }: { event: { type: string } }) => event.type)).toEqual(["old", "new"]);
    expect(host.service.statistics()["patterns"]).toBe(1);
  });
});

describe("an embedded subscription", () => {
  test("to a pattern is one subscription, whose update and end are those of all", async () => {
    const host = await createHost();
    onTestFinished(() => host.close());
    const seen: string[] = [];
    const subscription = host.channel("e.*").handler(
      (deliveries) => {
        for (const { channel, event } of deliveries) seen.push(`${channel} ${event.type}`);
      },
      { attributes: { zone: "eu" } },
    );
    host.channel("e.1").publish({ type: "a" });
    host.channel("e.2").publish({ type: "b" });
    await until(
      () => seen.length === 2,
      () => `two events; there were ${seen}`,
    );
    expect(seen).toEqual(["e.1 a", "e.2 b"]);
    expect(subscription.member).toBeGreaterThanOrEqual(2 ** 31);
    subscription.update({ zone: "us" });
    const shown = host.service.members.list("e.1").find(({ role }) => role === "sink");
    expect(shown?.attributes()["zone"]?.kind.value).toBe("us");
    // The end of one channel is not the end of the subscription.
    host.service.channels.remove("e.1");
    host.channel("e.3").publish({ type: "c" });
    await until(
      () => seen.length === 3,
      () => `three events; there were ${seen}`,
    );
    subscription.close();
    expect(host.channel("e.2").publish({ type: "d" }).sinks).toBe(0);
  });
});
