/** Makes a host inside of a process. What differs between runtimes comes as a {@link Platform}, as with a host that serves. */
import { type Clocks, createClocks } from "../../clock.ts";
import type { ConditionKinds } from "../../condition/kinds.ts";
import { createAdmitter } from "../../filter/registry/admitter.ts";
import { FilterRegistry } from "../../filter/registry/registry.ts";
import { type Log, silentLog } from "../../log.ts";
import { sampleMachine } from "../../monitor/sample.ts";
import { createMonitorSources, type MonitorRules } from "../../monitor/sources.ts";
import { createHostId, type ServiceOptionsInput } from "../../options.ts";
import { createService, type Service } from "../../service.ts";
import { openFilterStore } from "../../store/filters.ts";
import { openState } from "../../store/state.ts";
import { type Channel, embeddedChannel } from "../embedded.ts";
import { loadCore } from "../node/module.ts";
import type { Platform } from "../platform.ts";
import { type Contracts, embeddedContracts } from "./contracts.ts";
import { embeddedFilters, type Filters } from "./filters.ts";
import { createManager } from "./manager.ts";
import type { ManagerOptions, ServiceManager } from "./service-manager.ts";

/** How an embedded host is made. */
export interface HostOptions extends ServiceOptionsInput {
  readonly log?: Log;
  readonly clocks?: Clocks;
  /** What conditions of kind `monitor` may read; nothing where absent. */
  readonly monitors?: MonitorRules;
  /** Kinds of conditions that this application adds, by name. */
  readonly conditionKinds?: ConditionKinds;
  /** Path of another core. */
  readonly core?: string;
  /** The core failed too often: this host is over. Nothing happens by itself, the process is the application's. */
  readonly onFatal?: (error: Error) => void;
}

/** A host inside of this process. */
export interface Host {
  /** What the host is made of: for serving it too, and for counting. */
  readonly service: Service;
  /** Filter modules, which channels may be bound to. They are kept in memory. */
  readonly filters: Filters;
  /** Contracts: regions of operation over conditions, kept in memory. */
  readonly contracts: Contracts;
  /** A channel by its name; it comes into being with its first use, where that is allowed. */
  channel(name: string): Channel;
  /**
   * Makes a service manager: one inbox for any number of handlers, on any number of channels.
   *
   * @param name Matches `[a-z0-9]([a-z0-9._-]{0,126}[a-z0-9])?`; its inbox is `manager.NAME`.
   * @throws {SluiceError} `invalid_value`, `contradiction` for a name that is taken, `limit_reached`.
   */
  serviceManager(name: string, options?: ManagerOptions): ServiceManager;
  /** Ends all subscriptions. */
  close(): void;
}

/**
 * Makes a host inside of this process. It opens no port and writes no file; `serveHost()` serves it to others.
 *
 * @param platform The runtime that this is; entries know.
 * @throws {SluiceError} for options out of range.
 */
export async function openEmbedded(platform: Platform, options: HostOptions = {}): Promise<Host> {
  const { log = silentLog, clocks = createClocks(), core, onFatal, monitors = {}, conditionKinds, ...rest } = options;
  const filters = await openFilters(platform, clocks);
  const service = createService({
    module: await loadCore(core),
    options: rest,
    clocks,
    log,
    defer: (run) => void setImmediate(run),
    sampleMachine,
    monitors: createMonitorSources(monitors, clocks.real),
    ...(conditionKinds === undefined ? {} : { conditionKinds }),
    ...(filters === undefined ? {} : { filters }),
    ...(onFatal === undefined ? {} : { onFatal }),
  });
  return {
    service,
    filters: embeddedFilters(service),
    contracts: embeddedContracts(service),
    channel: (name) => embeddedChannel(service, name),
    serviceManager: (name, managing = {}) => createManager(service, name, managing, (run) => void setImmediate(run)),
    close: () => service.close(),
  };
}

/** A registry in memory; undefined where this runtime cannot look at modules. */
async function openFilters(platform: Platform, { real }: Clocks): Promise<FilterRegistry | undefined> {
  const start = platform.findWorkers();
  if (start === undefined) return undefined;
  const store = openFilterStore(undefined, await openState(undefined, { createHostId }));
  return new FilterRegistry({ admit: createAdmitter(start, real), store, now: () => real.now() });
}
