/** A real host and clients of it; all end with the test. */
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import type { WebSocketClass } from "../../client/carrier.ts";
import type { Client, ConnectOptions } from "../../client/client.ts";
import { connectWith } from "../../client/client.ts";

/** The WebSocket of the package, which Node 20 has none of its own. */
export const webSocket: WebSocketClass = WebSocket as unknown as WebSocketClass;

/** Connects to a port of this machine, or to an address. */
export async function open(to: number | string, options: ConnectOptions = {}): Promise<Client> {
  const url = typeof to === "number" ? `http://127.0.0.1:${to}` : to;
  const reconnect = { minMs: 5, maxMs: 50 };
  const client = await connectWith({ WebSocket: webSocket, carriers: {} }, url, { reconnect, ...options });
  onTestFinished(() => client.close());
  return client;
}

/** The first so many of what can be iterated; the iteration goes on where it was left. */
export async function take<Item>(source: AsyncIterable<Item>, count: number): Promise<Item[]> {
  const iterator = source[Symbol.asyncIterator]();
  const items: Item[] = [];
  while (items.length < count) {
    const next = await iterator.next();
    if (next.done === true) break;
    items.push(next.value);
  }
  return items;
}
