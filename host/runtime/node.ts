/** Node: sockets that read straight into core memory, V8's own flags, the event loop's utilization. */
import { performance } from "node:perf_hooks";
import process from "node:process";
import { setFlagsFromString } from "node:v8";
import { type Host, type HostOptions, openEmbedded } from "./embedded/open.ts";
import { processStatistics } from "./node/process.ts";
import { openHost, type ServedHost, type ServeOptions } from "./open-host.ts";
import type { Platform } from "./platform.ts";
import { nodeWorkers } from "./worker/start.ts";

/** This runtime. */
export const platform: Platform = {
  name: `node ${process.versions.node}`,
  tune() {
    // V8 lets its heap grow by tens of MiB after any burst of joins and keeps it. What we make is dead within a turn of the
    // loop: a small young generation and an old one that is cleared sooner halve the growth and cost nothing that can be
    // measured (bench: channels-10000, ws-json).
    setFlagsFromString("--semi-space-growth-factor=1");
    setFlagsFromString("--heap-growing-percent=20");
  },
  createStatistics() {
    let former = performance.eventLoopUtilization();
    return () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, former);
      former = now;
      /** Part of the time since the last look that the event loop was busy. */
      return { loopUtilization: utilization, ...processStatistics() };
    };
  },
  findWorkers: nodeWorkers,
};

/** Makes a host inside of this process. @throws {SluiceError} as {@link openEmbedded}. */
export function createHost(options: HostOptions = {}): Promise<Host> {
  return openEmbedded(platform, options);
}

/** Starts a host on this runtime. @throws {SluiceError} as {@link openHost}. */
export function serveHost(options: ServeOptions = {}): Promise<ServedHost> {
  return openHost(platform, options);
}
