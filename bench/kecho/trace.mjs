// System calls per operation: the subject runs under strace twice, with different counts, and the difference counts.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const SUBJECT = path.join(import.meta.dirname, "subject.mjs");
/** What the language's runtime does by itself, in numbers that vary: memory and threads. */
const RUNTIME_CALLS = new Set([
  "mmap",
  "munmap",
  "mprotect",
  "madvise",
  "futex",
  "brk",
  "mremap",
  "sched_yield",
  "rseq",
  "clone3",
  "set_robust_list",
  "prctl",
  "getrusage",
]);
const FEW = 20;
const TIMEOUT_MS = 120_000;

/** Whether strace is there and allowed. @returns {Promise<boolean>} */
export async function canTrace() {
  try {
    await run("strace", ["-c", "-f", "-o", "/dev/null", "true"]);
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs the subject.
 *
 * @param {import('./subject.mjs').Order} order
 * @returns {Promise<{ p50Us: number, p99Us: number, socketWrites: number, wasmCalls: number }>}
 * @throws {Error} With what it wrote to stderr.
 */
export async function runSubject(order) {
  const { stdout } = await run(process.execPath, [SUBJECT, JSON.stringify(order)], { timeout: TIMEOUT_MS });
  return JSON.parse(stdout);
}

/**
 * Counts system calls of one operation.
 *
 * @param {import('./subject.mjs').Order} order `count` operations more than in the first run.
 * @returns {Promise<{ total: number, writes: number }>} Per operation: all but those of the runtime, and those that write to sockets.
 */
export async function systemCalls(order) {
  const few = await traced({ ...order, count: FEW });
  const many = await traced({ ...order, count: FEW + order.count });
  const per = (/** @type {(name: string) => boolean} */ wanted) => {
    let sum = 0;
    for (const [name, calls] of many) if (wanted(name)) sum += calls - (few.get(name) ?? 0);
    return sum / order.count;
  };
  return {
    total: per((name) => !RUNTIME_CALLS.has(name)),
    writes: per((name) => ["write", "writev", "sendto", "sendmsg"].includes(name)),
  };
}

/** @param {import('./subject.mjs').Order} order @returns {Promise<Map<string, number>>} Calls by name. */
async function traced(order) {
  const file = path.join(mkdtempSync(path.join(tmpdir(), "bench-strace-")), "calls");
  await run("strace", ["-c", "-f", "-o", file, process.execPath, SUBJECT, JSON.stringify(order)], {
    timeout: TIMEOUT_MS,
  });
  const calls = new Map();
  for (const line of readFileSync(file, "utf8").split("\n")) {
    // % time, seconds, usecs/call, calls, errors (may be absent), name
    const match = /^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$/.exec(line);
    if (match && match[2] !== "total") calls.set(match[2], Number(match[1]));
  }
  return calls;
}
