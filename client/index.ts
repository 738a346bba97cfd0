/**
 * The client for browsers, edge runtimes, and wherever there is a WebSocket.
 *
 *     const client = await connect("http://127.0.0.1:7480");
 *     for await (const event of client.channel("orders").subscribe()) console.log(event.type);
 */
import type { WebSocketClass } from "./carrier.ts";
import { type Client, type ConnectOptions, connectWith } from "./client.ts";

export * from "./library.ts";

/**
 * Connects to a host.
 *
 * @param urls `http://host:7480` or `ws://…`; several are tried in turn.
 * @throws {SluiceError} `unreachable`, and as the host refuses; `TypeError` for an address that is none; the signal's reason.
 */
export function connect(urls: string | URL | readonly (string | URL)[], options?: ConnectOptions): Promise<Client> {
  const { WebSocket } = globalThis as { WebSocket?: WebSocketClass };
  return connectWith({ WebSocket, carriers: {} }, urls, options);
}
