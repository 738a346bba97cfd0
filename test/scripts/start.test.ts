/** `npm start` as a newcomer or a service manager uses it: a process that says where it serves and ends in order. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

describe("npm start", () => {
  let child: ChildProcess | undefined;
  afterEach(() => {
    // The whole group, npm and what it started; gone already where the test passed.
    if (child?.exitCode === null && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  });

  /** Starts it and resolves to the first address that it prints. */
  function start(...args: string[]): Promise<string> {
    const started = spawn("npm", ["start", "--", ...args], {
      cwd: root,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    child = started;
    return new Promise((resolve, reject) => {
      let output = "";
      for (const stream of [started.stdout, started.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
          output += text;
          const url = /http:\/\/127\.0\.0\.1:\d+/.exec(output)?.[0];
          if (url !== undefined) resolve(url);
        });
      }
      started.on("error", reject);
      started.on("close", (code) => reject(new Error(`npm start ended with ${code}:\n${output}`)));
    });
  }

  test("serves where --listen says, ends with code 0 on SIGTERM, and leaves no process behind", async () => {
    const url = await start("--listen", "127.0.0.1:0", "--tcp", "off");
    expect((await fetch(`${url}/health/live`)).status).toBe(200);
    const closed = new Promise((resolve) => child?.on("close", (code, signal) => resolve({ code, signal })));
    child?.kill("SIGTERM");
    expect(await closed).toEqual({ code: 0, signal: null });
    await expect(fetch(`${url}/health/live`)).rejects.toThrow();
  });

  test("publishes this machine's load on host.load", async () => {
    const url = await start("--listen", "127.0.0.1:0", "--tcp", "off");
    expect((await fetch(`${url}/v1/channels/host.load`)).status).toBe(200);
  });
});
