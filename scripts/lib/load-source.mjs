/** Imports a TypeScript source in scripts, which Node 20 cannot do by itself. */
import { at } from "./paths.mjs";
import { Failure } from "./run.mjs";

/**
 * Bundles one source and imports the result.
 *
 * @param {string} path Below the root, for example "host/errors.ts".
 * @returns {Promise<Record<string, unknown>>} Its exports.
 * @throws {Failure} With what esbuild found wrong.
 */
export async function loadSource(path) {
  const esbuild = await import("esbuild");
  const { outputFiles } = await esbuild
    .build({
      entryPoints: [at(path)],
      bundle: true,
      write: false,
      format: "esm",
      platform: "node",
      target: "node20.19",
      // Its form for Node asks `require` for modules of the system, which a module from a data URL has not.
      alias: { yaml: at("node_modules", "yaml", "browser", "index.js") },
      logLevel: "silent",
    })
    .catch((/** @type {Error} */ { message }) => {
      throw new Failure(`Cannot load ${path}: ${message}`);
    });
  const [file] = outputFiles;
  return await import(`data:text/javascript;base64,${Buffer.from(file?.contents ?? "").toString("base64")}`);
}
