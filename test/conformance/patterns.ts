/** Subscriptions to patterns: a channel that a publish over one carrier brings into being is followed over all of them. */
import { expect } from "vitest";
import { carriers, connectTo } from "../host/support/client.ts";
import { subscribe } from "./sse.ts";
import type { Suite } from "./suite.ts";

const json = { "content-type": "application/json" };

/** Adds the tests. */
export function addPatternTests({ host, check }: Suite): void {
  check("a pattern follows channels to come, over sockets, streams and inboxes", async () => {
    const at = (path: string): string => `${host().url}/v1${path}`;
    const pattern = encodeURIComponent("patterns/*");
    const [reader, inbox, ...sinks] = await Promise.all([
      subscribe(at(`/channels/${pattern}/events?format=delivery`)),
      fetch(at("/inboxes"), { method: "POST", headers: json, body: "{}" }).then((answer) => answer.json()),
      ...carriers.map((carrier) => connectTo(host(), carrier)),
    ]);
    await fetch(at(`/inboxes/${inbox.id}/joins/${pattern}`), { method: "PUT", headers: json, body: "{}" });
    for (const sink of sinks) await sink.join("patterns/*");
    const source = await connectTo(host(), "tcp");
    for (const name of ["patterns/a", "patterns/b"])
      expect(await source.publish(name, { type: name })).toMatchObject([{ sinks: carriers.length + 2 }]);
    expect(await source.publish("patterns/a/b", { type: "deeper" })).toMatchObject([{ sinks: 0 }]);
    for (const sink of sinks) {
      expect((await sink.received(2)).map(({ type }) => type)).toEqual(["patterns/a", "patterns/b"]);
      const told = sink.told.filter(({ kind }) => kind === "joined").map(({ value }) => value.channel);
      expect(told).toEqual(["patterns/*", "patterns/a", "patterns/b"]);
    }
    expect((await reader.messages(2)).map(({ data }) => JSON.parse(data).channel)).toEqual([
      "patterns/a",
      "patterns/b",
    ]);
    const { data } = await (await fetch(at(`/inboxes/${inbox.id}/events?max=10`))).json();
    expect(data.map((entry: { channel: string }) => entry.channel)).toEqual(["patterns/a", "patterns/b"]);
    reader.abort();
  });
}
