/** Goal: `sluice serve` reads for conditions what its options allow, and tells an operator who has taken that back. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { run, startHost } from "./sluice.ts";

test("sluice serve --monitor-path reads files for conditions, also after a restart, and nothing else", async () => {
  const dir = await mkdtemp(join(tmpdir(), "sluice-monitor-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const path = join(dir, "level");
  await writeFile(path, "3");
  const data = ["--data", join(dir, "data")];
  const url = "/v1/conditions/level";
  const put = (at: string, definition: object) =>
    fetch(at + url, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ kind: "monitor", ...definition }),
    });
  const first = await startHost([...data, "--monitor-path", dir]);
  const refused = await put(first.url, { url: "http://127.0.0.1:1/" });
  expect(await refused.json()).toMatchObject({ status: 403, code: "forbidden", limit: "--monitor-url" });
  expect((await put(first.url, { path })).status).toBe(201);
  await first.stop();
  const second = await startHost(data, { env: { SLUICE_MONITOR_PATH: `/nowhere, ${dir}` } });
  const shown = async () => (await fetch(second.url + url)).json();
  await vi.waitFor(async () => expect(await shown()).toMatchObject({ kind: "monitor", path, value: 3 }), 5_000);
  await second.stop();
  const third = await run(["serve", "--listen", "127.0.0.1:0", "--tcp", "off", ...data]);
  expect(third.code).toBe(1);
  expect(third.stderr).toContain("--monitor-path");
});
