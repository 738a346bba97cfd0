/** One program, written against what embedded hosts and clients have in common, does the same on both. */
import { describe, expect, test } from "vitest";
import type { AnyChannel } from "../../host/interface.ts";
import { open as openEmbedded } from "../host/support/embedded.ts";
import { startHost } from "../host/support/host.ts";
import { open } from "./support.ts";

/** What an application might do with a channel, wherever its host is. */
async function program(channel: AnyChannel): Promise<unknown> {
  const stream = channel.subscribe({ types: ["a", "cancel"], where: "n < sink.most", attributes: { most: 3 } });
  // Streams of clients are joined when the host has said so.
  if ("ready" in stream) await stream.ready;
  const { sequence, sinks } = await channel.publish({ type: "a", key: "k", attributes: { n: 1 }, data: { n: [1] } });
  await channel.publish({ type: "a", attributes: { n: 3 } });
  await stream.update({ most: 4 });
  const monitor = channel.monitor({ attributes: { zone: "eu" } });
  await monitor.emit({ type: "a", attributes: { n: 3 }, data: "second" });
  await monitor.leave();
  const refused = await Promise.resolve()
    .then(() => channel.publish({ type: "a", priority: 10 }))
    .catch(({ code, value, limit, retryable }) => ({ code, value, limit, retryable }));
  const got: unknown[] = [];
  for await (const { type, key, attributes, data } of stream) {
    got.push({ type, key, attributes, data });
    if (got.length === 2) break;
  }
  const cancelled = await channel.cancel("nobody");
  await channel.update({ most: 5 });
  await channel.leave();
  return { sequence, sinks, refused, got, cancelled };
}

describe("the interface of channels", () => {
  test("means the same in the process and over a socket", async () => {
    const [host, { httpPort }] = await Promise.all([openEmbedded(), startHost()]);
    const client = await open(httpPort);
    const [inside, outside] = [await program(host.channel("c")), await program(client.channel("c"))];
    expect(outside).toEqual(inside);
    expect(inside).toMatchObject({ sequence: 1, sinks: 1, refused: { code: "priority_out_of_range" } });
  });
});
