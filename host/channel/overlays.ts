/**
 * What contracts lay over settings: each a merge patch of its own, one over the other in the order of the contracts.
 *
 * The settings below are nobody's but the operator's. What is in force follows from both, and is found anew when either changes.
 */
import { SluiceError } from "../errors.ts";
import { type ChannelDefinition, type ChannelFields, definitionFromPatch, overlay } from "./definition.ts";

/** What one contract lays over something. */
export interface Layer {
  /** Name of the contract. */
  readonly by: string;
  /** Fields, as a merge patch has them: null gives one its default. */
  readonly patch: ChannelFields;
}

/** All that lies over something, the topmost last. */
export type Layers = readonly Layer[];

/** A change that has been checked and got what it needs, and has not been made yet. */
export interface PreparedChange {
  /** Makes it. Returns what makes it undone. @throws {SluiceError} `store_full`, `limit_reached`; nothing has changed then. */
  commit(): () => void;
  /** Gives back what it does not need any more: after commit(), or instead of it. */
  end(): void;
}

/** What contracts may lay something over: channels by name, inboxes by id. */
export interface Governable {
  /**
   * Checks what would be in force under other layers.
   *
   * @throws {SluiceError} where there is no such thing and something is to be laid over it, or that cannot be in force.
   */
  prepare(name: string, layers: Layers): PreparedChange;
  /** What would be in force under these layers, as its resource shows it. @throws {SluiceError} as prepare(). */
  preview(name: string, layers: Layers): ChannelFields;
  /** Takes layers away, whatever comes of it: what cannot be in force without them stays until something else changes. */
  release(name: string, layers: Layers): void;
}

/** The definition that is in force where layers lie over another. @throws {SluiceError} as definitionFromPatch(). */
export function layered(
  name: string,
  base: ChannelDefinition,
  layers: Layers,
  defaults: ChannelFields | undefined,
): ChannelDefinition {
  return layers.reduce((below, { patch }) => definitionFromPatch(name, below, patch, defaults), base);
}

/**
 * What layers say, with the values that are in force.
 *
 * @param shown The resource with those.
 */
export function overlayOf(layers: Layers, shown: ChannelFields): ChannelFields {
  const said = layers.reduce<ChannelFields>((below, { patch }) => overlay(below, patch), {});
  return picked(said, shown);
}

/** The fields of `shown` that `said` has; a filter is one field. */
function picked(said: ChannelFields, shown: ChannelFields): ChannelFields {
  return Object.fromEntries(
    Object.entries(said).map(([name, value]): [string, unknown] => {
      const there = shown[name] ?? null;
      const within = isFields(value) && isFields(there) && !Object.keys(value).some((field) => !(field in there));
      return [name, within ? picked(value, there) : there];
    }),
  );
}

function isFields(value: unknown): value is ChannelFields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws {SluiceError} `channel_governed` naming the contracts that lay something over a channel. */
export function assertUngoverned(name: string, layers: Layers): void {
  if (layers.length === 0) return;
  const by = layers.map((layer) => layer.by);
  throw new SluiceError("channel_governed", `Cannot remove channel "${name}", contract ${by[0]} governs it`, {
    value: name,
    limit: by,
  });
}
