/**
 * Bindings as the host keeps them: what was said, and what it means with every default filled in and every expression compiled.
 *
 * Nothing here is tied to a core or a channel, so a binding is checked before anything happens and survives a restart.
 */
import { checkWith, textFromPath } from "../check.ts";
import { type CompiledExpression, compileExpression } from "../expression/compile.ts";
import type { Dialect } from "../expression/dialect.ts";
import { assertConsistent, assertOneForm } from "./contradictions.ts";
import type { OnError } from "./module/spec.ts";
import { expressionOf, type Place } from "./place.ts";
import { type BindingInput, bindingSchema, type chooses, type moduleSettings, type RouteInput } from "./schema.ts";

/** How a route chooses. */
export type Choose = (typeof chooses)[number];

/** A route as it was said: what is absent or null is left out, in the order of the reference. */
export type RouteJson = { readonly [Name in keyof RouteInput]: NonNullable<RouteInput[Name]> };

/** Keys that are remembered. */
export interface Memory {
  readonly withinMs: number;
  readonly maxKeys: number;
}

/** One rule, ready to be given to a core. */
export interface Route {
  readonly json: RouteJson;
  readonly when: CompiledExpression | undefined;
  readonly where: CompiledExpression | undefined;
  readonly orderBy: CompiledExpression | undefined;
  readonly descending: boolean;
  /** A whole number of sinks, or what tells it; undefined: all. */
  readonly limit: number | CompiledExpression | undefined;
  readonly choose: Choose;
  readonly per: CompiledExpression | undefined;
  readonly charge: number;
  /** Infinity: any age will do. */
  readonly maxAgeMs: number;
  readonly unique: (Memory & { readonly by: CompiledExpression }) | undefined;
  readonly reply: (Memory & { readonly response: CompiledExpression }) | undefined;
}

/** A module on a stage, as it was said. */
export interface ModuleBinding {
  /** Name of the module. */
  readonly module: string;
  /** Undefined: whichever version is current. */
  readonly digest: string | undefined;
  /** Undefined: what the manifest says, as for `onError` and `fuel`. */
  readonly config: Readonly<Record<string, unknown>> | undefined;
  readonly onError: OnError | undefined;
  /** Of one call. */
  readonly fuel: number | undefined;
}

/** Routes or a module on a stage. */
export interface Binding {
  /** None where there is a module. */
  readonly routes: readonly Route[];
  readonly module: ModuleBinding | undefined;
  /** Equal for bindings that mean the same, so that binding one again changes nothing. */
  readonly identity: string;
}

/** The JSON of a binding, as GET shows it and PUT takes it back. */
export type BindingJson = { readonly routes: readonly RouteJson[] } | ModuleJson;

/** The same of a module: only what was said. */
type ModuleJson = Pick<ModuleBinding, "module"> & {
  readonly [Name in (typeof moduleSettings)[number]]?: NonNullable<ModuleBinding[Name]>;
};

/** Sinks of a route that says `tied` or `hash` and no limit. */
const TIED_LIMIT = 2;
const HASH_LIMIT = 1;
const UNIQUE_MS = 5_000;
const REPLY_MS = 60_000;
const KEYS = 100_000;

/**
 * Reads a binding.
 *
 * @param path Where it stands in what the peer sent, for the error.
 * @throws {SluiceError} `unknown_field`, `invalid_value`, `limit_reached`, `contradiction`, `expression`.
 */
export function bindingFromJson(value: unknown, path: readonly PropertyKey[] = []): Binding {
  return bindingFromInput(checkWith(bindingSchema, value, path), path);
}

/** The same for what the schema has seen already. */
export function bindingFromInput(input: BindingInput, path: readonly PropertyKey[] = []): Binding {
  assertOneForm(input, path);
  if (input.module !== undefined) {
    const module = moduleFrom(input.module, input);
    return Object.freeze({ routes: [], module, identity: JSON.stringify(moduleJson(module)) });
  }
  const routes =
    input.route === undefined
      ? (input.routes ?? []).map((route, index) => routeFrom(route, [...path, "routes", index]))
      : [routeFrom(input.route, [...path, "route"])];
  return Object.freeze({ routes: Object.freeze(routes), module: undefined, identity: identityOf(routes) });
}

/** The resource of a binding. */
export function bindingJson({ routes, module }: Binding): BindingJson {
  return module === undefined ? { routes: routes.map(({ json }) => json) } : moduleJson(module);
}

/** Whether two bindings mean the same. */
export function sameBinding(one: Binding | null, other: Binding | null): boolean {
  return one === other || (one !== null && other !== null && one.identity === other.identity);
}

function moduleFrom(module: string, { digest, config, onError, fuel }: BindingInput): ModuleBinding {
  return Object.freeze({
    module,
    digest: digest ?? undefined,
    config: config === undefined || config === null ? undefined : Object.freeze({ ...config }),
    onError: onError ?? undefined,
    fuel: fuel ?? undefined,
  });
}

function moduleJson({ module, digest, config, onError, fuel }: ModuleBinding): ModuleJson {
  return {
    module,
    ...(digest === undefined ? {} : { digest }),
    ...(config === undefined ? {} : { config }),
    ...(onError === undefined ? {} : { onError }),
    ...(fuel === undefined ? {} : { fuel }),
  };
}

function routeFrom(input: RouteInput, path: readonly PropertyKey[]): Route {
  const dialect: Dialect = input.dialect === "cesql" ? "cesql" : "sluice";
  assertConsistent(input, textFromPath(path));
  const read = (text: string | null | undefined, place: Place, ...names: string[]) =>
    text === undefined || text === null
      ? undefined
      : expressionOf(text, dialect, place, textFromPath([...path, ...names]));
  const choose = input.choose ?? "best";
  const { unique, reply } = input;
  return Object.freeze({
    json: jsonOf(input),
    when: read(input.when, "event", "when"),
    where: read(input.where, "sink", "where"),
    orderBy: read(input.orderBy, "rank", "orderBy"),
    descending: input.descending ?? false,
    limit: typeof input.limit === "string" ? read(input.limit, "count", "limit") : limitOf(input.limit, choose),
    choose,
    per: read(input.per, "group", "per"),
    charge: input.charge ?? 0,
    maxAgeMs: input.maxAgeMs ?? Number.POSITIVE_INFINITY,
    unique:
      unique === undefined || unique === null
        ? undefined
        : { by: read(unique.by, "key", "unique", "by") ?? wholeKey(), ...memoryOf(unique, UNIQUE_MS) },
    reply:
      reply === undefined || reply === null
        ? undefined
        : {
            response: expressionOf(reply.response, dialect, "event", textFromPath([...path, "reply", "response"])),
            ...memoryOf(reply, REPLY_MS),
          },
  });
}

/** What tells events apart where `unique` does not say: their key. */
function wholeKey(): CompiledExpression {
  return compileExpression("key");
}

function limitOf(given: number | null | undefined, choose: Choose): number | undefined {
  if (given !== undefined && given !== null) return Math.floor(given);
  if (choose === "tied") return TIED_LIMIT;
  return choose === "hash" ? HASH_LIMIT : undefined;
}

function memoryOf(
  given: { readonly withinMs?: number | null | undefined; readonly maxKeys?: number | null | undefined },
  withinMs: number,
): Memory {
  return { withinMs: given.withinMs ?? withinMs, maxKeys: given.maxKeys ?? KEYS };
}

/** Fields in the order of the schema, without those that say nothing. */
function jsonOf(input: RouteInput): RouteJson {
  return Object.freeze(JSON.parse(JSON.stringify(input, (_name, value: unknown) => value ?? undefined)));
}

/** What decides, in one order; an expression is its words, which is all that a person could compare, too. */
function identityOf(routes: readonly Route[]): string {
  return JSON.stringify(routes, (name, value: unknown) => {
    if (name === "json") return undefined;
    if (value === Number.POSITIVE_INFINITY) return "any";
    const { source, dialect } = (value ?? {}) as Partial<CompiledExpression>;
    return source === undefined ? value : `${dialect}: ${source}`;
  });
}
