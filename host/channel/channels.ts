/**
 * The channels of this host: names and definitions here, numbers, members and sequences in the core.
 *
 * The definitions outlive a core: after a restart every channel is made again, with a new number.
 */
import { CHANNELS_MAX, RESULT_LIMIT, RESULT_VALUE, STAGE_OUT, STATUS_OK } from "../../core-wasm/abi.ts";
import { addDecider, bindDecider, payloadOnly } from "../core/decider.ts";
import { type CoreHolder, isTrap, placeText, placeTypes } from "../core/instance.ts";
import { errorFromStatus } from "../core/status.ts";
import { SluiceError } from "../errors.ts";
import type { Binding } from "../filter/route.ts";
import type { Stage } from "../filter/schema.ts";
import { limits } from "../limits.ts";
import { Channel, type ChannelView, flagsOf, sameDefinition, sameWindow, shared } from "./channel.ts";
import {
  assertChannelName,
  type ChannelDefinition,
  type ChannelFields,
  channelResource,
  completed,
  type DeliveryWindow,
  defaultDefinition,
  withFilter,
} from "./definition.ts";
import { emptyPolicy, Filtering, FilterTotals, type ModuleBinder } from "./filtering.ts";
import { assertUngoverned, type Governable, type Layers, layered, type PreparedChange } from "./overlays.ts";

/** What happened to a channel, told after it did; `governed`: contracts lay something else over it. */
export interface ChannelChange {
  readonly type: "created" | "updated" | "governed" | "removed";
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
  /** What templates say about a channel of that name. */
  readonly fieldsFor?: (name: string) => ChannelFields | undefined;
  /** Asked before a channel gets another window. @throws {SluiceError} where sessions that have joined could not keep it. */
  readonly admit?: (channel: ChannelView, window: DeliveryWindow) => void;
  /** Has filter modules decide; they are refused where absent. */
  readonly modules?: ModuleBinder;
  /** Deals with a trap of the core. Returns what the caller is to hear. */
  readonly onTrap?: (error: Error) => SluiceError;
}

/** All channels of one host. Every change is in the core when the call returns. */
export class Channels implements Governable {
  /** What the filters of all channels count. */
  readonly filterTotals = new FilterTotals();
  readonly #settings: ChannelsSettings;
  readonly #byName = new Map<string, Channel>();
  /** Sparse only by removals: the core reuses numbers. */
  readonly #byNumber: (Channel | undefined)[] = [];
  readonly #listeners = new Set<(change: ChannelChange) => void>();
  /** Channels that divert what nobody is selected for, and where to: few, if any. */
  readonly #diverting = new Map<string, string>();
  /** What lies over channels, by name: also over those that are not there yet after a start. */
  readonly #layers = new Map<string, Layers>();
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
   * @throws {SluiceError} `channel_governed` while contracts lay something over it.
   */
  remove(name: string): boolean {
    const channel = this.#byName.get(name);
    if (channel === undefined) return false;
    assertUngoverned(name, channel.layers);
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

  /** See {@link Governable.prepare}. */
  prepare(name: string, layers: Layers): PreparedChange {
    const channel = this.#byName.get(name);
    if (channel === undefined) throw channelUnknown(name);
    const inForce = this.#layered(channel.name, channel.definition, layers);
    this.#admitWindow(channel, inForce.delivery.window);
    const end = this.#guarded(() => this.#filteringOf(channel, inForce.filters)?.prepare(inForce.filters));
    return {
      commit: () => {
        this.#guarded(() => this.#enforce(channel, inForce));
        const undoLayers = this.#lay(name, layers);
        return () => {
          undoLayers();
          this.#guarded(() => this.#enforce(channel, this.#layered(name, channel.definition, channel.layers)));
        };
      },
      end: () => end?.(),
    };
  }

  /** See {@link Governable.preview}. */
  preview(name: string, layers: Layers): ChannelFields {
    const channel = this.#byName.get(name);
    if (channel === undefined) throw channelUnknown(name);
    return { ...channelResource(name, this.#layered(name, channel.definition, layers)) };
  }

  /** See {@link Governable.release}. */
  release(name: string, layers: Layers): void {
    this.#lay(name, layers);
  }

  /** Notes what lies over a channel. Returns what makes that undone. */
  #lay(name: string, layers: Layers): () => void {
    const before = this.#layers.get(name) ?? [];
    const note = (noted: Layers): void => {
      if (noted.length === 0) this.#layers.delete(name);
      else this.#layers.set(name, noted);
      const channel = this.#byName.get(name);
      if (channel === undefined) return;
      channel.layers = noted;
      this.#tell("governed", channel);
    };
    note(layers);
    return () => note(before);
  }

  /** What is in force for a channel of that name. */
  #layered(name: string, definition: ChannelDefinition, layers: Layers): ChannelDefinition {
    return layers.length === 0 ? definition : layered(name, definition, layers, this.#settings.fieldsFor?.(name));
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
    channel.layers = this.#layers.get(name) ?? [];
    channel.inForce = shared(this.#layered(name, definition, channel.layers));
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
    const number = core.exports.channelAdd(name.at, name.bytes, flagsOf(channel.inForce));
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
    const inForce = this.#layered(channel.name, definition, channel.layers);
    this.#admitWindow(channel, inForce.delivery.window);
    const wasImplicit = channel.implicit;
    channel.implicit = false;
    if (sameDefinition(channel.definition, definition)) {
      // Now somebody wants it: it is kept even where nothing about it changed.
      if (wasImplicit) this.#tell("updated", channel);
      return channel;
    }
    this.#enforce(channel, inForce);
    channel.definition = shared(definition);
    channel.revision++;
    this.#tell("updated", channel);
    return channel;
  }

  /** Has a definition in force; where that is refused all stays as it was. */
  #enforce(channel: Channel, inForce: ChannelDefinition): void {
    if (sameDefinition(channel.inForce, inForce)) return;
    const before = channel.inForce;
    channel.inForce = shared(inForce);
    try {
      this.#configure(channel);
    } catch (error) {
      channel.inForce = before;
      channel.filtering?.set(before.filters);
      throw error;
    }
  }

  #admitWindow(channel: Channel, window: DeliveryWindow | null): void {
    if (window !== null && !sameWindow(channel.inForce.delivery.window, window))
      this.#settings.admit?.(channel, window);
  }

  /** The filters of a channel in the core; undefined where it has none and is to have none. */
  #filteringOf(channel: Channel, filters: ChannelDefinition["filters"]): Filtering | undefined {
    if (channel.filtering !== undefined || (filters.in === null && filters.out === null)) return channel.filtering;
    const { holder, modules } = this.#settings;
    channel.filtering = new Filtering(holder, channel.number, this.filterTotals, modules);
    return channel.filtering;
  }

  #configure(channel: Channel): void {
    const { core } = this.#settings.holder;
    const { types, delivery, store, filters } = channel.inForce;
    // First, and all or nothing: it is the one thing that a host short of room refuses.
    this.#filteringOf(channel, filters)?.set(filters);
    this.#check(
      core.exports.channelSet(channel.number, flagsOf(channel.inForce), delivery.priority, delivery.ttlMs ?? 0),
    );
    this.#check(core.exports.channelTypes(channel.number, placeTypes(core, types), types.length));
    this.#check(core.exports.channelStore(channel.number, store.events, limits.storeChannelBytes));
    this.#setWindow(channel);
    this.#setEmpty(channel);
  }

  #setWindow(channel: Channel): void {
    const { window } = channel.inForce.delivery;
    if (window === null && !channel.hasWindow) return;
    channel.hasWindow = true;
    const { lose, of, periodMs } = window ?? { lose: 0, of: 0, periodMs: 0 };
    this.#check(this.#settings.holder.core.exports.channelWindow(channel.number, lose, of, periodMs));
  }

  /** What becomes of events that nobody is selected for. A channel to divert to that is not there takes none. */
  #setEmpty(channel: Channel): void {
    const { name, number } = channel;
    const { empty, divertTo } = channel.inForce.delivery;
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

function channelUnknown(name: string): SluiceError {
  return new SluiceError("channel_unknown", `There is no channel "${name}"`, { value: name });
}
