/**
 * What the control plane needs of a service: less than there is, so that its tests can stand alone, and so that nothing
 * here depends on sessions and sockets.
 */
import type { ChannelDefinition, ChannelFields } from "../channel/definition.ts";
import type { Layers } from "../channel/overlays.ts";
import type { Template } from "../channel/templates.ts";
import type { Clock } from "../clock.ts";
import type { Conditions } from "../condition/conditions.ts";
import type { Contracts } from "../contract/contracts.ts";
import type { ContractDocuments } from "../contract/documents.ts";
import type { ContractObservers } from "../contract/observers.ts";
import type { SluiceError } from "../errors.ts";
import type { RouteCounters } from "../filter/bound.ts";
import type { ModulesAtWork } from "../filter/module/name-totals.ts";
import type { FilterRegistry } from "../filter/registry/registry.ts";
import type { Binding } from "../filter/route.ts";
import type { Stage } from "../filter/schema.ts";
import type { Event } from "../gen/sluice/v1/event_pb.ts";
import type { CancelKeyOptions, Cancelled } from "../session/cancel.ts";
import type { ConnectionAdapter } from "../session/connection.ts";
import type { ExplainOptions, Explanation } from "../session/explain.ts";
import type { Mailboxes } from "../session/mailboxes.ts";
import type { MemberChanges, RosterMember } from "../session/roster.ts";
import type { Tracing } from "../session/tracing.ts";
import type { StreamKind } from "../socket/sse/renderers.ts";
import type { OpenedStream, StreamRequest } from "../socket/sse/stream.ts";

/** A channel as the control plane shows it. */
export interface ControlChannel {
  readonly name: string;
  readonly definition: ChannelDefinition;
  /** What is in force: the definition, and what contracts lay over it. */
  readonly inForce: ChannelDefinition;
  readonly layers: Layers;
  /** Present members. */
  sinks(): number;
  sources(): number;
  /** Events sequenced in this epoch. */
  sequence(): number;
  /** Events that it keeps for replays now. */
  stored(): number;
  /** Events that its sinks lost in this epoch. @param reason DROPPED_… */
  lost(reason: number): number;
  /** What is counted of each route of a filter since it was bound. */
  routeCounters(stage: Stage): readonly RouteCounters[];
}

/** A member as the control plane shows it. */
export type ControlMember = RosterMember;

/** What became of one published event. */
export type ControlResult =
  | {
      readonly id: string;
      readonly sequence: number;
      readonly epoch: number;
      readonly sinks: number;
      readonly hosts: number;
      readonly refused?: number;
    }
  | { readonly problem: SluiceError };

/** The service behind the control plane; host/service.ts is one. */
export interface ControlService {
  readonly hostId: string;
  readonly epoch: number;
  /** Moment of the start on the real clock, ms since 1970. */
  readonly startedAt: number;
  readonly draining: boolean;
  readonly options: { readonly implicitChannels: boolean };
  readonly channels: {
    list(): readonly ControlChannel[];
    get(name: string): ControlChannel | undefined;
    put(name: string, definition: ChannelDefinition): { readonly created: boolean; readonly channel: ControlChannel };
    patch(name: string, definition: ChannelDefinition): ControlChannel;
    /** Binds a filter; null unbinds. One that means the same changes nothing. */
    setFilter(name: string, stage: Stage, binding: Binding | null): ControlChannel;
    remove(name: string): boolean;
    /** What the filters of all channels count. */
    readonly filterTotals: { count(stage: Stage): number; read(stage: Stage): RouteCounters };
  };
  readonly members: {
    /** In no order. Throws a SluiceError for an unknown channel, as the others do for an unknown member, too. */
    list(channel: string): Iterable<ControlMember>;
    get(channel: string, member: number): ControlMember;
    update(channel: string, member: number, changes: MemberChanges): ControlMember;
  };
  readonly templates: {
    list(): readonly Template[];
    get(name: string): Template | undefined;
    /** Returns whether it is new. */
    put(template: Template): boolean;
    remove(name: string): boolean;
    /** What templates say about a channel of that name; undefined where none matches. */
    fieldsFor(channel: string): ChannelFields | undefined;
  };
  /** What the system measures, and what others tell it. */
  readonly conditions: Pick<Conditions, "list" | "get" | "read" | "put" | "remove" | "change" | "definitionFrom">;
  /** Regions of operation over conditions. */
  readonly contracts: Pick<
    Contracts,
    | "names"
    | "definition"
    | "read"
    | "totals"
    | "history"
    | "serial"
    | "evaluate"
    | "plan"
    | "paused"
    | "pause"
    | "step"
  >;
  /** Who is told of their transitions. */
  readonly regions: Pick<ContractObservers, "add">;
  /** As they were written. */
  readonly contractDocuments: Pick<ContractDocuments, "get" | "resolved" | "preview" | "put" | "remove">;
  /** Filter modules; undefined where this host takes none. */
  readonly filters: FilterRegistry | undefined;
  /** Filter modules at work; absent where none can be. */
  readonly modules?: ModulesAtWork | undefined;
  /** The clock of time-outs that a test may drive; the app's own `clock` is the real one. */
  readonly clocks: { readonly service: Clock };
  /** Takes encoded Events. Synchronous; one result per event. Throws a SluiceError where no event was looked at. */
  publishEncoded(channel: string, events: readonly Uint8Array[]): readonly ControlResult[];
  /**
   * Subscribes a client that is told by server-sent events.
   *
   * @param carrier Gets what is to be told.
   */
  openStream(kind: StreamKind, carrier: ConnectionAdapter, request: StreamRequest): OpenedStream;
  /** Withdraws the undelivered events of a key, and tells whoever got it. */
  cancel(channel: string, key: string, options?: CancelKeyOptions): Cancelled;
  /** What would become of an event at each sink, in join order. Nothing happens. */
  explain(channel: string, event: Event, options?: ExplainOptions): Explanation;
  /** All mailboxes; those that are polled are made and kept there. */
  readonly inboxes: Pick<
    Mailboxes,
    "list" | "get" | "open" | "patch" | "close" | "join" | "leave" | "poll" | "acknowledge" | "drain" | "histogram"
  >;
  /** Events whose way is followed. */
  readonly tracing: Pick<Tracing, "trace" | "list">;
  /** Counters by name; those that only grow end in "Total". */
  statistics(): Readonly<Record<string, number>>;
}
