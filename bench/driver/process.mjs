// Child processes of the bench: started on a free port, measured through /proc, ended by their own pid.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import net from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export const HOST = "127.0.0.1";

/** Ticks per second of /proc/PID/stat: USER_HZ, 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const READY_MS = 15_000;
const END_MS = 3_000;

// Below 32768, where the kernel's own choice of ports begins: a broker must not find its port taken by a client of another.
let nextPort = 21_000 + (process.pid % 900) * 10;
const PORT_MAX = 32_000;

/**
 * Finds a port on loopback on which nobody listens.
 *
 * @returns {Promise<number>} Between 21000 and 32000, never given out twice by one run.
 */
export async function freePort() {
  for (;;) {
    if (++nextPort > PORT_MAX) nextPort = 21_000;
    const port = nextPort;
    const server = net.createServer();
    const free = await new Promise((resolve) => {
      server.once("error", () => resolve(false));
      server.listen(port, HOST, () => server.close(() => resolve(true)));
    });
    if (free) return port;
  }
}

/** @type {Set<import('node:child_process').ChildProcess>} */
const children = new Set();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

/**
 * Starts a child and waits until it accepts connections.
 *
 * @param {string} command Looked up in PATH.
 * @param {readonly string[]} args
 * @param {number} port The port that must answer.
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 * @returns {Promise<import('node:child_process').ChildProcess>}
 * @throws {Error} With what the child wrote to stderr, when it ends or does not answer within 15 s.
 */
export async function start(command, args, port, options = {}) {
  const child = spawn(command, args, { stdio: ["ignore", "ignore", "pipe"], ...options });
  children.add(child);
  let said = "";
  child.stderr?.on("data", (text) => {
    said = (said + text).slice(-2000);
  });
  child.on("error", (error) => {
    said += error.message;
  });
  const deadline = performance.now() + READY_MS;
  while (performance.now() < deadline) {
    if (child.exitCode !== null || child.pid === undefined) break;
    if (await answers(port)) return child;
    await sleep(20);
  }
  await end(child);
  throw new Error(`Cannot start ${command} on port ${port}: ${said.trim() || "it did not answer"}`);
}

/** @param {number} port */
function answers(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, HOST, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}

/**
 * Ends a child that start() gave, by its pid: politely, after 3 s by force.
 *
 * @param {import('node:child_process').ChildProcess} child
 */
export async function end(child) {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), END_MS);
  await gone;
  clearTimeout(timer);
}

/**
 * CPU seconds of a process so far, all its threads, those that ended included.
 *
 * @param {number} pid
 * @returns {{ user: number, system: number, total: number }} In seconds, to 0.01 s.
 */
export function cpuSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The second field is the command in parentheses and may hold spaces: count from the last parenthesis.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const user = Number(fields[11]) / TICKS_PER_SECOND;
  const system = Number(fields[12]) / TICKS_PER_SECOND;
  return { user, system, total: user + system };
}

/**
 * CPU seconds of the threads that a process has now, to the nanosecond: for what is too short for the ticks of cpuSeconds().
 *
 * @param {number} pid
 * @returns {number}
 */
export function cpuSecondsExact(pid) {
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ")[0]),
  );
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1e9;
}

/**
 * Resident memory of a process: now, and the most since resetPeak().
 *
 * @param {number} pid
 * @returns {{ bytes: number, peakBytes: number }}
 */
export function memoryOf(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const kib = (/** @type {string} */ name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  return { bytes: kib("VmRSS") * 1024, peakBytes: kib("VmHWM") * 1024 };
}

/**
 * Calls with which a process has written so far, to sockets and all else.
 *
 * @param {number} pid
 * @returns {number}
 */
export function writesOf(pid) {
  return Number(/^syscw: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, "latin1"))?.[1] ?? Number.NaN);
}

/**
 * Lets the peak of memoryOf() start anew from the present size.
 *
 * @param {number} pid
 */
export function resetPeak(pid) {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}
