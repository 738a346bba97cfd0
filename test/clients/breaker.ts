/** A proxy on the way to a host that breaks connections when a test says so. */

import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A way that can be cut. */
export interface Breaker {
  /** Of the proxy. */
  readonly url: string;
  /** What clients sent first, one text per connection. */
  readonly requests: readonly string[];
  /** Resets all connections there are; new ones get through. */
  cut(): void;
  /** Takes no more connections. */
  end(): void;
}

/** Starts a proxy; it ends with the test. */
export async function createBreaker(to: string): Promise<Breaker> {
  const { hostname, port } = new URL(to);
  const requests: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const onward = connect(Number(port), hostname);
    for (const [one, other] of [
      [socket, onward],
      [onward, socket],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    socket.once("data", (chunk) => requests.push(chunk.toString("latin1")));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  onTestFinished(() => {
    cut();
    server.close();
  });
  const end = (): void => void server.close();
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, cut, end };
}
