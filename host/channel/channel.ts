/** One channel: what was said of it, what is in force, and what the core counts of it. */
import { CHANNEL_ECHO, CHANNEL_LATE_DIVERT, CHANNEL_LATE_DROP, CHANNEL_SINGLE } from "../../core-wasm/abi.ts";
import type { CoreHolder } from "../core/instance.ts";
import type { RouteCounters } from "../filter/bound.ts";
import { sameBinding } from "../filter/route.ts";
import type { Stage } from "../filter/schema.ts";
import { type ChannelDefinition, type DeliveryWindow, defaultDefinition, echoOf } from "./definition.ts";
import type { Filtering } from "./filtering.ts";
import type { Layers } from "./overlays.ts";

/** A channel as others see it. */
export interface ChannelView {
  readonly name: string;
  /** Stands for the name in binary frames, until this epoch of the core ends. */
  readonly number: number;
  /** Counts the channels that this host ever had, from 1: tells one from a later one of the same name or number. */
  readonly incarnation: number;
  readonly definition: ChannelDefinition;
  /** What is in force: the definition, and what contracts lay over it. */
  readonly inForce: ChannelDefinition;
  /** Who lays what over it. */
  readonly layers: Layers;
  /** Counts changes of the definition, from 1. */
  readonly revision: number;
  /** Members that receive. */
  sinks(): number;
  /** Members that publish, implicit ones included. */
  sources(): number;
  /** Sequence of its last event in this epoch; where its number was another channel's before, it goes on from that one's. */
  sequence(): number;
  /** Events that it keeps for replays now. */
  stored(): number;
  /** Events that its sinks lost in this epoch. @param reason DROPPED_… */
  lost(reason: number): number;
  /** What is counted of each route of a filter, since it was bound; none where none is. */
  routeCounters(stage: Stage): readonly RouteCounters[];
}

/** Written by Channels only; everybody else gets it as a {@link ChannelView}. */
export class Channel implements ChannelView {
  readonly name: string;
  number = 0;
  readonly incarnation: number;
  definition: ChannelDefinition;
  inForce: ChannelDefinition;
  layers: Layers = [];
  revision = 1;
  implicit: boolean;
  /** Whether the decider of the settings sees its events. */
  decided = false;
  /** Its filters in the core; undefined while it never had any, as most. */
  filtering: Filtering | undefined;
  /** Whether the core has been told what becomes of events that nobody is selected for. */
  hasEmpty = false;
  /** Whether the core was ever told of a window. */
  hasWindow = false;
  readonly #holder: CoreHolder;

  constructor(name: string, incarnation: number, definition: ChannelDefinition, holder: CoreHolder, implicit: boolean) {
    this.name = name;
    this.incarnation = incarnation;
    this.definition = definition;
    this.inForce = definition;
    this.implicit = implicit;
    this.#holder = holder;
  }

  sinks(): number {
    return this.#holder.core.exports.channelSinks(this.number);
  }

  sources(): number {
    return this.#holder.core.exports.channelSources(this.number);
  }

  sequence(): number {
    return this.#holder.core.exports.channelSequence(this.number);
  }

  stored(): number {
    return this.#holder.core.exports.channelStored(this.number);
  }

  lost(reason: number): number {
    return this.#holder.core.exports.channelLost(this.number, reason);
  }

  routeCounters(stage: Stage): readonly RouteCounters[] {
    return this.filtering?.counters(stage) ?? [];
  }
}

/** Most channels have the default definition: they share one object, which a hundred thousand of them notice. */
export function shared(definition: ChannelDefinition): ChannelDefinition {
  return sameDefinition(definition, defaultDefinition) ? defaultDefinition : definition;
}

/** What becomes of late events. */
const lateFlags: { readonly [Late in ChannelDefinition["delivery"]["late"]]: number } = {
  deliver: 0,
  drop: CHANNEL_LATE_DROP,
  divert: CHANNEL_LATE_DROP | CHANNEL_LATE_DIVERT,
};

/** CHANNEL_… of a definition. */
export function flagsOf(definition: ChannelDefinition): number {
  return (
    (definition.source === "single" ? CHANNEL_SINGLE : 0) |
    (echoOf(definition) ? CHANNEL_ECHO : 0) |
    lateFlags[definition.delivery.late]
  );
}

/** Whether two definitions mean the same. */
export function sameDefinition(one: ChannelDefinition, other: ChannelDefinition): boolean {
  return (
    one.source === other.source &&
    one.echo === other.echo &&
    one.delivery.priority === other.delivery.priority &&
    one.delivery.ttlMs === other.delivery.ttlMs &&
    one.delivery.late === other.delivery.late &&
    one.delivery.empty === other.delivery.empty &&
    one.delivery.divertTo === other.delivery.divertTo &&
    sameWindow(one.delivery.window, other.delivery.window) &&
    sameBinding(one.filters.in, other.filters.in) &&
    sameBinding(one.filters.out, other.filters.out) &&
    one.store.events === other.store.events &&
    one.types.length === other.types.length &&
    one.types.every((type, index) => type === other.types[index])
  );
}

/** Whether two windows are the same one. */
export function sameWindow(one: DeliveryWindow | null, other: DeliveryWindow | null): boolean {
  if (one === null || other === null) return one === other;
  return one.lose === other.lose && one.of === other.of && one.periodMs === other.periodMs;
}
