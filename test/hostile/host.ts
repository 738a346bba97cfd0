/** A whole host in this process, for tests that look at what is left of an attack: memory, sessions, lines of the log. */
import { onTestFinished } from "vitest";
import { createLog } from "../../host/log.ts";
import { serveHost } from "../../host/runtime/node.ts";
import type { ServedHost, ServeOptions } from "../../host/runtime/open-host.ts";

/** A host under attack. */
export interface HostileHost extends ServedHost {
  readonly port: number;
  readonly tcpPort: number;
  /** Lines of the log that tell of a fault of the host's own. */
  faults(): readonly Readonly<Record<string, unknown>>[];
}

/** Starts a host on free ports; it is closed when the test is over. */
export async function serveForTest(options: ServeOptions = {}): Promise<HostileHost> {
  const log: Record<string, unknown>[] = [];
  const host = await serveHost({
    listen: "127.0.0.1:0",
    tcp: "127.0.0.1:0",
    onFatal: () => undefined,
    log: createLog({ level: "warn", sink: (line) => log.push(JSON.parse(line)), now: () => 0 }),
    ...options,
  });
  onTestFinished(() => host.close());
  return {
    ...host,
    port: Number(new URL(host.url).port),
    tcpPort: Number(new URL(host.tcpUrl ?? "tcp://x:0").port),
    faults: () => log.filter(({ level }) => level === "error"),
  };
}
