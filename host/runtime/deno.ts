/** Deno: Node's API as Deno has it; sockets are read by copying, which node/takeover.ts finds out by asking them. */
import process from "node:process";
import { type Host, type HostOptions, openEmbedded } from "./embedded/open.ts";
import { processStatistics } from "./node/process.ts";
import { openHost, type ServedHost, type ServeOptions } from "./open-host.ts";
import type { Platform } from "./platform.ts";
import { webWorkers } from "./worker/start.ts";

/** This runtime. */
export const platform: Platform = {
  name: `deno ${process.versions["deno"]}`,
  tune() {},
  createStatistics: () => processStatistics,
  findWorkers: webWorkers,
};

/** Makes a host inside of this process. @throws {SluiceError} as {@link openEmbedded}. */
export function createHost(options: HostOptions = {}): Promise<Host> {
  return openEmbedded(platform, options);
}

/** Starts a host on this runtime. @throws {SluiceError} as {@link openHost}. */
export function serveHost(options: ServeOptions = {}): Promise<ServedHost> {
  return openHost(platform, options);
}
