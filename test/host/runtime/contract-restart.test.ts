/** Documents of contracts outlive their host: bases, conditions of their own, and the base that is named behind what extends it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type RunningHost, startHost, stopHost } from "../cli/sluice.ts";

test("a host starts with its contracts as they were written, each with its own conditions", async () => {
  const dir = await mkdtemp(join(tmpdir(), "sluice-restart-"));
  let host: RunningHost = await startHost(["--data", dir]);
  onTestFinished(async () => {
    await stopHost(host);
    await rm(dir, { recursive: true });
  });
  const show = async (path: string): Promise<Record<string, unknown>> =>
    (await (await fetch(`${host.url}/v1/${path}`)).json()) as Record<string, unknown>;
  const applied = await host.run(["contract", "apply", "-"], {
    input: `name: web
conditions:
  lag: { kind: value, initial: 7 }
  late: { kind: expression, expression: lag > 20 }
regions: [ { name: busy, when: late }, { name: calm } ]
---
name: a.strict
extends: web
regions: [ { name: poor, when: lag > 5, after: busy } ]
`,
  });
  expect([applied.code, applied.stderr]).toEqual([0, ""]);
  const definitions = async (): Promise<unknown[]> =>
    await Promise.all(
      ["web", "a.strict"].map(async (name) => {
        const { conditions, regions, resolved, extends: base } = await show(`contracts/${name}`);
        return { conditions, regions, resolved, base };
      }),
    );
  const before = await definitions();
  await host.stop();
  host = await startHost(["--data", dir]);
  expect(await definitions()).toEqual(before);
  expect(await show("conditions/a.strict.lag")).toMatchObject({ value: 7 });
  expect((await host.run(["contract", "evaluate", "a.strict"])).stdout).toBe("poor\n");
  await host.run(["condition", "set", "web.lag=30"]);
  expect((await host.run(["contract", "evaluate", "web"])).stdout).toBe("busy\n");
  expect((await host.run(["contract", "evaluate", "a.strict"])).stdout).toBe("poor\n");
  expect((await host.run(["contract", "rm", "web"])).stderr).toContain("a.strict extends it");
});
