/** Clients that begin and do not go on, from the first moment of the suite to its last test: the host must not wait for them. */
import { connect, type Socket } from "node:net";
import { expect } from "vitest";
import { limits } from "../../host/limits.ts";
import { until } from "../host/support/until.ts";
import type { Suite } from "./suite.ts";

/** Connections that are under way, by what they do. */
export interface Patience {
  /** Those that the host has not ended yet. */
  open(): string[];
  /** Moment of the beginning. */
  readonly sinceMs: number;
  end(): void;
}

const head = "GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n";

/** Opens them. */
export function startPatience(httpPort: number, tcpPort: number): Patience {
  const sockets = new Map<string, Socket>();
  const start = (name: string, port: number, text: string, drip = ""): void => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    const timer = drip === "" ? undefined : setInterval(() => socket.write(drip), 500);
    // A reset is an end as well.
    socket.on("error", () => {});
    socket.on("close", () => {
      clearInterval(timer);
      sockets.delete(name);
    });
    socket.resume();
    sockets.set(name, socket);
  };
  start("HTTP, nothing sent", httpPort, "");
  start("HTTP, half a head", httpPort, head);
  start("HTTP, a head in drips", httpPort, head, "X-A: b\r\n");
  start("TCP, nothing sent", tcpPort, "");
  start("TCP, half a frame", tcpPort, "\u007f{");
  return {
    open: () => [...sockets.keys()],
    sinceMs: performance.now(),
    end() {
      for (const socket of sockets.values()) socket.destroy();
    },
  };
}

/** Adds the test. */
export function addPatienceTests({ check }: Suite, patience: () => Patience | undefined): void {
  check("clients that begin and do not go on are let go", async () => {
    const tried = patience();
    try {
      await until(
        () => tried?.open().length === 0,
        () => `the ends of: ${tried?.open().join("; ")}`,
      );
    } finally {
      tried?.end();
    }
    // Not at once either: a slow network is no attack.
    expect(performance.now() - (tried?.sinceMs ?? 0)).toBeGreaterThan(limits.handshakeMs / 2);
  });
}
