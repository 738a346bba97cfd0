/** What a contract would do: where it would be, what it would carry out, and what that would change. Nothing happens. */
import { RECEIPTS_OFFSET, RESULT_COUNT, RESULT_STATUS, RESULT_VALUE } from "../../core-wasm/abi.ts";
import { PASS_HANDLERS } from "../../core-wasm/contract/abi.ts";
import type { ChannelFields } from "../channel/definition.ts";
import type { Core } from "../core/instance.ts";
import { type SluiceError, sluiceErrorFrom } from "../errors.ts";
import type { ActionDefinition } from "./action-schema.ts";
import { type Contract, namesOf, type Snapshot, snapshotOf } from "./contract.ts";
import type { Governing, Governor } from "./governing.ts";
import { changesBetween, type Kind, type Overlay, overlayAfter } from "./overlay.ts";

/** A field, and what would be in force of it now and then. */
export interface FieldChange {
  /** Names from the outermost inwards. */
  readonly field: string;
  readonly from: unknown;
  readonly to: unknown;
}

/** A channel or an inbox that would be changed. */
export interface PlannedChange {
  readonly kind: Kind;
  readonly name: string;
  /** What would be in force otherwise than now. */
  readonly changes: readonly FieldChange[];
  /** Why it cannot be. */
  readonly problem?: { readonly code: SluiceError["code"]; readonly detail: string };
}

/** See the head of this file. */
export interface Plan {
  readonly path: { readonly from: readonly string[]; readonly to: readonly string[] };
  readonly status: "active" | "no_region";
  readonly handlers: readonly string[];
  /** In the order in which they would be carried out. */
  readonly actions: readonly (ActionDefinition & { readonly mode: "sync" | "async" })[];
  readonly governs: readonly PlannedChange[];
  /** What it would be decided by. */
  readonly snapshot: Snapshot;
}

/** What contractsNext() tells of a contract, copied out of the core. */
export interface Told {
  readonly path: readonly number[];
  readonly fired: readonly number[];
  readonly noRegion: boolean;
}

/** Reads what contractsNext() has just told. */
export function toldBy({ views: { result, words } }: Core): Told {
  const at = RECEIPTS_OFFSET >>> 2;
  const handlersAt = at + PASS_HANDLERS;
  return {
    path: [...words.subarray(at, at + (result[RESULT_VALUE] as number))],
    fired: [...words.subarray(handlersAt, handlersAt + (result[RESULT_COUNT] as number))],
    noRegion: result[RESULT_STATUS] === 1,
  };
}

/**
 * Makes the plan.
 *
 * @param trial The contract as it would be, evaluated once in the core.
 * @param told What that has given; undefined: neither path nor status would change.
 * @param now Where it is now, and what it lays over things.
 */
export function planOf(
  core: Core,
  governing: Governing,
  trial: Contract,
  told: Told | undefined,
  now: { readonly path: readonly string[]; readonly overlay: Overlay },
): Plan {
  const { transitions } = trial.definition;
  const fires = (told?.fired ?? []).flatMap((index) => transitions[index] ?? []);
  const ordered = [...fires.filter(({ mode }) => mode === "sync"), ...fires.filter(({ mode }) => mode === "async")];
  const actions = ordered.flatMap(({ mode, do: all }) => all.map((action) => ({ ...action, mode })));
  return {
    path: { from: now.path, to: namesOf({ path: told?.path ?? trial.path, compiled: trial.compiled }) },
    status: (told?.noRegion ?? trial.noRegion) ? "no_region" : "active",
    handlers: fires.map(({ from, to }) => `${from}->${to}`),
    actions,
    governs: changesPlanned(
      governing,
      trial,
      now.overlay,
      overlayAfter(
        trial.overlay,
        ordered.flatMap((one) => one.do),
      ),
    ),
    snapshot: snapshotOf(core, trial),
  };
}

function changesPlanned(governing: Governing, governor: Governor, before: Overlay, after: Overlay): PlannedChange[] {
  return changesBetween(before, after).map(({ kind, name, patch }) => {
    try {
      const now = governing.preview(kind, name, governor, before[kind].get(name));
      return { kind, name, changes: differing(now, governing.preview(kind, name, governor, patch), "") };
    } catch (thrown) {
      const { code, message: detail } = sluiceErrorFrom(thrown);
      return { kind, name, changes: [], problem: { code, detail } };
    }
  });
}

/** Fields that differ; lists and filters are one field. */
function differing(now: ChannelFields, then: ChannelFields, path: string): FieldChange[] {
  return [...new Set([...Object.keys(now), ...Object.keys(then)])].flatMap((name): FieldChange[] => {
    const field = path === "" ? name : `${path}.${name}`;
    const [one, other] = [now[name], then[name]];
    if (JSON.stringify(one) === JSON.stringify(other)) return [];
    const within = path !== "filters" && isFields(one) && isFields(other);
    return within ? differing(one, other, field) : [{ field, from: one ?? null, to: other ?? null }];
  });
}

function isFields(value: unknown): value is ChannelFields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
