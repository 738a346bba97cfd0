/**
 * What all contracts lay over channels and inboxes: who lies over whom, and changes that are made together or not at all.
 *
 * Contracts lie over one another in the order of their creation, field by field, whoever spoke last.
 */
import type { ChannelFields } from "../channel/definition.ts";
import type { Governable, Layers, PreparedChange } from "../channel/overlays.ts";
import { isTrap } from "../core/instance.ts";
import { type SluiceError, sluiceErrorFrom } from "../errors.ts";
import type { Log } from "../log.ts";
import { changesBetween, type Kind, type Overlay } from "./overlay.ts";

/** A contract, as far as it governs. */
export interface Governor {
  readonly name: string;
  /** Its place among the contracts. */
  readonly order: number;
}

/** Something that a contract could not govern as it wanted. */
export interface GovernFailure {
  readonly kind: Kind;
  readonly name: string;
  readonly error: SluiceError;
}

/** What may be governed, by kind. */
export type Governables = { readonly [Name in Kind]: Governable };

/** What lies over one channel or inbox, by name of the contract. */
type Patches = Map<string, { readonly order: number; readonly patch: ChannelFields }>;

/** See the head of this file. */
export class Governing {
  readonly #things: Governables;
  readonly #log: Log;
  readonly #patches: { readonly [Name in Kind]: Map<string, Patches> } = { channel: new Map(), inbox: new Map() };

  constructor(things: Governables, log: Log) {
    this.#things = things;
    this.#log = log;
  }

  /**
   * Has a contract lay something else over things: all of it is prepared first, then put in force in one go.
   *
   * @param before What it lays over them now.
   * @returns What could not be; nothing has changed then.
   */
  change(governor: Governor, before: Overlay, after: Overlay): GovernFailure | undefined {
    const changes = changesBetween(before, after);
    const prepared: PreparedChange[] = [];
    const undo: (() => void)[] = [];
    let at: { readonly kind: Kind; readonly name: string } | undefined;
    try {
      for (const { kind, name, patch } of changes) {
        at = { kind, name };
        prepared.push(this.#things[kind].prepare(name, this.#layersWith(kind, name, governor, patch)));
      }
      for (const [index, change] of prepared.entries()) {
        at = changes[index];
        undo.push(change.commit());
      }
    } catch (thrown) {
      if (isTrap(thrown)) throw thrown;
      for (const back of undo.reverse()) back();
      const { kind, name } = at as { readonly kind: Kind; readonly name: string };
      return { kind, name, error: sluiceErrorFrom(thrown) };
    } finally {
      for (const change of prepared) change.end();
    }
    for (const { kind, name, patch } of changes) this.#note(kind, name, governor, patch);
    return undefined;
  }

  /** Has a contract lay nothing over anything any more, whatever comes of it. */
  release(governor: Governor, before: Overlay): void {
    this.give(governor, before, { channel: new Map(), inbox: new Map() });
  }

  /** Has a contract lay less over things, each by itself: what cannot be in force without is told, and stays as it is for now. */
  give(governor: Governor, before: Overlay, after: Overlay): void {
    for (const { kind, name, patch } of changesBetween(before, after)) {
      const layers = this.#layersWith(kind, name, governor, patch);
      this.#note(kind, name, governor, patch);
      try {
        const change = this.#things[kind].prepare(name, layers);
        try {
          change.commit();
        } finally {
          change.end();
        }
      } catch (error) {
        if (isTrap(error)) throw error;
        this.#things[kind].release(name, layers);
        this.#log.warn("what a contract has left stays as it was", { contract: governor.name, kind, name, error });
      }
    }
  }

  /** What a thing would be if a contract laid something else over it. @throws {SluiceError} as Governable.preview(). */
  preview(kind: Kind, name: string, governor: Governor, patch: ChannelFields | undefined): ChannelFields {
    return this.#things[kind].preview(name, this.#layersWith(kind, name, governor, patch));
  }

  #layersWith(kind: Kind, name: string, { name: by, order }: Governor, patch: ChannelFields | undefined): Layers {
    const all = new Map(this.#patches[kind].get(name) ?? []);
    if (patch === undefined) all.delete(by);
    else all.set(by, { order, patch });
    return [...all]
      .sort(([, one], [, other]) => one.order - other.order)
      .map(([contract, said]) => ({ by: contract, patch: said.patch }));
  }

  #note(kind: Kind, name: string, { name: by, order }: Governor, patch: ChannelFields | undefined): void {
    const patches: Patches = this.#patches[kind].get(name) ?? new Map();
    if (patch === undefined) patches.delete(by);
    else patches.set(by, { order, patch });
    if (patches.size === 0) this.#patches[kind].delete(name);
    else this.#patches[kind].set(name, patches);
  }
}
