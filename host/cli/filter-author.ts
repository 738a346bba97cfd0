/** `sluice filter init·build·check`: from a source to a module, without a host. */
import { join } from "node:path";
import type { Instrumented } from "../filter/meter/index.ts";
import { CliError } from "./failure.ts";
import { begin, filterAt, keep } from "./filter-folder.ts";
import { figure, pad, printable } from "./style.ts";
import type { Terminal } from "./terminal.ts";

const NAME_WIDTH = 12;

/** Writes a filter to begin with. */
export function filterInit(folder: string, { template }: { readonly template: string }, terminal: Terminal): void {
  const files = begin(folder, template);
  terminal.print(`made ${printable(folder)} with ${files.join(", ")}`);
  terminal.print(`next: sluice filter test ${folder}, then sluice filter push ${folder}`);
}

/** Compiles a filter. */
export async function filterBuild(folder: string, terminal: Terminal): Promise<void> {
  const found = await filterAt(folder);
  const path = keep(folder, found);
  if (found.built?.warnings) terminal.note(found.built.warnings);
  terminal.print(`built ${printable(path)}, ${figure(found.bytes.length)} bytes`);
  for (const [name, value] of Object.entries(found.built?.manifest ?? {}))
    terminal.print(`${pad(name, NAME_WIDTH)} ${asText(value)}`);
}

/** Says what a host will think of a module before it runs: the same scan, the same limits. */
export async function filterCheck(
  path: string,
  { json }: { readonly json?: boolean },
  terminal: Terminal,
): Promise<void> {
  const { bytes, name } = await filterAt(path);
  const { moduleLimits } = await import("../filter/module/spec.ts");
  const found = await looked(bytes, name);
  const { functions, weight, functionWeight, memoryPages, memoryPagesMax, imports, exports } = found;
  if (json === true) {
    const hooks = hooksOf(found);
    terminal.print(
      JSON.stringify({
        name,
        bytes: bytes.length,
        hooks,
        functions,
        weight,
        functionWeight,
        memoryPages,
        imports,
        exports,
      }),
    );
    return;
  }
  const of = (value: number, limit: number): string => `${figure(value)} of ${figure(limit)}`;
  const rows: readonly (readonly [string, string])[] = [
    ["hooks", hooksOf(found).join(", ")],
    [
      "bytes",
      `${figure(bytes.length)}; without custom sections ${of(bytes.length - found.strippedBytes, moduleLimits.moduleBytes)}`,
    ],
    ["functions", of(functions, moduleLimits.functions)],
    [
      "weight",
      `${of(weight, moduleLimits.moduleWeight)}; heaviest function ${of(functionWeight, moduleLimits.functionWeight)}`,
    ],
    [
      "memory",
      `${figure(memoryPages)} ${memoryPages === 1 ? "page" : "pages"} of 64 KiB, at most ${figure(memoryPagesMax)}`,
    ],
    ["imports", imports.join(", ") || "none"],
    ["exports", exports.join(", ")],
  ];
  terminal.print(`${printable(name)} can be uploaded`);
  for (const [title, value] of rows) terminal.print(`${pad(title, NAME_WIDTH)} ${printable(value)}`);
  terminal.print(`what it takes per event: sluice filter test ${join(path, ".")}`);
}

/** @throws {CliError} with every reason to refuse the module. */
async function looked(bytes: Uint8Array, name: string): Promise<Instrumented> {
  const { instrument, ModuleRefused } = await import("../filter/meter/index.ts");
  try {
    return instrument(bytes);
  } catch (error) {
    if (!(error instanceof ModuleRefused)) throw error;
    throw new CliError(`${printable(name)} would be refused: ${error.reasons.map(printable).join("; ")}`, {
      cause: error,
    });
  }
}

function hooksOf({ hooks }: Instrumented): string[] {
  return Object.entries(hooks)
    .filter(([, has]) => has)
    .map(([hook]) => hook);
}

function asText(value: unknown): string {
  if (Array.isArray(value)) return value.join(", ") || "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}
