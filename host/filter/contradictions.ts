/** Settings of a filter that cannot both be meant: refused together, with the names of both. */
import { textFromPath } from "../check.ts";
import { SluiceError } from "../errors.ts";
import { type BindingInput, moduleSettings, type RouteInput } from "./schema.ts";

/** Settings of a rank. They need `orderBy`, and `choose` other than `best` leaves nothing to rank. */
const ofRank = ["descending", "charge", "maxAgeMs"] as const;

/**
 * Checks that a binding says its routes once, or a module and what goes with one, and not nothing.
 *
 * @throws {SluiceError} `contradiction`, `invalid_value`.
 */
export function assertOneForm(input: BindingInput, path: readonly PropertyKey[]): void {
  const field = (name: string): string => textFromPath([...path, name]);
  if (input.route !== undefined && input.routes !== undefined)
    throw contradiction(field("route"), field("routes"), "give one of them");
  const setting = moduleSettings.find((name) => isSaid(input[name]));
  if (input.module !== undefined) {
    const form = input.route === undefined ? "routes" : "route";
    if (input[form] !== undefined)
      throw contradiction(field("module"), field(form), "routes and modules cannot be bound together");
    return;
  }
  if (setting !== undefined)
    throw contradiction(field(setting), field("module"), "only a filter module has such a setting");
  if (input.route === undefined && (input.routes === undefined || input.routes.length === 0)) {
    const name = field("routes");
    throw new SluiceError("invalid_value", `Cannot do without ${name}, a filter has at least one route, or a module`, {
      value: name,
      limit: 1,
    });
  }
}

/**
 * Checks one route.
 *
 * @param field Where it stands.
 * @throws {SluiceError} `contradiction` naming both settings in `value`.
 */
export function assertConsistent(route: RouteInput, field: string): void {
  const { choose, orderBy, per, limit } = route;
  const at = (name: string): string => (field === "" ? name : `${field}.${name}`);
  const rank = ofRank.filter((name) => isSaid(route[name]));
  if (choose !== undefined && choose !== null && choose !== "best") {
    const ranked = isSaid(orderBy) ? "orderBy" : rank[0];
    if (ranked !== undefined)
      throw contradiction(at("choose"), at(ranked), `"${choose}" ranks nobody; only "best" does`);
  }
  if (!isSaid(orderBy) && rank[0] !== undefined)
    throw contradiction(at(rank[0]), at("orderBy"), "without orderBy there is no rank");
  const hasLimit = isSaid(limit) || limit === 0 || choose === "tied" || choose === "hash";
  if (isSaid(per) && !hasLimit)
    throw contradiction(at("per"), at("limit"), "without a limit there is nothing to count in each group");
}

/** Whether a setting says something: null, false and 0 are what it is without. */
function isSaid(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== 0;
}

function contradiction(one: string, other: string, why: string): SluiceError {
  return new SluiceError("contradiction", `Cannot take ${one} with ${other} as it is, ${why}`, { value: [one, other] });
}
