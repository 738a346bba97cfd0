/**
 * A filter as its author keeps it: a folder with `filter.ts`, `filter.json` and `events.json`; `build/NAME.wasm` is made of it. A path to a
 * `.wasm` file stands for a module that was built elsewhere.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { BuiltFilter } from "../filter/author/compile.ts";
import { CliError } from "./failure.ts";

/** Beside the command line in `dist/`, or in the repository when run from sources. */
const SDK_PLACES = ["../filter-sdk/", "../../filter-sdk/"];
const SOURCE_BYTES_MAX = 1_048_576;

/** What `filter.json` may say. */
export interface FilterSettings {
  readonly name: string;
  /** Of the manifest: `onError`, `config`, `limits`. */
  readonly manifest: Readonly<Record<string, unknown>>;
}

/** The folder of the SDK. @throws {CliError} where this installation lacks it. */
export function sdkFolder(): string {
  const found = SDK_PLACES.map((place) => fileURLToPath(new URL(place, import.meta.url))).find((path) =>
    existsSync(join(path, "index.ts")),
  );
  if (found === undefined) throw new CliError("this installation lacks filter-sdk/, which belongs beside dist/cli/");
  return found;
}

/** The samples that `init` can begin with. */
export function samples(): readonly string[] {
  return readdirSync(join(sdkFolder(), "samples")).sort();
}

/** Reads `filter.json`; where there is none, the folder's name is the filter's. @throws {CliError} naming what is wrong. */
export function settingsOf(folder: string): FilterSettings {
  const path = join(folder, "filter.json");
  const otherwise = basename(resolve(folder));
  if (!existsSync(path)) return { name: otherwise, manifest: {} };
  const { name = otherwise, ...manifest } = jsonOf(path);
  if (typeof name !== "string") throw new CliError(`${path}: "name" is ${JSON.stringify(name)}, it must be a text`);
  for (const key of Object.keys(manifest))
    if (!["onError", "config", "limits"].includes(key))
      throw new CliError(`${path}: "${key}" is not known; there are name, onError, config and limits`);
  return { name, manifest };
}

/** Reads an object. @throws {CliError} where it is none. */
export function jsonOf(path: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    throw new CliError(`${path}: ${(error as Error).message}`, { cause: error });
  }
  throw new CliError(`${path} is no JSON object`);
}

/** A module and where it came from. */
export interface FoundFilter extends FilterSettings {
  readonly bytes: Uint8Array;
  /** Of a module that was compiled now. */
  readonly built?: BuiltFilter;
}

/**
 * Compiles what is in a folder, or reads a module.
 *
 * @throws {CliError} where there is neither.
 * @throws {SluiceError} as compileFilter().
 */
export async function filterAt(path: string): Promise<FoundFilter> {
  if (!existsSync(path)) throw new CliError(`there is no ${path}`);
  if (!statSync(path).isDirectory())
    return { name: basename(path).replace(/\.wasm$/, ""), manifest: {}, bytes: new Uint8Array(readFileSync(path)) };
  const settings = settingsOf(path);
  const sdk = sdkFolder();
  const { compileFilter } = await import("../filter/author/compile.ts");
  const built = await compileFilter({
    name: "filter",
    read: (name) => textOf(join(path, name)),
    readSdk: (name) => textOf(join(sdk, `${name}.ts`)),
    manifest: settings.manifest,
  });
  return { ...settings, bytes: built.bytes, built };
}

/** Writes the module; returns where. */
export function keep(folder: string, { name, bytes }: FoundFilter): string {
  mkdirSync(join(folder, "build"), { recursive: true });
  const path = join(folder, "build", `${name}.wasm`);
  writeFileSync(path, bytes);
  return path;
}

/** Makes a folder from a sample. @throws {CliError} where there is one, or no such sample. */
export function begin(folder: string, sample: string): readonly string[] {
  if (!samples().includes(sample))
    throw new CliError(`there is no template "${sample}"; there are ${samples().join(", ")}`);
  const name = basename(resolve(folder));
  const from = join(sdkFolder(), "samples", sample);
  const files = [
    ...readdirSync(from).map((file) => [file, readFileSync(join(from, file), "utf8")] as const),
    ["filter.json", `${JSON.stringify({ name, onError: "pass" }, null, 2)}\n`] as const,
  ];
  const taken = files.find(([file]) => existsSync(join(folder, file)));
  if (taken !== undefined) throw new CliError(`${join(folder, taken[0])} is there already; nothing was written`);
  mkdirSync(folder, { recursive: true });
  for (const [file, text] of files) writeFileSync(join(folder, file), text);
  return files.map(([file]) => file).sort();
}

function textOf(path: string): string | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() !== true) return undefined;
  if (found.size > SOURCE_BYTES_MAX)
    throw new CliError(`${path} has ${found.size} bytes, the limit of a source is ${SOURCE_BYTES_MAX}`);
  return readFileSync(path, "utf8");
}
