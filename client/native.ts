/** The client on Deno and Bun: WebSockets of the runtime, and TCP. */
import type { WebSocketClass } from "./carrier.ts";
import { type Client, type ConnectOptions, connectWith } from "./client.ts";
import { overTcp } from "./tcp.ts";

export * from "./library.ts";

/** As `connect()` of every entry; also to `tcp://host:7481`. */
export function connect(urls: string | URL | readonly (string | URL)[], options?: ConnectOptions): Promise<Client> {
  const { WebSocket } = globalThis as { WebSocket?: WebSocketClass };
  return connectWith({ WebSocket, carriers: { "tcp:": overTcp } }, urls, options);
}
