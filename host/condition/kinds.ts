/** Kinds of conditions that an embedding application adds: a schema for what is defined, and a function that sets the value. */
import { z } from "zod";
import { checkWith, resourceName } from "../check.ts";
import { isSluiceError, SluiceError } from "../errors.ts";
import type { StandardSchema } from "../interface.ts";
import type { Feed, Write } from "./feed.ts";
import {
  assertNamed,
  builtInKinds,
  type ConditionDefinition,
  type ConditionValue,
  conditionFromJson,
  headSchema,
  scalarSchema,
} from "./schema.ts";

/** One kind of an application. */
export interface ConditionKind<Settings = unknown> {
  /** Of the fields beside `kind`, `observed` and `leaseMs`; it must answer at once. */
  readonly schema: StandardSchema<unknown, Settings>;
  /**
   * A condition of this kind begins.
   *
   * @param settings What the schema made of its definition.
   * @param set Sets its value, as often as it likes, until it is stopped; undefined: it has none. Throws `invalid_value` for
   *   what a condition cannot hold.
   * @returns Stops it: called once, when the condition is removed or replaced, or the host is closed.
   */
  start(settings: Settings, set: (value: ConditionValue) => void): (() => void) | undefined;
}

/** Kinds by name. */
export type ConditionKinds = Readonly<Record<string, ConditionKind>>;

/** @throws {SluiceError} `invalid_value` for a name that cannot be one, `contradiction` for that of a kind of this host. */
export function assertKinds(kinds: ConditionKinds): void {
  for (const name of Object.keys(kinds)) {
    checkWith(resourceName, name, ["conditionKinds"]);
    if (builtInKinds.includes(name))
      throw new SluiceError("contradiction", `Cannot add the kind "${name}", every host has it`, { value: name });
  }
}

/**
 * Reads a condition resource of any kind.
 *
 * @throws {SluiceError} as conditionFromJson(), and `invalid_value` with what the schema of a kind says.
 */
export function definitionFrom(kinds: ConditionKinds, value: unknown, name: string): ConditionDefinition {
  const kind = typeof value === "object" && value !== null && "kind" in value ? value.kind : undefined;
  if (typeof kind !== "string" || builtInKinds.includes(kind)) return conditionFromJson(value, name);
  if (!Object.hasOwn(kinds, kind)) {
    const known = [...builtInKinds, ...Object.keys(kinds)];
    const shown = kind.slice(0, 64);
    throw new SluiceError("invalid_value", `There is no kind of conditions "${shown}", there are ${known.join(", ")}`, {
      value: shown,
      limit: known,
    });
  }
  const head = checkWith(headSchema, value);
  assertNamed(head.name, name);
  const { name: _name, value: _value, at: _at, holders: _holders, problem: _problem, ...definition } = head;
  settingsOf(kinds, { ...definition, kind });
  // From here on nobody asks for fields that only kinds of the host have before it has looked at the kind.
  return Object.freeze({ ...definition, kind }) as unknown as ConditionDefinition;
}

/**
 * Starts a condition of an application's kind.
 *
 * @throws {SluiceError} `not_supported` where this host has no such kind, `invalid_value` where it does not start.
 */
export function kindFeed(
  definition: { readonly kind: string },
  write: Write,
  kinds: ConditionKinds,
  onError: (kind: string, error: unknown) => void,
): Feed {
  const { kind } = definition;
  let isOver = false;
  let stop: (() => void) | undefined;
  const set = (value: ConditionValue): void => {
    if (isOver) return;
    if (value !== undefined) checkWith(scalarSchema, value, ["value"]);
    write(value);
  };
  const settings = settingsOf(kinds, definition);
  write(undefined);
  try {
    stop = kinds[kind]?.start(settings, set);
  } catch (error) {
    isOver = true;
    const why = error instanceof Error ? error.message : String(error);
    throw isSluiceError(error)
      ? error
      : new SluiceError("invalid_value", `Cannot start a condition of kind "${kind}": ${why}`, {
          value: kind,
          cause: error,
        });
  }
  return {
    end() {
      if (isOver) return;
      isOver = true;
      try {
        stop?.();
      } catch (error) {
        onError(kind, error);
      }
    },
  };
}

/** What the schema of a kind makes of a definition. */
function settingsOf(kinds: ConditionKinds, definition: { readonly kind: string }): unknown {
  const { kind, ...fields } = z.looseObject({ kind: z.string() }).parse(definition);
  const { observed: _observed, leaseMs: _leaseMs, ...settings } = fields;
  const known = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (known === undefined)
    throw new SluiceError("not_supported", `This host has no conditions of kind "${kind}"`, { value: kind });
  const checked = known.schema["~standard"].validate(settings);
  if (checked instanceof Promise)
    throw new SluiceError("invalid_value", `Cannot wait for the schema of "${kind}", it must answer at once`, {
      value: kind,
    });
  if (checked.issues === undefined) return checked.value;
  const said = checked.issues.slice(0, 3).map(({ message, path = [] }) => [path.map(String).join("."), message]);
  const text = said.map((words) => words.filter((word) => word !== "").join(": ")).join("; ");
  throw new SluiceError("invalid_value", `Cannot take a condition of kind "${kind}": ${text}`, {
    value: said[0]?.[0] || kind,
  });
}
