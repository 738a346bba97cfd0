/**
 * What is built from what. Each stage is stamped with the hash of its inputs and skipped while that is unchanged.
 *
 * Outputs appear by rename, so that a running service or test never reads half a file.
 */
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { filesBelow, hashOf } from "./hash.mjs";
import { noticesFrom } from "./notices.mjs";
import { put } from "./outputs.mjs";
import { at, root } from "./paths.mjs";
import { Failure, run, withProgress } from "./run.mjs";

/**
 * @typedef {object} Stage
 * @property {string} label What is said while it runs.
 * @property {readonly string[]} inputs Files and folders whose content decides.
 * @property {readonly string[]} outputs Below dist/.
 * @property {(out: string) => Promise<void>} make Writes the outputs below the folder `out`.
 */

/** @typedef {"core" | "core-debug" | "bundles" | "docs" | "filter-sdk" | "types"} StageName */

/** Folders of pages; decisions are for whoever has the repository. */
const GUIDES = Object.freeze(["docs", "docs/filters", "docs/guides"]);
/** Whatever changes these changes every output: the tools' versions and this file itself. */
const TOOLING = ["package-lock.json", "scripts/lib/stages.mjs", "scripts/lib/notices.mjs"];

/** @type {Readonly<Record<StageName, Stage>>} */
export const stages = {
  core: {
    label: "Building the core",
    inputs: ["core-wasm", "asconfig.json"],
    outputs: ["core.wasm", "core.wat"],
    make: (out) => compileCore("release", out, ["--textFile", join(out, "core.wat")]),
  },
  "core-debug": {
    label: "Building the core for debugging",
    inputs: ["core-wasm", "asconfig.json"],
    outputs: ["core.debug.wasm", "core.debug.wasm.map"],
    make: (out) => compileCore("debug", out, []),
  },
  bundles: {
    label: "Bundling the host",
    inputs: [
      "client",
      "host",
      "core-wasm/abi.ts",
      "core-wasm/expression/code.ts",
      "core-wasm/filter/abi.ts",
      "package.json",
    ],
    outputs: [
      "client.js",
      "client.node.js",
      "client.native.js",
      "sluice.js",
      "cli",
      "index.js",
      "index.deno.js",
      "index.bun.js",
      "admission-worker.js",
      "THIRD-PARTY.txt",
    ],
    make: bundle,
  },
  docs: {
    label: "Copying the pages of /docs",
    inputs: ["llms.txt", ...guides()],
    outputs: ["docs"],
    make: copyDocs,
  },
  "filter-sdk": {
    label: "Copying the SDK of filters",
    inputs: ["filter-sdk"],
    outputs: ["filter-sdk"],
    make: async (out) => cpSync(at("filter-sdk"), join(out, "filter-sdk"), { recursive: true }),
  },
  types: {
    label: "Writing type declarations",
    inputs: [
      "client",
      "host",
      "core-wasm/abi.ts",
      "core-wasm/expression/code.ts",
      "core-wasm/filter/abi.ts",
      "tsconfig.json",
      "tsconfig.types.json",
    ],
    outputs: ["index.d.ts", "client.d.ts", "types"],
    make: declare,
  },
};

/**
 * Builds the given stages where they are stale, in order.
 *
 * @param {readonly StageName[]} names
 * @param {{ force?: boolean }} [options]
 * @returns {Promise<StageName[]>} Those that were built.
 * @throws {Failure} With the tool's own words where it refuses the sources.
 */
export async function build(names, { force = false } = {}) {
  /** @type {StageName[]} */
  const built = [];
  for (const name of names) {
    const stage = stages[name];
    const hash = hashOf(root, [...stage.inputs, ...TOOLING]);
    if (!force && isFresh(name, hash)) continue;
    // As deep as dist/ itself, so that source maps lead to the sources from there.
    const out = at(`.dist-${name}-${process.pid}`);
    for (const folder of [out, at("dist")]) mkdirSync(folder, { recursive: true });
    try {
      await withProgress(stage.label, () => stage.make(out));
      for (const output of stage.outputs)
        put(join(out, output), at("dist", output), at("dist", ".stamps", `${output}.files`));
      // Source maps lie beside; not every output has one.
      for (const output of stage.outputs)
        if (existsSync(join(out, `${output}.map`))) renameSync(join(out, `${output}.map`), at("dist", `${output}.map`));
      mkdirSync(dirname(stampPath(name)), { recursive: true });
      writeFileSync(stampPath(name), `${hash}\n`);
      built.push(name);
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
  }
  return built;
}

/** @param {StageName} name */
const stampPath = (name) => at("dist", ".stamps", name);

/**
 * @param {StageName} name
 * @param {string} hash
 */
function isFresh(name, hash) {
  const stamp = stampPath(name);
  if (!existsSync(stamp) || readFileSync(stamp, "utf8").trim() !== hash) return false;
  return stages[name].outputs.every((output) => existsSync(at("dist", output)));
}

/**
 * @param {"release" | "debug"} target
 * @param {string} out
 * @param {readonly string[]} args
 */
async function compileCore(target, out, args) {
  if (!existsSync(at("core-wasm", "index.ts")))
    throw new Failure("Cannot build the core: core-wasm/index.ts is missing");
  const name = target === "release" ? "core.wasm" : "core.debug.wasm";
  const asc = at("node_modules", "assemblyscript", "bin", "asc.js");
  const { code, output } = await run(process.execPath, [
    asc,
    "--config",
    at("asconfig.json"),
    "--target",
    target,
    "--outFile",
    join(out, name),
    ...args,
  ]);
  if (code !== 0) throw new Failure(`Cannot build the core (${target}):\n${output}`);
  // Warnings are shown; that the last round of optimising found nothing is none.
  const warnings = output.replace("Last converge was suboptimal.\n", "");
  if (warnings.trim() !== "") process.stderr.write(warnings);
}

/** The runtimes, each with an entry in host/cli/ and one of the library. */
const RUNTIMES = ["node", "deno", "bun"];

/** Leads to the entry of whichever runtime reads it: `imports` in package.json says so by conditions. */
const LAUNCHER = '#!/usr/bin/env node\nimport "#cli";\n';

/** What bundled CommonJS packages ask of: an ES module has no `require`. */
const REQUIRE = 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

/** @param {string} out */
async function bundle(out) {
  // Loaded here: this module is also imported before packages are installed.
  const esbuild = await import("esbuild");
  /** @type {import("esbuild").BuildOptions} */
  const common = {
    bundle: true,
    format: "esm",
    platform: "node",
    // Without it esbuild embeds bytes by functions that Node 20 lacks.
    target: "node20.19",
    sourcemap: "linked",
    logLevel: "silent",
  };
  const libraries = RUNTIMES.map((name) => (name === "node" ? "index" : `index.${name}`));
  /** @type {import("esbuild").BuildOptions[]} */
  const builds = [
    // Split where the sources import lazily, so that a command loads what it needs; with all packages, because finding and
    // reading their hundreds of files is half the time that a start takes, and so that other runtimes need no node_modules.
    {
      ...common,
      banner: { js: REQUIRE },
      // Optional to ws; and a compiler that only authors of filters need, and then have.
      external: ["bufferutil", "utf-8-validate", "assemblyscript"],
      metafile: true,
      entryPoints: RUNTIMES.map((name) => at("host", "cli", `${name}.ts`)),
      outdir: join(out, "cli"),
      splitting: true,
      chunkNames: "[name]-[hash]",
    },
    // An application has these packages itself, or gets them with ours.
    { ...common, packages: "external", entryPoints: libraries.map((name) => at("host", `${name}.ts`)), outdir: out },
    // As browsers take it: not for one runtime, and no package at all.
    {
      ...common,
      platform: "neutral",
      target: "es2022",
      entryPoints: [{ in: at("client", "index.ts"), out: "client" }],
      outdir: out,
    },
    {
      ...common,
      packages: "external",
      entryPoints: ["node", "native"].map((name) => ({ in: at("client", `${name}.ts`), out: `client.${name}` })),
      outdir: out,
    },
    // One file with all that it needs: a worker is started for each upload, and finds no packages beside it.
    {
      ...common,
      entryPoints: [{ in: at("host", "runtime", "worker", "admission.ts"), out: "admission-worker" }],
      outdir: out,
    },
  ];
  for (const options of builds) {
    try {
      const { metafile } = await esbuild.build(options);
      if (metafile !== undefined)
        writeFileSync(join(out, "THIRD-PARTY.txt"), noticesFrom(Object.keys(metafile.inputs)));
    } catch (error) {
      const { errors } = /** @type {import("esbuild").BuildFailure} */ (error);
      const lines = await esbuild.formatMessages(errors, { kind: "error", color: process.stderr.isTTY });
      throw new Failure(`Cannot bundle the host:\n${lines.join("")}`);
    }
  }
  // Its helper process would live as long as the service that this process is about to become.
  await esbuild.stop();
  writeFileSync(join(out, "sluice.js"), LAUNCHER);
  chmodSync(join(out, "sluice.js"), 0o755);
}

/** Pages of those folders. */
function guides() {
  return GUIDES.flatMap((folder) =>
    readdirSync(at(folder))
      .filter((name) => name.endsWith(".md"))
      .sort()
      .map((name) => `${folder}/${name}`),
  );
}

/**
 * swagger-ui stays a package of the build: two of its files are all that runs, and what their licences ask to go along.
 *
 * @param {string} out
 */
async function copyDocs(out) {
  const from = (/** @type {string} */ name) => at("node_modules", "swagger-ui-dist", name);
  const to = (/** @type {string} */ name) => join(out, "docs", name);
  for (const folder of GUIDES) mkdirSync(join(out, folder), { recursive: true });
  for (const name of ["swagger-ui-bundle.js", "swagger-ui.css"]) copyFileSync(from(name), to(name));
  const notices = ["NOTICE", "swagger-ui-bundle.js.LICENSE.txt"].map((name) => readFileSync(from(name), "utf8").trim());
  writeFileSync(to("swagger-ui-bundle.js.LICENSE.txt"), `${notices.join("\n\n")}\n`);
  copyFileSync(at("llms.txt"), to("llms.txt"));
  for (const path of guides()) copyFileSync(at(path), to(path.slice("docs/".length)));
}

/** @param {string} out */
async function declare(out) {
  const tsc = at("node_modules", "typescript", "bin", "tsc");
  const types = join(out, "types");
  const { code, output } = await run(process.execPath, [tsc, "-p", at("tsconfig.types.json"), "--outDir", types]);
  if (code !== 0) throw new Failure(`Cannot write type declarations:\n${output}`);
  for (const file of filesBelow(types)) {
    // The compiler leaves the extension of sources in declarations, where there are only .js and .d.ts files beside.
    writeFileSync(file, readFileSync(file, "utf8").replace(/((?:from|import) ?\(?"\.[^"]*)\.ts"/g, '$1.js"'));
  }
  // What abi.d.ts says in names of AssemblyScript.
  copyFileSync(at("host", "ambient.d.ts"), join(types, "host", "ambient.d.ts"));
  writeFileSync(
    join(out, "index.d.ts"),
    '/// <reference path="./types/host/ambient.d.ts" />\nexport * from "./types/host/index.js";\n',
  );
  writeFileSync(join(out, "client.d.ts"), 'export * from "./types/client/index.js";\n');
}
