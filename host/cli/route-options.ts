/** Routes as they are written on a command line: JSON, files, or a flag for each field of one route. */
import { readFile } from "node:fs/promises";
import type { Readable } from "node:stream";
import { readJson } from "../socket/json/reader.ts";
import { CliError, lineFromReason, messageOf } from "./failure.ts";

/** The options of `channel filter`. */
export interface FilterOptions {
  /** JSON, `@file` or `-`; each a route, a list of routes or a whole filter. */
  readonly route?: readonly string[];
  /** A name, and behind an `@` a version. */
  readonly module?: string;
  /** JSON or `@file`. */
  readonly config?: string;
  readonly onError?: string;
  readonly none?: boolean;
  readonly json?: boolean;
  readonly when?: string;
  readonly where?: string;
  readonly orderBy?: string;
  readonly descending?: boolean;
  readonly limit?: number | string;
  readonly choose?: string;
  readonly per?: string;
  readonly charge?: number;
  /** Milliseconds. */
  readonly maxAge?: number;
  /** True: by the key. */
  readonly unique?: boolean;
  readonly uniqueBy?: string;
  readonly reply?: string;
  /** Milliseconds that keys of `unique` and `reply` are remembered. */
  readonly within?: number;
  readonly maxKeys?: number;
}

/** Fields of a route and the options that say them. */
const flags: Readonly<Record<string, string>> = {
  when: "--when",
  where: "--where",
  orderBy: "--order-by",
  limit: "--limit",
  per: "--per",
  "unique.by": "--unique-by",
  "reply.response": "--reply",
};

/** More than a filter of 64 routes of the longest expressions; standard input may never end. */
const INPUT_BYTES_MAX = 4 * 2 ** 20;

/** What an error calls a field: the option where one route was said by options. */
export function flagOf(field: string): string {
  return flags[field.replace(/^route\./, "")] ?? field;
}

/**
 * The filter that options say.
 *
 * @param input Standard input, for `--route -`.
 * @param digestOf Finds the digest of a version of a module.
 * @returns Undefined where they say none.
 * @throws {CliError} where they contradict each other, or JSON cannot be read.
 */
export async function bindingFrom(
  options: FilterOptions,
  input: Readable,
  digestOf: (name: string, version: string) => Promise<string>,
): Promise<unknown> {
  const route = routeFrom(options);
  const { module, route: texts = [] } = options;
  const ways = [
    route === undefined ? [] : ["the options of one route"],
    texts.length === 0 ? [] : ["--route"],
    module === undefined ? [] : ["--module"],
  ].flat();
  if (ways.length > 1) throw new CliError(`give one of ${ways.join(" and ")}, not both`, { exitCode: 2 });
  if (module !== undefined) {
    const [name = "", version] = module.split("@");
    const { config, onError } = options;
    return {
      module: name,
      ...(version === undefined ? {} : { digest: await digestOf(name, version) }),
      ...(config === undefined ? {} : { config: await jsonOf(config, input, "--config") }),
      ...(onError === undefined ? {} : { onError }),
    };
  }
  if (options.config !== undefined || options.onError !== undefined)
    throw new CliError("--config and --on-error are about --module; give one", { exitCode: 2 });
  if (route !== undefined) return { route };
  if (texts.length === 0) return undefined;
  const routes: unknown[] = [];
  for (const text of texts) routes.push(...routesIn(await jsonOf(text, input)));
  return { routes };
}

/** One route by its options; undefined where none is given. */
function routeFrom(options: FilterOptions): Record<string, unknown> | undefined {
  const { unique, uniqueBy, reply, within, maxKeys } = options;
  const memory = {
    ...(within === undefined ? {} : { withinMs: within }),
    ...(maxKeys === undefined ? {} : { maxKeys }),
  };
  const isUnique = unique === true || uniqueBy !== undefined;
  if (Object.keys(memory).length > 0 && !isUnique && reply === undefined)
    throw new CliError("--within and --max-keys are about --unique, --unique-by or --reply; give one", { exitCode: 2 });
  const fields: Record<string, unknown> = {
    when: options.when,
    where: options.where,
    orderBy: options.orderBy,
    descending: options.descending,
    limit: options.limit,
    choose: options.choose,
    per: options.per,
    charge: options.charge,
    maxAgeMs: options.maxAge,
    unique: isUnique ? { ...(uniqueBy === undefined ? {} : { by: uniqueBy }), ...memory } : undefined,
    reply: reply === undefined ? undefined : { response: reply, ...memory },
  };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

/** A whole filter, as GET shows it, a list, or one route. */
function routesIn(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (typeof value !== "object" || value === null) return [value];
  if ("routes" in value && Array.isArray(value.routes)) return value.routes;
  return "route" in value ? [value.route] : [value];
}

async function jsonOf(text: string, input: Readable, option = "--route"): Promise<unknown> {
  const from = text === "-" ? "standard input" : text.startsWith("@") ? text.slice(1) : option;
  let json: string | Uint8Array = text;
  try {
    if (text === "-") json = await allOf(input);
    else if (text.startsWith("@")) json = await readFile(from);
  } catch (cause) {
    throw new CliError(`cannot read ${from}: ${messageOf(cause)}`, { cause });
  }
  const read = readJson(json);
  if (read.ok) return read.value;
  const hint =
    text === json && option === "--route" ? '; a route is JSON such as {"limit": 1}, a file begins with @' : "";
  throw new CliError(`cannot read ${from}: ${lineFromReason(read.error)}${hint}`, { exitCode: 2 });
}

async function allOf(input: Readable): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of input) {
    chunks.push(chunk as Buffer);
    bytes += (chunk as Buffer).length;
    if (bytes > INPUT_BYTES_MAX) throw new CliError(`it has ${bytes} bytes or more, limit is ${INPUT_BYTES_MAX}`);
  }
  return Buffer.concat(chunks);
}
