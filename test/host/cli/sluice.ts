/**
 * The built command line as real processes, for tests. Nothing here waits for a fixed time: conditions have bounds.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The bundle that `bin.sluice` names. */
export const entry: string = fileURLToPath(new URL("../../../dist/sluice.js", import.meta.url));
/** How long a condition may take on a machine that does other things, too. */
const PATIENCE_MS = 20_000;

/** What a finished process left. */
export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process under way. */
export interface Running {
  readonly child: ChildProcessWithoutNullStreams;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with the match once it is in what was printed. */
  until(stream: "stdout" | "stderr", pattern: RegExp): Promise<RegExpMatchArray>;
  readonly finished: Promise<Finished>;
  /** Sends a signal and waits for the end. */
  stop(signal?: NodeJS.Signals): Promise<Finished>;
}

/** What a process gets. */
export interface Given {
  readonly env?: Readonly<Record<string, string>>;
  /** Standard input; it ends after this. Absent: ends at once. */
  readonly input?: string | Uint8Array;
}

/** A clean environment: what the person who runs the tests has set must not decide them. */
function environment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"], HOME: process.env["HOME"], TZ: "UTC", ...extra };
}

/** Starts any program. It does not outlive the process that runs the tests, whatever becomes of the test. */
export function startProgram(command: string, args: readonly string[], given: Given = {}): Running {
  const child = spawn(command, args, { env: environment(given.env), stdio: "pipe" });
  const end = (): void => void child.kill("SIGKILL");
  process.once("exit", end);
  child.once("close", () => process.off("exit", end));
  let stdout = "";
  let stderr = "";
  const watchers = new Set<() => void>();
  const noticed = (): void => {
    for (const watcher of [...watchers]) watcher();
  };
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    noticed();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
    noticed();
  });
  // A process that ends before it has read its input breaks the pipe; its exit code is what counts.
  child.stdin.on("error", () => undefined);
  if (given.input !== undefined) child.stdin.end(given.input);
  const finished = new Promise<Finished>((resolve) => {
    child.on("close", (code, signal) => {
      resolve({ code, signal, stdout, stderr });
      noticed();
    });
  });
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    finished,
    until: (stream, pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = (stream === "stdout" ? stdout : stderr).match(pattern);
          const over = child.exitCode !== null || child.signalCode !== null;
          if (match === null && !over) return;
          clearTimeout(timer);
          watchers.delete(look);
          if (match !== null) resolve(match);
          else reject(new Error(`ended (${child.exitCode}) without ${pattern}\nstdout: ${stdout}\nstderr: ${stderr}`));
        };
        const timer = setTimeout(() => {
          watchers.delete(look);
          reject(new Error(`no ${pattern} within ${PATIENCE_MS} ms\nstdout: ${stdout}\nstderr: ${stderr}`));
        }, PATIENCE_MS);
        watchers.add(look);
        look();
      }),
    async stop(signal = "SIGTERM") {
      child.kill(signal);
      return await finished;
    },
  };
}

/** Starts `sluice` with arguments. */
export function start(args: readonly string[], given: Given = {}): Running {
  return startProgram(process.execPath, [entry, ...args], given);
}

/** Runs `sluice` to its end; standard input is empty unless given. */
export async function run(args: readonly string[], given: Given = {}): Promise<Finished> {
  return await start(args, { input: "", ...given }).finished;
}

/** A host on free ports. */
export interface RunningHost extends Running {
  readonly url: string;
  /** Without `tcp://`. */
  readonly tcp: string;
  /** `sluice` against this host. */
  run(args: readonly string[], given?: Given): Promise<Finished>;
  start(args: readonly string[], given?: Given): Running;
}

/** Starts `sluice serve` and waits for its ready line. */
export async function startHost(args: readonly string[] = [], given: Given = {}): Promise<RunningHost> {
  const running = start(["serve", "--listen", "127.0.0.1:0", "--tcp", "127.0.0.1:0", ...args], given);
  const [, url = "", tcp = ""] = await running
    .until("stdout", /(http:\/\/\S+) and tcp:\/\/(\S+)/)
    .catch(async (reason: unknown) => {
      await stopHost(running);
      throw reason;
    });
  const env = { SLUICE_URL: url };
  return {
    ...running,
    url,
    tcp,
    run: (more, also = {}) => run(more, { ...also, env: { ...env, ...also.env } }),
    start: (more, also = {}) => start(more, { ...also, env: { ...env, ...also.env } }),
  };
}

/** Ends a host that the test has not ended itself. */
export async function stopHost(host: Running | undefined): Promise<void> {
  if (host === undefined || host.child.exitCode !== null || host.child.signalCode !== null) return;
  await host.stop("SIGKILL");
}
