/**
 * Sluice as a library: a host inside of the process. What serves it to others depends on the runtime (index*.ts).
 *
 *     const host = await createHost();
 *     for await (const event of host.channel("orders").subscribe()) console.log(event.type);
 */
import type { Clocks } from "./clock.ts";
import { createClocks } from "./clock.ts";
import { type Log, silentLog } from "./log.ts";
import { sampleMachine } from "./monitor/sample.ts";
import type { ServiceOptionsInput } from "./options.ts";
import { createManager } from "./runtime/embedded/manager.ts";
import type { ManagerOptions, ServiceManager } from "./runtime/embedded/service-manager.ts";
import { type Channel, embeddedChannel } from "./runtime/embedded.ts";
import { loadCore } from "./runtime/node/module.ts";
import { createService, type Service } from "./service.ts";

export type { Channels, ChannelView } from "./channel/channels.ts";
export { type ChannelDefinition, defaultDefinition, definitionFromJson } from "./channel/definition.ts";
export { type Clock, type Clocks, createClocks } from "./clock.ts";
export { codes, isSluiceError, type SluiceCode, SluiceError } from "./errors.ts";
export { type Event, EventSchema } from "./gen/sluice/v1/event_pb.ts";
export { limits } from "./limits.ts";
export { createLog, type Log, silentLog } from "./log.ts";
export type { ServiceOptionsInput } from "./options.ts";
export type { HandlerFailure } from "./runtime/embedded/dispatch.ts";
export type { EventInput, Receipt, ReceivedEvent } from "./runtime/embedded/event.ts";
export type {
  Handler,
  HandlerContext,
  HandlerFunction,
  HandlerOptions,
  HandlerStatus,
} from "./runtime/embedded/handler.ts";
export type { Monitor, MonitorOptions } from "./runtime/embedded/monitor.ts";
export type {
  ManagerInbox,
  ManagerOptions,
  ManagerStatus,
  ServiceManager,
} from "./runtime/embedded/service-manager.ts";
export type { Channel, EventStream, SubscribeOptions } from "./runtime/embedded.ts";
export type { ServedHost, ServeOptions } from "./runtime/open-host.ts";
export { createService, type Service, type ServiceSettings } from "./service.ts";
export type { PublishResult } from "./session/local.ts";
export type { LocalDelivery } from "./session/local-frames.ts";
export type { AttributeValue, Subscription, SubscriptionOptions } from "./session/subscription.ts";
export type { Trace, TracedDelivery } from "./session/tracing.ts";

/** How an embedded host is made. */
export interface HostOptions extends ServiceOptionsInput {
  readonly log?: Log;
  readonly clocks?: Clocks;
  /** Path of another core. */
  readonly core?: string;
  /** The core failed too often: this host is over. Nothing happens by itself, the process is the application's. */
  readonly onFatal?: (error: Error) => void;
}

/** A host inside of this process. */
export interface Host {
  /** What the host is made of: for serving it too, and for counting. */
  readonly service: Service;
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
 * @throws {SluiceError} for options out of range.
 */
export async function createHost(options: HostOptions = {}): Promise<Host> {
  const { log = silentLog, clocks = createClocks(), core, onFatal, ...rest } = options;
  const service = createService({
    module: await loadCore(core),
    options: rest,
    clocks,
    log,
    defer: (run) => void setImmediate(run),
    sampleMachine,
    ...(onFatal === undefined ? {} : { onFatal }),
  });
  return {
    service,
    channel: (name) => embeddedChannel(service, name),
    serviceManager: (name, managing = {}) => createManager(service, name, managing, (run) => void setImmediate(run)),
    close: () => service.close(),
  };
}
