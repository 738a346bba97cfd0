/**
 * Goal: the same servers over real sockets, as people start them.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { root } from "../docs-blocks.ts";
import { type RunningHost, startHost, startProgram, stopHost } from "../host/cli/sluice.ts";

const script = join(root, "examples/web-cluster/run.mjs");
let host: RunningHost;
beforeAll(async () => {
  host = await startHost();
});
afterAll(async () => {
  await stopHost(host);
});

describe("examples/web-cluster --live", () => {
  test("forwards what one of eight servers cannot do, and its clients get their answers", async () => {
    const run = startProgram(process.execPath, [script, "--live", "--host", host.url, "--seconds", "3"]);
    const { code, stdout, stderr } = await run.finished;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/[1-9]\d* local \(\d+ ms\)/);
    expect(stdout).toMatch(/[1-9]\d* remote \(\d+ ms\)/);
    expect(stdout).toMatch(/done by each server: \d+( \d+){7}/);
  });

  test("says how to start a host where there is none", async () => {
    const { code, stderr } = await startProgram(process.execPath, [script, "--live", "--host", "http://127.0.0.1:9"])
      .finished;
    expect(code).toBe(1);
    expect(stderr).toContain("Start one: npm start");
  });
});
