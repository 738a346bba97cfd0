// System calls per operation: the subject runs under strace twice, with different counts, and the difference counts.
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
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
const WRITE_CALLS = new Set(["write", "writev", "sendto", "sendmsg"]);
const FEW = 20;
const TIMEOUT_MS = 120_000;

/** Whether strace is there and allowed. @returns {Promise<boolean>} */
export async function canTrace() {
  try {
    await run("strace", ["-f", "-yy", "-o", "/dev/null", "true"]);
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
 * @returns {Promise<{ total: number, writes: number }>} Per operation: all but those of the runtime, and writes to sockets.
 */
export async function systemCalls(order) {
  const few = await traced({ ...order, count: FEW });
  const many = await traced({ ...order, count: FEW + order.count });
  return { total: (many.total - few.total) / order.count, writes: (many.writes - few.writes) / order.count };
}

/** @param {import('./subject.mjs').Order} order @returns {Promise<{ total: number, writes: number }>} In the whole life of the subject. */
async function traced(order) {
  const file = path.join(mkdtempSync(path.join(tmpdir(), "bench-strace-")), "calls");
  // -yy names what a descriptor is: a write that wakes a thread of the runtime is no write to a socket.
  const options = ["-f", "-yy", "-s", "0", "-o", file, process.execPath, SUBJECT, JSON.stringify(order)];
  await run("strace", options, { timeout: TIMEOUT_MS });
  let total = 0;
  let writes = 0;
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const match = /^\d+\s+(\w+)\((\d+<(?:TCP|socket|UNIX)[:>])?/.exec(line);
    if (match === null || RUNTIME_CALLS.has(match[1] ?? "")) continue;
    total++;
    if (match[2] !== undefined && WRITE_CALLS.has(match[1] ?? "")) writes++;
  }
  rmSync(path.dirname(file), { recursive: true });
  return { total, writes };
}
