/** `deno task start`: builds, then serves with the rights that it names and no others. */
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { startProgram } from "../host/cli/sluice.ts";
import { missing, targets } from "./targets.ts";

const { command } = targets.deno;
/** Nothing else on the path: with Deno and the packages there, Node is not needed. */
const env = { PATH: dirname(command), DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };

test("deno task start serves, and ends in order", async (context) => {
  const absent = missing(targets.deno);
  if (absent !== undefined) context.skip(absent);
  const running = startProgram(command, ["task", "start", "--listen", "127.0.0.1:0", "--tcp", "off"], { env });
  const [url] = await running.until("stdout", /http:\/\/\S+/);
  const info = await (await fetch(`${url}/v1/info`)).json();
  expect(info.runtime).toMatch(targets.deno.runtime);
  expect((await fetch(`${url}/v1/channels/host.load`)).status).toBe(200);
  expect((await fetch(`${url}/docs`)).status).toBe(200);
  expect(await running.stop()).toMatchObject({ code: 0 });
  await expect(fetch(`${url}/health/live`)).rejects.toThrow();
});

test("deno task start may not write where nobody said so", async (context) => {
  const absent = missing(targets.deno);
  if (absent !== undefined) context.skip(absent);
  const args = ["task", "start", "--listen", "127.0.0.1:0", "--tcp", "off", "--data", "/tmp/sluice-no-right"];
  const { code, stderr } = await startProgram(command, args, { env }).finished;
  expect(code).toBe(1);
  expect(stderr).toContain("state_unusable");
});
