/**
 * `sluice filter push·ls·show·logs·rollback·rm`: filter modules of a host, from their upload to their end.
 */

import { statSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { shortDigest } from "../filter/summary.ts";
import { limits } from "../limits.ts";
import { listed, request, type Target } from "./client.ts";
import { CliError, messageOf } from "./failure.ts";
import { settingsOf } from "./filter-folder.ts";
import { countersLines, type ModuleCountersLike } from "./module-counters.ts";
import { figure, pad, printable, wrapped } from "./style.ts";
import { type Column, linesFromTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

/** A version as far as it is shown; docs/http.md has all of it. */
interface VersionLike {
  readonly name: string;
  readonly version: number;
  readonly digest: string;
  readonly current: boolean;
  readonly uploadedAt: string;
  readonly bytes: number;
  readonly hooks: readonly string[];
  readonly attrs: readonly string[];
  readonly sinkAttrs: readonly string[];
  readonly payload: string;
  readonly onError: string;
  readonly weight: number;
  readonly limits: Readonly<Record<string, number>>;
}

interface ModuleLike extends VersionLike {
  readonly versions: number;
  readonly uses: readonly string[];
  readonly counters?: ModuleCountersLike;
}

interface LineLike {
  readonly at: string;
  readonly version: number;
  readonly level: string;
  readonly text: string;
}

/** Options of these commands. */
export interface ModuleOptions {
  readonly json?: boolean;
  /** File of a manifest that the module does not carry. */
  readonly manifest?: string;
}

const COLUMNS: readonly Column[] = [
  { title: "FILTER", shrinks: true },
  { title: "VERSION", right: true },
  { title: "DIGEST" },
  { title: "HOOKS" },
  { title: "BYTES", right: true },
  { title: "BOUND", right: true },
  { title: "UPLOADED" },
];

const VERSION_COLUMNS: readonly Column[] = [
  { title: "VERSION", right: true },
  { title: "DIGEST" },
  { title: "BYTES", right: true },
  { title: "UPLOADED" },
  { title: "" },
];

/** Width of the names of settings in `show`. */
const NAME_WIDTH = 13;
/** What is asked of a digest that is not whole. */
const PREFIX = /^(sha256:)?[0-9a-f]{4,64}$/;

/**
 * Uploads a module.
 *
 * @param given Name and file in either order; the file alone gives its own name. A folder stands for the filter that it has the source
 *   of, which is compiled.
 * @throws {CliError} where the file cannot be read; of a refused module with every reason.
 */
export async function modulePush(
  given: readonly string[],
  options: ModuleOptions,
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const { name, file } = nameAndFile(given);
  const module = isFolder(file) ? (await (await import("./filter-folder.ts")).filterAt(file)).bytes : await read(file);
  let raw: Uint8Array | FormData = module;
  if (options.manifest !== undefined) {
    raw = new FormData();
    raw.append("module", new Blob([module as BlobPart]), basename(file));
    raw.append("manifest", new Blob([(await read(options.manifest)) as BlobPart]), basename(options.manifest));
  }
  const headers = raw instanceof FormData ? {} : { "content-type": "application/wasm" };
  const { status, body } = await request(target, "PUT", modulePath(name), { raw, headers });
  if (options.json === true) return void terminal.print(JSON.stringify(body));
  const version = body as VersionLike;
  const verb = status === 201 ? "uploaded" : "already there:";
  const what = `${terminal.style.bold(printable(version.name))} ${versionText(version)}`;
  terminal.print(`${terminal.style.green(verb)} ${what}, ${figure(version.bytes)} bytes, the current version now`);
  if (status === 201)
    terminal.print(`bind it: sluice channel filter CHANNEL ${version.hooks[0]} --module ${version.name}`);
}

/** Prints every module, as a table or one JSON resource per line. */
export async function moduleLs(options: ModuleOptions, target: Target, terminal: Terminal): Promise<void> {
  const found: ModuleLike[] = [];
  for await (const module of listed(target, "/v1/filters")) {
    if (options.json === true) terminal.print(JSON.stringify(module));
    else found.push(module as ModuleLike);
  }
  if (options.json === true) return;
  if (found.length === 0) return void terminal.print("no filter modules yet; upload one: sluice filter push NAME FILE");
  const rows = found.map((module) => [
    printable(module.name),
    figure(module.version),
    shortDigest(module.digest),
    module.hooks.join(","),
    figure(module.bytes),
    figure(module.uses.length),
    minute(module.uploadedAt),
  ]);
  for (const line of linesFromTable(COLUMNS, rows, terminal.style, terminal.width)) terminal.print(line);
}

/** Prints one module: what it is, what it did, its versions. */
export async function moduleShow(
  name: string,
  options: ModuleOptions,
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const { body } = await request(target, "GET", modulePath(name));
  if (options.json === true) return void terminal.print(JSON.stringify(body));
  const module = body as ModuleLike;
  const { style } = terminal;
  terminal.print(`${style.bold(printable(module.name))} ${versionText(module)}`);
  const rows: [string, string][] = [
    ["hooks", module.hooks.join(", ")],
    ["sees", seenText(module)],
    ["on errors", `${module.onError}, where a binding does not say`],
    ["weight", `${figure(module.weight)} of ${figure(module.limits["moduleWeight"] ?? 0)}`],
    ["bound", module.uses.length === 0 ? "nowhere" : module.uses.map(printable).join(", ")],
    ...countersLines(module.counters),
  ];
  for (const [title, value] of rows) {
    const [first = "", ...rest] = wrapped(value, (terminal.width ?? Number.POSITIVE_INFINITY) - NAME_WIDTH - 2);
    terminal.print(`  ${style.dim(pad(title, NAME_WIDTH))}${first}`);
    for (const line of rest) terminal.print(" ".repeat(NAME_WIDTH + 2) + line);
  }
  const versions = await versionsOf(name, target);
  terminal.print("");
  const cells = versions.map((one) => [
    figure(one.version),
    shortDigest(one.digest),
    figure(one.bytes),
    minute(one.uploadedAt),
    one.current ? "current" : "",
  ]);
  for (const line of linesFromTable(VERSION_COLUMNS, cells, style, terminal.width)) terminal.print(line);
}

/** Prints what a module said of late. */
export async function moduleLogs(
  name: string,
  options: ModuleOptions,
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const { body } = await request(target, "GET", `${modulePath(name)}/logs`);
  const { data } = body as { readonly data: readonly LineLike[] };
  if (options.json === true) {
    for (const line of data) terminal.print(JSON.stringify(line));
    return;
  }
  if (data.length === 0) terminal.print(`${printable(name)} has said nothing since this host started`);
  for (const { at, version, level, text } of data)
    terminal.print(`${terminal.style.dim(at.slice(11, 23))}  ${pad(level, 5)}  v${version}  ${printable(text)}`);
}

/** Makes another version current: the one before where none is named. */
export async function moduleRollback(
  name: string,
  version: string | undefined,
  options: ModuleOptions,
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const digest = version === undefined ? undefined : await digestFrom(name, version, target);
  const { body } = await request(target, "POST", `${modulePath(name)}/rollback`, {
    body: digest === undefined ? {} : { digest },
  });
  if (options.json === true) return void terminal.print(JSON.stringify(body));
  const current = body as VersionLike;
  terminal.print(
    `${terminal.style.green("rolled back")} ${terminal.style.bold(printable(name))} to ${versionText(current)}`,
  );
}

/** Removes modules, or with `NAME@VERSION` one version; the first that is refused ends the command. */
export async function moduleRm(
  names: readonly string[],
  options: ModuleOptions,
  target: Target,
  terminal: Terminal,
): Promise<void> {
  for (const given of names) {
    const [name = "", version] = given.split("@");
    const digest = version === undefined ? undefined : await digestFrom(name, version, target);
    const path = digest === undefined ? modulePath(name) : `${modulePath(name)}/versions/${digest}`;
    await request(target, "DELETE", path);
    const removed = digest === undefined ? { name, removed: true } : { name, digest, removed: true };
    const shown = terminal.style.bold(printable(given));
    terminal.print(options.json === true ? JSON.stringify(removed) : `removed ${shown}`);
  }
}

/**
 * The digest of a version that a person named: by its number, by a digest or the beginning of one.
 *
 * @throws {CliError} where there is none, or several begin so.
 */
export async function digestFrom(name: string, given: string, target: Target): Promise<string> {
  if (/^sha256:[0-9a-f]{64}$/.test(given)) return given;
  const isNumber = /^v?[0-9]{1,3}$/.test(given);
  if (!isNumber && !PREFIX.test(given))
    throw new CliError(`"${printable(given)}" is no version; give its number, or four digits or more of its digest`, {
      exitCode: 2,
    });
  const prefix = `sha256:${given.replace(/^sha256:/, "")}`;
  const number = Number(given.replace(/^v/, ""));
  const versions = await versionsOf(name, target);
  const found = versions.filter((one) => (isNumber ? one.version === number : one.digest.startsWith(prefix)));
  const [one, ...others] = found;
  if (one === undefined)
    throw new CliError(`${printable(name)} has no version ${given}; see: sluice filter show ${printable(name)}`);
  if (others.length > 0)
    throw new CliError(`${found.length} versions of ${printable(name)} begin with ${given}; give more of it`);
  return one.digest;
}

async function versionsOf(name: string, target: Target): Promise<VersionLike[]> {
  const versions: VersionLike[] = [];
  for await (const version of listed(target, `${modulePath(name)}/versions`)) versions.push(version as VersionLike);
  return versions;
}

function nameAndFile(given: readonly string[]): { readonly name: string; readonly file: string } {
  const [first = "", second] = given;
  if (second === undefined) {
    if (first.endsWith(".wasm")) return { name: basename(first, ".wasm").toLowerCase(), file: first };
    if (isFolder(first)) return { name: settingsOf(first).name, file: first };
    throw new CliError("say which file is uploaded: sluice filter push NAME FILE", { exitCode: 2 });
  }
  const isFile = (text: string): boolean => text.endsWith(".wasm") || isFolder(text);
  const isSwapped = isFile(first) && !isFile(second);
  return isSwapped ? { name: second, file: first } : { name: first, file: second };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** @throws {CliError} for a file that cannot be read, or is larger than any host takes. */
async function read(file: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    throw new CliError(`cannot read ${printable(file)}: ${messageOf(cause)}`, { cause });
  }
  const limit = limits.filterUploadBytes;
  if (bytes.length <= limit) return bytes;
  throw new CliError(`${printable(file)} has ${bytes.length} bytes, limit is ${limit}`);
}

function modulePath(name: string): string {
  return `/v1/filters/${encodeURIComponent(name)}`;
}

function versionText({ version, digest }: VersionLike): string {
  return `version ${figure(version)} (${shortDigest(digest)})`;
}

function seenText({ attrs, sinkAttrs, payload }: VersionLike): string {
  const of = (names: readonly string[], whose: string): string =>
    names.length === 0 ? "" : `${whose} ${names.join(", ")}`;
  const shown =
    payload === "none"
      ? ""
      : payload === "full"
        ? "all of the payload"
        : `the first ${payload.slice(5)} bytes of the payload`;
  const parts = [of(attrs, "attributes"), of(sinkAttrs, "of sinks"), shown].filter((part) => part !== "");
  return parts.length === 0 ? "no attributes, no payload" : parts.join("; ");
}

/** A moment of RFC 3339 as people compare it, in UTC. */
function minute(at: string): string {
  return at.slice(0, 16).replace("T", " ");
}
