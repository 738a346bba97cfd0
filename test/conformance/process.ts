/** Real `sluice serve` processes of any runtime, and what their metrics tell. */
import { entry, type Running, startProgram } from "../host/cli/sluice.ts";
import type { Reachable } from "../host/support/client.ts";
import type { Target } from "./targets.ts";

/** A host that runs. */
export interface ConformanceHost extends Running, Reachable {
  readonly url: string;
  /** A metric without labels; 0 where there is none. */
  metric(name: string): Promise<number>;
}

/** Small enough for several on one machine. */
const MEMORY = "160MiB";

/** What programs of these runtimes would otherwise do besides their work. */
const QUIET = { DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };

/**
 * Starts a host on free ports and waits for its ready line.
 *
 * @param args Of `sluice serve`.
 * @param rights Of the runtime, before the script.
 */
export async function startOn(
  target: Target,
  args: readonly string[] = [],
  rights: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<ConformanceHost> {
  const serve = ["serve", "--listen", "127.0.0.1:0", "--tcp", "127.0.0.1:0", "--memory", MEMORY, ...args];
  const running = startProgram(target.command, [...target.args, ...rights, entry, ...serve], {
    env: { ...QUIET, ...env },
  });
  const [, url = "", tcp = ""] = await running
    .until("stdout", /(http:\/\/\S+) and (tcp:\/\/\S+)/)
    .catch(async (reason: unknown) => {
      await running.stop("SIGKILL");
      throw reason;
    });
  return {
    ...running,
    url,
    httpPort: Number(new URL(url).port),
    tcpPort: Number(new URL(tcp).port),
    async metric(name) {
      const text = await (await fetch(`${url}/metrics`)).text();
      return Number(new RegExp(`^${name} (\\S+)$`, "m").exec(text)?.[1] ?? 0);
    },
  };
}
