/**
 * Sluice as a library: a host inside of the process. What makes it and serves it to others depends on the runtime (index*.ts).
 *
 *     const host = await createHost();
 *     for await (const event of host.channel("orders").subscribe()) console.log(event.type);
 */
export type { ChannelView } from "./channel/channel.ts";
export type { Channels } from "./channel/channels.ts";
export { type ChannelDefinition, defaultDefinition, definitionFromJson } from "./channel/definition.ts";
export { type Clock, type Clocks, createClocks } from "./clock.ts";
export type { ConditionKind, ConditionKinds } from "./condition/kinds.ts";
export { type ConditionDefinition, conditionFromJson } from "./condition/schema.ts";
export type { ContractDocument, ContractInput } from "./contract/document.ts";
export type { ContractObserver, RegionState } from "./contract/observers.ts";
export type { Plan as ContractPlan } from "./contract/plan.ts";
export { type ContractDefinition, contractFromJson } from "./contract/schema.ts";
export { codes, isSluiceError, type SluiceCode, SluiceError } from "./errors.ts";
export type { FilterLogLine } from "./filter/registry/log-ring.ts";
export type { FilterNameView, FilterVersionView } from "./filter/registry/view.ts";
export type { FilterInput, Stage } from "./filter/schema.ts";
export { type Event, EventSchema } from "./gen/sluice/v1/event_pb.ts";
export { limits } from "./limits.ts";
export { createLog, type Log, silentLog } from "./log.ts";
export type { MonitorRules } from "./monitor/sources.ts";
export type { ServiceOptionsInput } from "./options.ts";
export type { ContractPlanOptions, ContractResource, Contracts } from "./runtime/embedded/contracts.ts";
export type { HandlerFailure } from "./runtime/embedded/dispatch.ts";
export type { EventInput, Receipt, ReceivedEvent } from "./runtime/embedded/event.ts";
export type { FilterModule, Filters, UploadedFilter, UploadOptions } from "./runtime/embedded/filters.ts";
export type {
  Handler,
  HandlerContext,
  HandlerFunction,
  HandlerOptions,
  HandlerStatus,
} from "./runtime/embedded/handler.ts";
export type { Monitor, MonitorOptions } from "./runtime/embedded/monitor.ts";
export type { Host, HostOptions } from "./runtime/embedded/open.ts";
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
