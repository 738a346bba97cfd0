/**
 * Finds and compiles the core: beside the library in `dist/`, above the command line in `dist/cli/`, or in `dist/` of the
 * repository when run from sources.
 */
import { readFile } from "node:fs/promises";
import { SluiceError } from "../../errors.ts";

const places = ["./core.wasm", "../core.wasm", "../../../dist/core.wasm"];

/**
 * Loads the core.
 *
 * @param path Of another binary; the built one where absent.
 * @throws {SluiceError} `internal` where there is none, saying where it was looked for.
 */
export async function loadCore(path?: string): Promise<WebAssembly.Module> {
  const candidates = path === undefined ? places.map((place) => new URL(place, import.meta.url)) : [path];
  for (const candidate of candidates) {
    const bytes = await readFile(candidate).catch(() => undefined);
    if (bytes !== undefined) return WebAssembly.compile(bytes);
  }
  throw new SluiceError("internal", `Cannot find the core at ${candidates.map(String).join(" or ")}; build it first`);
}
