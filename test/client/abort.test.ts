/** A signal at every await: what waits ends with the signal's reason, and the rest goes on. */

import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Client } from "../../client/client.ts";
import { createBreaker } from "../clients/breaker.ts";
import { startHost } from "../host/support/host.ts";
import { open, take } from "./support.ts";

const reason = new Error("given up");

/** A machine that takes connections and never says a word. */
async function silent(): Promise<string> {
  const server = createServer((socket) => socket.on("error", () => {}));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A client whose host cannot be reached any more, and which goes on trying. */
async function cutOff(): Promise<Client> {
  const { httpPort } = await startHost();
  const breaker = await createBreaker(`http://127.0.0.1:${httpPort}`);
  const client = await open(breaker.url, { reconnect: { minMs: 1_000, maxMs: 1_000 }, closeMs: 0, onError: () => {} });
  breaker.end();
  breaker.cut();
  return client;
}

describe("an aborted signal", () => {
  test("ends connecting to a host that says nothing, before and while it is tried", async () => {
    const url = await silent();
    await expect(open(url, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const opening = open(url, { signal: controller.signal });
    setTimeout(() => controller.abort(reason), 5);
    await expect(opening).rejects.toBe(reason);
  });

  const awaits: [string, (client: Client, signal: AbortSignal) => Promise<unknown>][] = [
    ["publish()", (client, signal) => client.channel("c").publish({ type: "t" }, { signal })],
    ["publish() of several", (client, signal) => client.channel("c").publish([{ type: "t" }], { signal })],
    ["emit() of a monitor", (client, signal) => client.channel("c").monitor().emit({ type: "t" }, { signal })],
    ["cancel()", (client, signal) => client.channel("c").cancel("k", { signal })],
    ["set()", (client, signal) => client.set({ x: 1 }, { signal })],
    [
      "flush()",
      (client, signal) => {
        void client.channel("c").publish({ type: "t" }, { receipt: "none" });
        return client.flush({ signal });
      },
    ],
    [
      "flush() of a monitor",
      (client, signal) => {
        const monitor = client.channel("c").monitor();
        void monitor.add({ type: "t" });
        return monitor.flush({ signal });
      },
    ],
    ["the loop of a stream", (client, signal) => take(client.channel("c").subscribe({ signal }), 1)],
    ["the loop of deliveries", (client, signal) => take(client.channel("c").subscribe({ signal }).deliveries(), 1)],
    ["a stream of several channels", (client, signal) => take(client.subscribe(["a", "b"], { signal }), 1)],
  ];

  test.each(awaits)("ends %s while no host is there, and before it begins", async (_name, wait) => {
    const client = await cutOff();
    const controller = new AbortController();
    const waiting = wait(client, controller.signal);
    setTimeout(() => controller.abort(reason), 5);
    await expect(waiting).rejects.toBe(reason);
    await expect((async () => wait(client, AbortSignal.abort(reason)))()).rejects.toBe(reason);
  });

  test("closes the client, and ends a handler and its membership", async () => {
    const { httpPort } = await startHost();
    const [whole, part] = [new AbortController(), new AbortController()];
    const client = await open(httpPort, { signal: whole.signal });
    const channel = client.channel("c");
    await channel.handler(() => {}, { signal: part.signal }).ready;
    expect((await channel.publish({ type: "t" })).sinks).toBe(1);
    part.abort();
    await expect.poll(async () => (await channel.publish({ type: "t" })).sinks).toBe(0);
    whole.abort();
    expect(await client.closed).toBeUndefined();
  });
});
