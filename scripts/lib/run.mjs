/** Child processes whose output is shown when it matters, and progress for whoever waits. */
import { spawn } from "node:child_process";
import { root } from "./paths.mjs";

/** Nothing that takes longer than this stays silent. */
const SILENCE_MS = 1000;

/**
 * What a failed command leaves behind.
 *
 * @typedef {{ code: number, output: string }} Outcome `code` 0 is success; `output` is stdout and stderr as they came.
 */

/**
 * Runs a command in the root and collects its output.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, show?: boolean }} [options] `show`: print the output as it comes.
 * @returns {Promise<Outcome>}
 */
export function run(command, args, { cwd = root, env = process.env, show = false } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env,
      stdio: ["ignore", show ? "inherit" : "pipe", show ? "inherit" : "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (/** @type {string} */ text) => {
        output += text;
      });
    }
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, output }));
  });
}

/**
 * Says what is being done as soon as it takes longer than a second, and how long it took.
 * It writes to stderr, so that stdout belongs to the command that was asked for.
 *
 * @template T
 * @param {string} label A full phrase, such as "Building the core".
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withProgress(label, work) {
  const startMs = performance.now();
  let said = false;
  const timer = setTimeout(() => {
    said = true;
    process.stderr.write(`${label} …\n`);
  }, SILENCE_MS);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
    if (said) process.stderr.write(`${label}: ${((performance.now() - startMs) / 1000).toFixed(1)} s\n`);
  }
}

/** A failure that is told in a sentence, without a stack. */
export class Failure extends Error {}

/**
 * Runs a script's main function: a {@link Failure} ends it with its sentence and exit code 1.
 *
 * @param {() => Promise<void>} main
 */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    process.exitCode = 1;
  }
}
