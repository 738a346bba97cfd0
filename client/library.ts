/** What every entry of the client has. */
export type {
  AnyChannel,
  AnyEventStream,
  AnyMonitor,
  AttributeChanges,
  AttributeValue,
  Cancelled,
  CancelOptions,
  EventInput,
  Receipt,
  ReceivedEvent,
  Wants,
} from "../host/interface.ts";
export type { Backoff } from "./backoff.ts";
export type { WebSocketClass, WebSocketLike } from "./carrier.ts";
export type { Channel, StreamOptions } from "./channel.ts";
export type { Client, ClientStatus, ConnectOptions } from "./client.ts";
export { type ClientCode, type ErrorCode, isSluiceError, SluiceError } from "./errors.ts";
export type { Monitor, MonitorOptions } from "./monitor.ts";
export type { Gathering, SourceSettings } from "./outgoing.ts";
export type { PublishOptions, TypedInput } from "./publishing.ts";
export type { OutputOf, StandardSchema } from "./schema.ts";
export type { Delivery, EventStream, Subscription, TypedEvent } from "./stream.ts";
export type { Gap, SubscribeOptions } from "./subscription.ts";
export type { InboxSettings, OutboxSettings } from "./wire/frames.ts";
