// Where and with what a run was made: without it a number means nothing.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";

const ROOT = path.join(import.meta.dirname, "../..");

/** @param {readonly string[]} args @returns {string} Empty where git has no answer: a tarball, or no commit yet. */
function git(args) {
  try {
    return execFileSync("git", args, { cwd: ROOT, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
  } catch {
    return "";
  }
}

/**
 * Describes machine and sources.
 *
 * @returns {{ date: string, commit: string, dirty: boolean, cpu: string, cores: number, memoryGiB: number, kernel: string,
 *   distribution: string, node: string, loadAverage: number[] }} `loadAverage` of 1, 5 and 15 minutes: on a busy machine
 *   only ratios mean anything.
 */
export function describeMachine() {
  const cpus = os.cpus();
  return {
    date: new Date().toISOString(),
    commit: git(["rev-parse", "HEAD"]) || "none",
    dirty: git(["status", "--porcelain", "--untracked-files=no"]) !== "",
    cpu: cpus[0]?.model.trim() ?? "unknown",
    cores: cpus.length,
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    kernel: os.release(),
    distribution: distribution(),
    node: process.version,
    loadAverage: os.loadavg().map((load) => Math.round(load * 100) / 100),
  };
}

function distribution() {
  try {
    return /PRETTY_NAME="([^"]+)"/.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? os.type();
  } catch {
    return os.type();
  }
}
