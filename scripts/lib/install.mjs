/** Whether the installed packages are those of the lock file, and `npm ci` where they are not. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { hashOf } from "./hash.mjs";
import { Failure, run, withProgress } from "./run.mjs";

/** Words of npm for "the registry does not answer". */
const OFFLINE = /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED)\b/;

/**
 * Refuses a Node that cannot run Sluice, before anything else fails in a stranger way.
 *
 * @param {string} version Such as "20.19.0".
 * @param {string} engines Such as ">=20.19": the only form understood.
 * @throws {Failure}
 */
export function assertNode(version, engines) {
  const [wantedMajor = 0, wantedMinor = 0] = engines.replace(">=", "").split(".").map(Number);
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return;
  throw new Failure(
    `Sluice needs Node ${engines}, this is ${version}. Install a newer one from https://nodejs.org or your system's packages`,
  );
}

/**
 * @typedef {{ version?: string, integrity?: string, optional?: boolean, devOptional?: boolean, peer?: boolean }} LockEntry
 * @typedef {{ packages: Record<string, LockEntry> }} LockFile
 */

/**
 * Whether what npm says is installed satisfies the lock file. Optional packages (binaries of other platforms) may be absent.
 *
 * @param {LockFile} lock package-lock.json.
 * @param {LockFile} installed node_modules/.package-lock.json.
 * @returns {boolean}
 */
export function isInstalled(lock, installed) {
  return Object.entries(lock.packages).every(([path, wanted]) => {
    // The root itself.
    if (path === "") return true;
    const found = installed.packages[path];
    if (found === undefined) return wanted.optional === true || wanted.devOptional === true;
    return found.version === wanted.version && found.integrity === wanted.integrity;
  });
}

/**
 * Installs the packages of a folder's lock file where they are not there. The stamp makes the usual case a single hash.
 *
 * @param {string} folder With package.json and package-lock.json.
 * @param {{ what?: string }} [options] `what` is said to the waiting: "packages".
 * @returns {Promise<boolean>} Whether it installed anything.
 * @throws {Failure} Where npm fails, with its words.
 */
export async function install(folder, { what = "packages" } = {}) {
  const modules = join(folder, "node_modules");
  const stamp = join(modules, ".sluice-stamp");
  // A different Node or platform may need other binaries.
  const hash = hashOf(folder, ["package.json", "package-lock.json"], [process.platform, process.arch]);
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return false;
  const hidden = join(modules, ".package-lock.json");
  const wanted = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
  const fresh = existsSync(hidden) && isInstalled(wanted, JSON.parse(readFileSync(hidden, "utf8")));
  if (!fresh) await withProgress(`Installing ${what} (npm ci)`, () => ci(folder));
  mkdirSync(modules, { recursive: true });
  writeFileSync(stamp, hash);
  return !fresh;
}

/** @param {string} folder */
async function ci(folder) {
  // Under `npm start` the same npm is used that was called; otherwise the one on the path.
  const npm = process.env["npm_execpath"];
  const [command, first] =
    npm !== undefined && basename(npm) === "npm-cli.js" ? [process.execPath, [npm]] : ["npm", []];
  const args = [...first, "ci", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
  const { code, output } = await run(command, args, { cwd: folder }).catch(
    (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code === "ENOENT")
        throw new Failure("Cannot install packages: npm is not on the path. It comes with Node");
      throw error;
    },
  );
  if (code === 0) return;
  if (OFFLINE.test(output)) {
    throw new Failure(
      `Cannot install packages: the npm registry does not answer. The network is needed once.\n${output}`,
    );
  }
  throw new Failure(`Cannot install packages: npm ci failed with exit code ${code}.\n${output}`);
}
