/**
 * `sluice serve` and what this version does not have yet: options, environment and help. serve.ts does the work.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { ClientRules } from "../clients.ts";
import { logLevels } from "../log.ts";
import type { Platform } from "../runtime/platform.ts";
import { CliError, EXIT_USAGE } from "./failure.ts";
import type { ServeSettings } from "./serve.ts";
import type { Terminal } from "./terminal.ts";
import { type Address, addressFromText, bytesFromText, collect, originsFromText, wholeNumber } from "./values.ts";

/** Options as commander gives them. */
interface ServeOptions {
  readonly listen?: Address;
  readonly tcp?: Address | "off";
  readonly data?: string;
  readonly memory?: number;
  readonly insecure?: boolean;
  readonly origin?: readonly string[];
  readonly implicit?: boolean;
  readonly clientConnections?: number;
  readonly clientRequests?: number;
  readonly monitorUrl?: readonly string[];
  readonly monitorPath?: readonly string[];
  readonly hostLoad?: boolean;
  readonly logLevel?: string;
}

const COUNT = wholeNumber(0, 1_000_000_000);
const LISTEN_DEFAULT: Address = { host: "127.0.0.1", port: 7480 };
const TCP_DEFAULT: Address = { host: "127.0.0.1", port: 7481 };

/** Flags of later versions: refused by name, because a host that ignores --join would seem to have joined. */
const LATER_FLAGS: ReadonlyArray<readonly [flag: string, variable: string, what: string]> = [
  ["--join <url>", "SLUICE_JOIN", "hosts do not form groups yet"],
  ["--engine <url>", "SLUICE_ENGINE", "only the embedded engine is there"],
  ["--shards <n>", "SLUICE_SHARDS", "a host has one core"],
  ["--config <file>", "SLUICE_CONFIG", "use flags or SLUICE_… variables"],
  ["--advertise <url>", "SLUICE_ADVERTISE", "hosts do not form groups yet"],
];

/** Commands of later versions. */
const LATER_COMMANDS = ["generate", "top", "doctor", "config", "completion"];

/** Adds serve and the commands that are to come. `platform` loads what serves on this runtime. */
export function addServeCommand(program: Command, terminal: Terminal, platform: () => Promise<Platform>): void {
  const command = program
    .command("serve")
    .summary("run a host")
    .description(
      "Run one host until SIGTERM or Ctrl-C, which drain it: clients are told, what is queued is sent, then it exits.",
    )
    .option("--listen <host:port>", "HTTP and WebSocket (default 127.0.0.1:7480)", addressFromText)
    .option("--tcp <host:port|off>", "the TCP port for binary frames (default 127.0.0.1:7481)", tcpFromText)
    .option("--data <dir>", "keep channels and the host's identity here (default: in memory only)")
    .option("--memory <size>", "memory of the core, paid for when used (default 512MiB)", bytesFromText)
    .option("--host-load", "publish this machine's load on host.load every second")
    .option("--insecure", "allow addresses that others can reach, without credentials")
    .option(
      "--origin <origin>",
      "pages of that origin may connect, too, and its name is this host's; repeatable",
      addOrigins,
    )
    .option("--implicit <on|off>", "whether channels appear by being used (default on loopback: on)", switchFromText)
    .option("--client-connections <n>", "connections of one address at a time, 0: any number", COUNT)
    .option("--client-requests <n>", "HTTP requests of one address per second, 0: any number", COUNT)
    .option("--monitor-url <prefix>", "conditions may read URLs that begin so; repeatable", collect)
    .option("--monitor-path <dir>", "conditions may read files in that folder; repeatable", collect)
    .addOption(
      new Option("--log-level <level>", "least urgent level that is logged, as JSON on stderr (default warn)").choices(
        logLevels,
      ),
    )
    .addHelpText("after", SERVE_EXAMPLES)
    .action(async (options: ServeOptions & Record<string, unknown>) => {
      refuseLater(options, terminal);
      const settings = settingsFrom(options, terminal.env);
      // Both at the same time, and only here: a client command would wait for a server that it does not start.
      const [{ serve }, served] = await Promise.all([import("./serve.ts"), platform()]);
      return serve(served, settings, terminal);
    });
  for (const [flag] of LATER_FLAGS) command.addOption(new Option(flag).hideHelp());
  for (const name of LATER_COMMANDS) {
    program
      .command(name, { hidden: true })
      .allowUnknownOption()
      .allowExcessArguments()
      .helpOption(false)
      .action(() => {
        throw new CliError(`"sluice ${name}" is not in this version yet; sluice --help shows what is`, {
          exitCode: EXIT_USAGE,
        });
      });
  }
}

function refuseLater(options: Readonly<Record<string, unknown>>, terminal: Terminal): void {
  for (const [flag, variable, what] of LATER_FLAGS) {
    const name = flag.slice(2, flag.indexOf(" "));
    const given = options[name] !== undefined ? `--${name}` : terminal.env[variable] ? variable : undefined;
    if (given !== undefined)
      throw new CliError(`${given} is not in this version yet: ${what}`, { exitCode: EXIT_USAGE });
  }
}

/** Flags over SLUICE_… over defaults. An empty variable counts as absent. */
function settingsFrom(options: ServeOptions, env: Terminal["env"]): ServeSettings {
  const tcp = options.tcp ?? fromEnv(env, "SLUICE_TCP", tcpFromText) ?? TCP_DEFAULT;
  const data = options.data ?? fromEnv(env, "SLUICE_DATA", (text) => text);
  const memoryBytes = options.memory ?? fromEnv(env, "SLUICE_MEMORY", bytesFromText);
  const implicitChannels = options.implicit ?? fromEnv(env, "SLUICE_IMPLICIT", switchFromText);
  return {
    listen: options.listen ?? fromEnv(env, "SLUICE_LISTEN", addressFromText) ?? LISTEN_DEFAULT,
    tcp: tcp === "off" ? null : tcp,
    insecure: options.insecure ?? fromEnv(env, "SLUICE_INSECURE", switchFromText) ?? false,
    origins: options.origin ?? fromEnv(env, "SLUICE_ORIGIN", originsFromText) ?? [],
    clients: clientsFrom(options, env),
    monitors: {
      urls: options.monitorUrl ?? fromEnv(env, "SLUICE_MONITOR_URL", listFromText) ?? [],
      paths: options.monitorPath ?? fromEnv(env, "SLUICE_MONITOR_PATH", listFromText) ?? [],
    },
    hostLoad: options.hostLoad ?? fromEnv(env, "SLUICE_HOST_LOAD", switchFromText) ?? false,
    // No flag: nobody shall find it in a list of options and wonder why nothing expires.
    testControls: fromEnv(env, "SLUICE_TEST_CONTROLS", switchFromText) ?? false,
    logLevel: levelFromText(options.logLevel ?? fromEnv(env, "SLUICE_LOG_LEVEL", (text) => text) ?? "warn"),
    ...(data === undefined ? {} : { data }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(implicitChannels === undefined ? {} : { implicitChannels }),
  };
}

/** What one address may use, where it is said. */
function clientsFrom(options: ServeOptions, env: Terminal["env"]): Partial<ClientRules> {
  const connections = options.clientConnections ?? fromEnv(env, "SLUICE_CLIENT_CONNECTIONS", COUNT);
  const requests = options.clientRequests ?? fromEnv(env, "SLUICE_CLIENT_REQUESTS", COUNT);
  return { ...(connections === undefined ? {} : { connections }), ...(requests === undefined ? {} : { requests }) };
}

function addOrigins(text: string, former: readonly string[] | undefined): readonly string[] {
  return [...(former ?? []), ...originsFromText(text)];
}

function listFromText(text: string): readonly string[] {
  return text.split(",").map((part) => part.trim());
}

function fromEnv<Value>(env: Terminal["env"], name: string, read: (text: string) => Value): Value | undefined {
  const text = env[name];
  if (text === undefined || text === "") return undefined;
  try {
    return read(text);
  } catch (reason) {
    if (!(reason instanceof InvalidArgumentError)) throw reason;
    throw new CliError(`${name}: ${reason.message.replace(/\.$/, "")}`, { exitCode: EXIT_USAGE });
  }
}

/** "off" stays a word: commander takes null for a mistake of ours. */
function tcpFromText(text: string): Address | "off" {
  return text === "off" ? text : addressFromText(text);
}

function switchFromText(text: string): boolean {
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off)$/i.test(text)) return false;
  throw new InvalidArgumentError(`"${text}" is neither true nor false.`);
}

function levelFromText(text: string): (typeof logLevels)[number] {
  const level = logLevels.find((known) => known === text);
  if (level === undefined)
    throw new CliError(`SLUICE_LOG_LEVEL: "${text}" is none of ${logLevels.join(", ")}`, { exitCode: EXIT_USAGE });
  return level;
}

const SERVE_EXAMPLES = `
Examples:
  $ sluice serve
  $ sluice serve --host-load
  $ sluice serve --listen 127.0.0.1:8080 --tcp off --data ./state
  $ sluice serve --listen 0.0.0.0:7480 --insecure    anyone may use it
  $ sluice serve --origin https://app.example.org    behind a proxy of that name

Port 0 takes a free one; the ready line tells which.
Every flag has a variable, which it overrides: SLUICE_LISTEN, SLUICE_TCP,
SLUICE_DATA, SLUICE_MEMORY, SLUICE_HOST_LOAD, SLUICE_INSECURE,
SLUICE_ORIGIN (with commas), SLUICE_IMPLICIT, SLUICE_CLIENT_CONNECTIONS,
SLUICE_CLIENT_REQUESTS, SLUICE_MONITOR_URL, SLUICE_MONITOR_PATH (both with
commas), SLUICE_LOG_LEVEL.`;
