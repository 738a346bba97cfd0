/**
 * From a source in AssemblyScript to a module with its manifest.
 *
 * The compiler is a package of its own, tens of megabytes that a host does not need: it is loaded when it is called for.
 */
import { SluiceError } from "../../errors.ts";
import { withManifest } from "../registry/sections.ts";
import { entryOf } from "./entry.ts";
import { manifestOf } from "./manifest.ts";

/** Where a filter comes from. */
export interface FilterSources {
  /** Name of the file with the hooks, without `.ts`, within the folder of `read`. */
  readonly name: string;
  /** Reads a file of the filter's folder; undefined where there is none. */
  readonly read: (path: string) => string | undefined;
  /** Reads a file of the SDK, by its name without extension; undefined where there is none. */
  readonly readSdk: (name: string) => string | undefined;
  /** Of the manifest, beside what the source says: `limits`, `onError`, `config`. */
  readonly manifest?: Readonly<Record<string, unknown>>;
}

/** A filter that was built. */
export interface BuiltFilter {
  readonly bytes: Uint8Array;
  readonly manifest: Readonly<Record<string, unknown>>;
  /** Warnings of the compiler, empty where it has none. */
  readonly warnings: string;
}

const ENTRY = "sluice-entry";
const SDK = /(?:^|\/)node_modules\/sluice\/filter\/(?<name>[a-z]+)\.ts$/;
const SDK_INDEX = /(?:^|\/)node_modules\/sluice\/filter\.ts$/;

/**
 * Compiles a filter.
 *
 * @throws {SluiceError} `invalid_value` with what the compiler says, `not_supported` where there is no compiler.
 */
export async function compileFilter({ name, read, readSdk, manifest = {} }: FilterSources): Promise<BuiltFilter> {
  const source = read(`${name}.ts`);
  if (source === undefined) throw new SluiceError("not_found", `There is no ${name}.ts here`);
  const entry = entryOf(source, `./${name}`);
  const compiler = await loadCompiler();
  const said: string[] = [];
  const sink = { write: (text: string | Uint8Array) => void said.push(String(text)) };
  let bytes: Uint8Array | undefined;
  const { error } = await compiler.main(
    [`${ENTRY}.ts`, "--outFile", `${name}.wasm`, "--optimizeLevel", "3", "--runtime", "incremental"],
    {
      stdout: sink,
      stderr: sink,
      listFiles: () => [],
      readFile: (path) => {
        if (path === `${ENTRY}.ts`) return entry;
        if (SDK_INDEX.test(path)) return 'export * from "./filter/index";\n';
        const part = SDK.exec(path)?.groups?.["name"];
        return (part === undefined ? read(path) : readSdk(part)) ?? null;
      },
      writeFile: (_path, written) => {
        if (typeof written !== "string") bytes = written;
      },
    },
  );
  const words = said.join("").trim();
  if (error !== null || bytes === undefined)
    throw new SluiceError("invalid_value", `${name}.ts does not compile:\n${words || String(error)}`);
  const whole = { ...(await manifestOf(bytes)), ...manifest };
  return {
    bytes: withManifest(bytes, new TextEncoder().encode(JSON.stringify(whole))),
    manifest: whole,
    warnings: words,
  };
}

async function loadCompiler(): Promise<typeof import("assemblyscript/asc")> {
  try {
    return await import("assemblyscript/asc");
  } catch (error) {
    throw new SluiceError(
      "not_supported",
      `Building a filter needs the AssemblyScript compiler: npm install --save-dev assemblyscript (${(error as Error).message})`,
    );
  }
}
