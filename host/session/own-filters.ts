/**
 * What a join says about its member's own events: filters that they pass before the channel's, and attributes of them that
 * become the member's own.
 */
import { ROLE_SOURCE, STATUS_OK } from "../../core-wasm/abi.ts";
import { checkWith } from "../check.ts";
import { placeTypes } from "../core/instance.ts";
import { errorFromStatus } from "../core/status.ts";
import { SluiceError } from "../errors.ts";
import { bindMember } from "../filter/bound.ts";
import type { BoundModule } from "../filter/module/binder.ts";
import { type Binding, bindingFromInput } from "../filter/route.ts";
import { filtersSchema, type Stage, stages } from "../filter/schema.ts";
import type { Join } from "../gen/sluice/v1/frame_pb.ts";
import { limits } from "../limits.ts";
import type { Engine } from "./engine.ts";

/** Filters that a member brings for its own events, by stage. */
export type OwnFilters = { readonly [Name in Stage]: Binding | null };

/** What counts the routes of those filters in the core, 0: none. */
export type OwnHandles = { readonly [Name in Stage]: number };

/** What a join says about its member's own events. */
export interface Own {
  readonly filters: OwnFilters | undefined;
  /** Names of attributes; without duplicates. */
  readonly piggyback: readonly string[];
  /** Where the join stands in the input, for errors: "join." or "". */
  readonly path: string;
}

const ATTRIBUTE = /^[a-z][a-z0-9_]{0,63}$/;

/**
 * Checks it.
 *
 * @param role ROLE_… bits: who only receives has no events of its own.
 * @param path Of the join in the input, for errors: "join.", or "" where it is all of the input.
 * @throws {SluiceError} As bindingFromJson(), naming the field; `invalid_value` for a sink; `attribute_name`,
 *   `attributes_too_many`.
 */
export function ownFrom(frame: Join, role: number, path: string): Own {
  const { filters, piggyback } = frame;
  const isSource = (role & ROLE_SOURCE) !== 0;
  const hasFilters = filters !== undefined && Object.values(filters).some((binding) => binding !== null);
  if (!isSource && hasFilters) throw noEvents(`${path}filters`);
  if (!isSource && piggyback.length > 0) throw noEvents(`${path}piggyback`);
  assertNames(piggyback, `${path}piggyback`);
  return {
    filters: filters === undefined ? undefined : filtersFrom(filters, pathOf(path, "filters")),
    piggyback: [...new Set(piggyback)],
    path,
  };
}

/** What became of a member's own filters. */
export interface OwnBound {
  readonly handles?: OwnHandles;
  /** To be ended when the member is none any more. */
  readonly modules?: readonly BoundModule[];
}

/**
 * Tells the core. To be called for a member that was just made, before any of its events.
 *
 * @throws {SluiceError} `store_full`, `limit_reached`; `not_supported` for a module where this host has none, and as
 *   Binder.bindMember(). What was bound until then goes with the member.
 */
export function setOwn(
  { core, modules }: Pick<Engine, "core" | "modules">,
  channel: number,
  member: number,
  { filters, piggyback, path }: Own,
): OwnBound {
  const handles = { in: 0, out: 0 };
  const bound: BoundModule[] = [];
  try {
    for (const stage of stages) {
      const binding = filters?.[stage] ?? null;
      if (binding?.module === undefined)
        handles[stage] = binding === null ? 0 : bindMember(core, member, stage, binding);
      else if (modules !== undefined) bound.push(modules.bindMember(channel, member, stage, binding.module));
      else throw noModules(`${path}filters.${stage}.module`);
    }
    if (piggyback.length > 0) {
      const status = core.exports.memberPiggyback(member, placeTypes(core, piggyback), piggyback.length);
      if (status !== STATUS_OK) throw errorFromStatus(status, 0, 0);
    }
  } catch (error) {
    for (const module of bound) module.end();
    throw error;
  }
  return { ...(filters === undefined ? {} : { handles }), ...(bound.length === 0 ? {} : { modules: bound }) };
}

function filtersFrom(value: unknown, path: readonly string[]): OwnFilters | undefined {
  const input = checkWith(filtersSchema, value, path);
  const filters = {
    in: input.in && bindingFromInput(input.in, [...path, "in"]),
    out: input.out && bindingFromInput(input.out, [...path, "out"]),
  };
  return filters.in === null && filters.out === null ? undefined : filters;
}

function assertNames(names: readonly string[], field: string): void {
  if (names.length > limits.attributes) {
    throw new SluiceError(
      "attributes_too_many",
      `${names.length} names in ${field} are too many, limit is ${limits.attributes}`,
      { value: names.length, limit: limits.attributes },
    );
  }
  for (const [index, name] of names.entries()) {
    if (ATTRIBUTE.test(name)) continue;
    throw new SluiceError(
      "attribute_name",
      `Cannot take ${field}[${index}] ${JSON.stringify(name.slice(0, 64))}, a name must match [a-z][a-z0-9_]{0,63}`,
      { value: name.slice(0, 64), limit: "[a-z][a-z0-9_]{0,63}" },
    );
  }
}

function noEvents(field: string): SluiceError {
  return new SluiceError(
    "invalid_value",
    `Cannot take ${field}, it is about a member's own events and a sink has none; join as source or both`,
    { value: field, limit: ["source", "both"] },
  );
}

function noModules(field: string): SluiceError {
  return new SluiceError("not_supported", `Cannot take ${field}, this host has routes only`, { value: field });
}

/** "join." and a name as the parts of a path. */
function pathOf(path: string, name: string): string[] {
  return [...path.split(".").filter((part) => part !== ""), name];
}
