/** The client on Node: WebSockets by the package `ws`, since Node 20 has none of its own, and TCP. */
import { WebSocket } from "ws";
import type { WebSocketClass } from "./carrier.ts";
import { type Client, type ConnectOptions, connectWith } from "./client.ts";
import { overTcp } from "./tcp.ts";

export * from "./library.ts";

/** Without compression, which hosts do not negotiate. */
class NodeSocket extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols, { perMessageDeflate: false, maxPayload: 64 * 2 ** 20 });
  }
}

/** As `connect()` of every entry; also to `tcp://host:7481`. */
export function connect(urls: string | URL | readonly (string | URL)[], options?: ConnectOptions): Promise<Client> {
  const platform = { WebSocket: NodeSocket as unknown as WebSocketClass, carriers: { "tcp:": overTcp } };
  return connectWith(platform, urls, options);
}
