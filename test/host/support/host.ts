/**
 * A real host on free ports of 127.0.0.1, without its control plane; it is closed when the test is over.
 */
import { createServer } from "node:http";
import type { AddressInfo, Server } from "node:net";
import { onTestFinished } from "vitest";
import { createClocks, createManualClock } from "../../../host/clock.ts";
import type { CoreExports } from "../../../host/core/exports.ts";
import { createLog } from "../../../host/log.ts";
import type { ServiceOptionsInput } from "../../../host/options.ts";
import { createTcpServer } from "../../../host/runtime/node/tcp.ts";
import { createUpgrade } from "../../../host/runtime/node/upgrade.ts";
import { createService, type Service, type ServiceSettings } from "../../../host/service.ts";
import { createOriginCheck } from "../../../host/socket/websocket/handshake.ts";
import { coreModule } from "../../core-wasm/harness.ts";

/** How a test wants its host. */
export interface TestHostOptions extends ServiceOptionsInput {
  /** False: the way in that copies; default true. */
  readonly onread?: boolean;
  /** The service clock stands still. */
  readonly timeless?: boolean;
  readonly decider?: ServiceSettings["decider"];
  readonly filters?: ServiceSettings["filters"];
  readonly onEpoch?: (epoch: number) => void;
  readonly onFatal?: (error: Error) => void;
}

/** A host under test. */
export interface TestHost {
  readonly service: Service;
  readonly tcpPort: number;
  readonly httpPort: number;
  /** Lines of the log, parsed. */
  readonly log: Readonly<Record<string, unknown>>[];
}

/** Small enough to be made hundreds of times in one run. */
const MEMORY_BYTES = 96 * 2 ** 20;

/** Starts a host. */
export async function startHost(input: TestHostOptions = {}): Promise<TestHost> {
  const { onread = true, timeless = false, decider, filters, onEpoch, onFatal, ...options } = input;
  const log: Record<string, unknown>[] = [];
  const { real, service: running } = createClocks();
  const clocks = { real, service: timeless ? createManualClock() : running };
  const service = createService({
    module: coreModule(),
    options: { memoryBytes: MEMORY_BYTES, ...options },
    clocks,
    log: createLog({ level: "debug", sink: (line) => log.push(JSON.parse(line)), now: clocks.real.now }),
    defer: setImmediate,
    ...(decider === undefined ? {} : { decider }),
    ...(filters === undefined ? {} : { filters }),
    ...(onEpoch === undefined ? {} : { onEpoch }),
    ...(onFatal === undefined ? {} : { onFatal }),
  });
  const carry = { service, onread, keepAliveMs: 30_000 };
  const tcp = createTcpServer(carry);
  const http = createServer((_request, response) => response.writeHead(404).end());
  http.on(
    "upgrade",
    createUpgrade(carry, createOriginCheck([], true), () => "test"),
  );
  onTestFinished(async () => {
    service.close();
    http.closeAllConnections();
    await Promise.all([closed(tcp), closed(http)]);
  });
  const [tcpPort, httpPort] = await Promise.all([listening(tcp), listening(http)]);
  return { service, tcpPort, httpPort, log };
}

/** Makes one export trap from now on, in this core only. */
export function breakCore(service: Service, name: keyof CoreExports): void {
  service.core.exports = {
    ...service.core.exports,
    [name]: () => {
      throw new WebAssembly.RuntimeError("unreachable");
    },
  };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return (server.address() as AddressInfo).port;
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
