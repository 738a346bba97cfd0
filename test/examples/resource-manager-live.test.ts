/**
 * Goal: the same managers over real sockets, as processes that are killed.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../docs-blocks.ts";
import { type Running, type RunningHost, startHost, startProgram, stopHost } from "../host/cli/sluice.ts";

let host: RunningHost;
const running: Running[] = [];
beforeAll(async () => {
  host = await startHost();
});
afterAll(async () => {
  for (const one of running) one.child.kill("SIGKILL");
  await Promise.all(running.map((one) => one.finished));
  await stopHost(host);
});

function manager(...args: readonly string[]): Running {
  const script = join(root, "examples/resource-manager/run.mjs");
  const started = startProgram(process.execPath, [script, "--host", host.url, ...args]);
  running.push(started);
  return started;
}

describe("examples/resource-manager", () => {
  test("allocates, tells of a manager that is killed, and goes on with another", async () => {
    const large = manager("--name", "large", "--resource", "cpu=8");
    const small = manager("--name", "small", "--resource", "cpu=2");
    await Promise.all([large.until("stdout", /ready/), small.until("stdout", /ready/)]);
    const application = manager("--name", "app", "--want", "cpu=1", "--want", "gpu=1");
    await application.until("stdout", /has 1 of large\.cpu/);
    await application.until("stdout", /nobody has 1 of gpu/);
    await large.stop("SIGKILL");
    await application.until("stdout", /lost large\.cpu, asks for another/);
    await application.until("stdout", /has 1 of small\.cpu/);
    // Ctrl-C: in order, so nobody has to wait for the silence to be noticed.
    await small.stop("SIGINT");
    await application.until("stdout", /resource lost: small\.cpu/);
    expect((await application.stop("SIGTERM")).code).toBe(0);
  });

  test("says how to start a host where there is none", async () => {
    const { stderr, code } = await manager("--name", "a", "--host", "http://127.0.0.1:9").finished;
    expect(stderr).toContain("Start one: npm start");
    expect(code).toBe(1);
  });
});
