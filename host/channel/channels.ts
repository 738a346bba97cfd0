/**
 * The channels of this host: names and definitions here, numbers, members and sequences in the core.
 *
 * The definitions outlive a core: after a restart every channel is made again, with a new number.
 */
import {
  CHANNEL_ECHO,
  CHANNEL_LATE_DIVERT,
  CHANNEL_LATE_DROP,
  CHANNEL_SINGLE,
  CHANNELS_MAX,
  RESULT_LIMIT,
  RESULT_VALUE,
  STAGE_OUT,
  STATUS_OK,
} from "../../core-wasm/abi.ts";
import { addDecider, bindDecider, payloadOnly } from "../core/decider.ts";
import { type CoreHolder, isTrap, placeText, placeTypes } from "../core/instance.ts";
import { errorFromStatus } from "../core/status.ts";
import { SluiceError } from "../errors.ts";
import type { RouteCounters } from "../filter/bound.ts";
import { type Binding, sameBinding } from "../filter/route.ts";
import type { Stage } from "../filter/schema.ts";
import { limits } from "../limits.ts";
import {
  assertChannelName,
  type ChannelDefinition,
  completed,
  type DeliveryWindow,
  defaultDefinition,
  echoOf,
  withFilter,
} from "./definition.ts";
import { emptyPolicy, Filtering, FilterTotals, type ModuleBinder } from "./filtering.ts";

/** A channel as others see it. */
export interface ChannelView {
  readonly name: string;
  /** Stands for the name in binary frames, until this epoch of the core ends. */
  readonly number: number;
  /** Counts the channels that this host ever had, from 1: tells one from a later one of the same name or number. */
  readonly incarnation: number;
  readonly definition: ChannelDefinition;
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

/** What happened to a channel, told after it did. */
export interface ChannelChange {
  readonly type: "created" | "updated" | "removed";
  readonly channel: ChannelView;
  /** Nobody defined it: it came into being by a join or publish, and would do so again. */
  readonly implicit: boolean;
}

/** What {@link Channels} needs. */
export interface ChannelsSettings {
  readonly holder: CoreHolder;
  /** Whether resolve() may create a channel. */
  readonly implicit: boolean;
  /** What a channel that comes into being by itself gets; the host's defaults where absent. */
  readonly defaultsFor?: (name: string) => ChannelDefinition;
  /** Asked before a channel gets another window. @throws {SluiceError} where sessions that have joined could not keep it. */
  readonly admit?: (channel: ChannelView, window: DeliveryWindow) => void;
  /** Has filter modules decide; they are refused where absent. */
  readonly modules?: ModuleBinder;
  /** Deals with a trap of the core. Returns what the caller is to hear. */
  readonly onTrap?: (error: Error) => SluiceError;
}

/** Written by Channels only; everybody else gets it as a {@link ChannelView}. */
class Channel implements ChannelView {
  readonly name: string;
  number = 0;
  readonly incarnation: number;
  definition: ChannelDefinition;
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

/** All channels of one host. Every change is in the core when the call returns. */
export class Channels {
  /** What the filters of all channels count. */
  readonly filterTotals = new FilterTotals();
  readonly #settings: ChannelsSettings;
  readonly #byName = new Map<string, Channel>();
  /** Sparse only by removals: the core reuses numbers. */
  readonly #byNumber: (Channel | undefined)[] = [];
  readonly #listeners = new Set<(change: ChannelChange) => void>();
  /** Channels that divert what nobody is selected for, and where to: few, if any. */
  readonly #diverting = new Map<string, string>();
  #ever = 0;

  constructor(settings: ChannelsSettings) {
    this.#settings = settings;
  }

  /** How many there are. */
  get count(): number {
    return this.#byName.size;
  }

  /** All channels, in the order of their creation. */
  list(): ChannelView[] {
    return [...this.#byName.values()];
  }

  get(name: string): ChannelView | undefined {
    return this.#byName.get(name);
  }

  /** The channel that has a number in the present core. */
  byNumber(number: number): ChannelView | undefined {
    return this.#byNumber[number];
  }

  /**
   * Creates a channel, or replaces its definition; members stay.
   *
   * @throws {SluiceError} `channel_name`, `limit_reached`, `store_full`; for a definition that is not whole as
   *   definitionFromJson().
   */
  put(name: string, given: ChannelDefinition): { created: boolean; channel: ChannelView } {
    const definition = completed(given, name);
    const present = this.#byName.get(name);
    if (present !== undefined)
      return { created: false, channel: this.#guarded(() => this.#update(present, definition)) };
    return { created: true, channel: this.#create(name, definition, false) };
  }

  /**
   * Replaces the definition of a channel that exists.
   *
   * @throws {SluiceError} `channel_unknown`; for a definition that is not whole as definitionFromJson().
   */
  patch(name: string, given: ChannelDefinition): ChannelView {
    const channel = this.#byName.get(name);
    if (channel === undefined) throw channelUnknown(name);
    const definition = completed(given, name);
    return this.#guarded(() => this.#update(channel, definition));
  }

  /**
   * Binds a filter, or with null takes it away. One that means the same as what is bound changes nothing: counters and
   * whatever is remembered stay.
   *
   * @throws {SluiceError} `channel_unknown`, `store_full`, `limit_reached`; what was bound stays then.
   */
  setFilter(name: string, stage: Stage, binding: Binding | null): ChannelView {
    const channel = this.#byName.get(name);
    if (channel === undefined) throw channelUnknown(name);
    return this.patch(name, withFilter(channel.definition, stage, binding));
  }

  /**
   * Removes a channel and its members; what their inboxes hold of it is discarded and counted.
   *
   * @returns Whether it was there.
   */
  remove(name: string): boolean {
    const channel = this.#byName.get(name);
    if (channel === undefined) return false;
    return this.#guarded(() => {
      // Listeners hear of it while the number still means this channel, so that they can tell its members.
      this.#tell("removed", channel);
      this.#byName.delete(name);
      this.#byNumber[channel.number] = undefined;
      channel.filtering?.end();
      this.#settings.holder.core.exports.channelRemove(channel.number);
      this.#divertAgain(name);
      return true;
    });
  }

  /**
   * The channel of that name, made with the definition of {@link ChannelsSettings.defaultsFor} where this host may do so.
   *
   * @throws {SluiceError} `channel_unknown`, or as {@link put}.
   */
  resolve(name: string): ChannelView {
    const channel = this.#byName.get(name);
    if (channel !== undefined) return channel;
    if (!this.#settings.implicit) throw channelUnknown(name);
    assertChannelName(name);
    return this.#create(name, this.#settings.defaultsFor?.(name) ?? defaultDefinition, true);
  }

  /** Checks that {@link resolve} would find a channel of that name, or make one. @throws {SluiceError} as that does. */
  assertResolves(name: string): void {
    if (this.#byName.has(name)) return;
    if (!this.#settings.implicit) throw channelUnknown(name);
    assertChannelName(name);
  }

  /**
   * Has the events of a channel pass the decider of the host's settings on OUT, which sees their data.
   *
   * @throws {SluiceError} `channel_unknown`, `too_many_sinks`, `store_full`.
   */
  setDecider(name: string, decided: boolean): void {
    const channel = this.#byName.get(name);
    if (channel === undefined) throw channelUnknown(name);
    this.#guarded(() => this.#decide(channel, decided));
    channel.decided = decided;
  }

  #decide(channel: Channel, decided: boolean): void {
    const { core } = this.#settings.holder;
    const decider = decided ? addDecider(core, payloadOnly) : 0;
    try {
      bindDecider(core, channel.number, STAGE_OUT, decider);
    } finally {
      // The binding has its own use of it.
      core.exports.deciderRelease(decider);
    }
  }

  /** Calls back after every change. Returns what ends that. */
  onChange(listener: (change: ChannelChange) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Makes every channel again in a new core. Definitions and revisions stay, numbers change, members are gone. */
  restore(): void {
    this.#byNumber.length = 0;
    this.filterTotals.clear();
    for (const channel of this.#byName.values()) {
      this.#add(channel);
      if (channel.decided) this.#decide(channel, true);
    }
    // Only now all have their numbers.
    for (const channel of this.#byName.values()) this.#setEmpty(channel);
  }

  /** A trap while a channel is changed: the core is made anew from the definitions as they were before. */
  #guarded<Value>(work: () => Value): Value {
    try {
      return work();
    } catch (error) {
      const { onTrap } = this.#settings;
      throw isTrap(error) && onTrap !== undefined ? onTrap(error) : error;
    }
  }

  #create(name: string, definition: ChannelDefinition, implicit: boolean): Channel {
    assertChannelName(name);
    const channel = new Channel(name, ++this.#ever, shared(definition), this.#settings.holder, implicit);
    this.#guarded(() => this.#add(channel));
    this.#byName.set(name, channel);
    this.#divertAgain(name);
    // Listeners may make members of it.
    this.#guarded(() => this.#tell("created", channel));
    return channel;
  }

  #add(channel: Channel): void {
    const { core } = this.#settings.holder;
    const name = placeText(core, channel.name);
    const number = core.exports.channelAdd(name.at, name.bytes, flagsOf(channel.definition));
    if (number === 0) {
      throw new SluiceError(
        "limit_reached",
        `Cannot create channel "${channel.name}", this host has no room for more than ${this.count}`,
        {
          value: channel.name,
          limit: CHANNELS_MAX,
        },
      );
    }
    channel.number = number;
    channel.filtering = undefined;
    channel.hasEmpty = false;
    channel.hasWindow = false;
    this.#byNumber[number] = channel;
    try {
      this.#configure(channel);
    } catch (error) {
      core.exports.channelRemove(number);
      this.#byNumber[number] = undefined;
      throw error;
    }
  }

  #update(channel: Channel, definition: ChannelDefinition): Channel {
    const { window } = definition.delivery;
    if (window !== null && !sameWindow(channel.definition.delivery.window, window))
      this.#settings.admit?.(channel, window);
    const wasImplicit = channel.implicit;
    channel.implicit = false;
    if (sameDefinition(channel.definition, definition)) {
      // Now somebody wants it: it is kept even where nothing about it changed.
      if (wasImplicit) this.#tell("updated", channel);
      return channel;
    }
    const before = channel.definition;
    channel.definition = shared(definition);
    try {
      this.#configure(channel);
    } catch (error) {
      channel.definition = before;
      channel.filtering?.set(before.filters);
      throw error;
    }
    channel.revision++;
    this.#tell("updated", channel);
    return channel;
  }

  #configure(channel: Channel): void {
    const { core } = this.#settings.holder;
    const { types, delivery, store, filters } = channel.definition;
    // First, and all or nothing: it is the one thing that a host short of room refuses.
    if (channel.filtering !== undefined || filters.in !== null || filters.out !== null) {
      channel.filtering ??= new Filtering(
        this.#settings.holder,
        channel.number,
        this.filterTotals,
        this.#settings.modules,
      );
      channel.filtering.set(filters);
    }
    this.#check(
      core.exports.channelSet(channel.number, flagsOf(channel.definition), delivery.priority, delivery.ttlMs ?? 0),
    );
    this.#check(core.exports.channelTypes(channel.number, placeTypes(core, types), types.length));
    this.#check(core.exports.channelStore(channel.number, store.events, limits.storeChannelBytes));
    this.#setWindow(channel);
    this.#setEmpty(channel);
  }

  #setWindow(channel: Channel): void {
    const { window } = channel.definition.delivery;
    if (window === null && !channel.hasWindow) return;
    channel.hasWindow = true;
    const { lose, of, periodMs } = window ?? { lose: 0, of: 0, periodMs: 0 };
    this.#check(this.#settings.holder.core.exports.channelWindow(channel.number, lose, of, periodMs));
  }

  /** What becomes of events that nobody is selected for. A channel to divert to that is not there takes none. */
  #setEmpty(channel: Channel): void {
    const { name, number } = channel;
    const { empty, divertTo } = channel.definition.delivery;
    if (empty === "drop" && divertTo === null && !channel.hasEmpty) return;
    channel.hasEmpty = true;
    if (divertTo === null) this.#diverting.delete(name);
    else this.#diverting.set(name, divertTo);
    const target = divertTo === null ? 0 : (this.#byName.get(divertTo)?.number ?? 0);
    const { core } = this.#settings.holder;
    this.#check(emptyPolicy(core, number, empty, target));
  }

  /** A channel came or went: those that divert to it are told its number. */
  #divertAgain(name: string): void {
    for (const [from, to] of this.#diverting) {
      if (to !== name) continue;
      const channel = this.#byName.get(from);
      if (channel === undefined) this.#diverting.delete(from);
      else this.#setEmpty(channel);
    }
  }

  #check(status: number): void {
    if (status === STATUS_OK) return;
    const { result } = this.#settings.holder.core.views;
    throw errorFromStatus(status, result[RESULT_VALUE] as number, result[RESULT_LIMIT] as number);
  }

  #tell(type: ChannelChange["type"], channel: Channel): void {
    for (const listener of this.#listeners) listener({ type, channel, implicit: channel.implicit });
  }
}

/** Most channels have the default definition: they share one object, which a hundred thousand of them notice. */
function shared(definition: ChannelDefinition): ChannelDefinition {
  return sameDefinition(definition, defaultDefinition) ? defaultDefinition : definition;
}

/** What becomes of late events. */
const lateFlags: { readonly [Late in ChannelDefinition["delivery"]["late"]]: number } = {
  deliver: 0,
  drop: CHANNEL_LATE_DROP,
  divert: CHANNEL_LATE_DROP | CHANNEL_LATE_DIVERT,
};

function flagsOf(definition: ChannelDefinition): number {
  return (
    (definition.source === "single" ? CHANNEL_SINGLE : 0) |
    (echoOf(definition) ? CHANNEL_ECHO : 0) |
    lateFlags[definition.delivery.late]
  );
}

function sameDefinition(one: ChannelDefinition, other: ChannelDefinition): boolean {
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

function channelUnknown(name: string): SluiceError {
  return new SluiceError("channel_unknown", `There is no channel "${name}"`, { value: name });
}

function sameWindow(one: DeliveryWindow | null, other: DeliveryWindow | null): boolean {
  if (one === null || other === null) return one === other;
  return one.lose === other.lose && one.of === other.of && one.periodMs === other.periodMs;
}
