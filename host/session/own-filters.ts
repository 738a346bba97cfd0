/**
 * What a join says about its member's own events: filters that they pass before the channel's, and attributes of them that
 * become the member's own.
 */
import { ROLE_SOURCE, STATUS_OK } from "../../core-wasm/abi.ts";
import { checkWith } from "../check.ts";
import { type Core, placeTypes } from "../core/instance.ts";
import { errorFromStatus } from "../core/status.ts";
import { SluiceError } from "../errors.ts";
import { bindMember } from "../filter/bound.ts";
import { type Binding, bindingFromInput } from "../filter/route.ts";
import { filtersSchema, type Stage, stages } from "../filter/schema.ts";
import type { Join } from "../gen/sluice/v1/frame_pb.ts";
import { limits } from "../limits.ts";

/** Filters that a member brings for its own events, by stage. */
export type OwnFilters = { readonly [Name in Stage]: Binding | null };

/** What counts the routes of those filters in the core, 0: none. */
export type OwnHandles = { readonly [Name in Stage]: number };

/** What a join says about its member's own events. */
export interface Own {
  readonly filters: OwnFilters | undefined;
  /** Names of attributes; without duplicates. */
  readonly piggyback: readonly string[];
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
  };
}

/**
 * Tells the core. To be called for a member that was just made, before any of its events.
 *
 * @returns What counts its routes; undefined where it has none.
 * @throws {SluiceError} `store_full`, `limit_reached`.
 */
export function setOwn(core: Core, member: number, { filters, piggyback }: Own): OwnHandles | undefined {
  const handles = { in: 0, out: 0 };
  for (const stage of stages) {
    const binding = filters?.[stage] ?? null;
    if (binding !== null) handles[stage] = bindMember(core, member, stage, binding);
  }
  if (piggyback.length > 0) {
    const status = core.exports.memberPiggyback(member, placeTypes(core, piggyback), piggyback.length);
    if (status !== STATUS_OK) throw errorFromStatus(status, 0, 0);
  }
  return filters === undefined ? undefined : handles;
}

function filtersFrom(value: unknown, path: readonly string[]): OwnFilters | undefined {
  const input = checkWith(filtersSchema, value, path);
  const filters = {
    in: input.in && bindingFromInput(input.in, [...path, "in"]),
    out: input.out && bindingFromInput(input.out, [...path, "out"]),
  };
  for (const stage of stages) {
    if (filters[stage]?.module === undefined) continue;
    const field = [...path, stage, "module"].join(".");
    throw new SluiceError("not_supported", `Cannot take ${field}, a member's own filter has routes in this version`, {
      value: field,
    });
  }
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

/** "join." and a name as the parts of a path. */
function pathOf(path: string, name: string): string[] {
  return [...path.split(".").filter((part) => part !== ""), name];
}
