import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { linesFromPlan, type PlanLike } from "../../../host/cli/contract-plan.ts";
import { type ContractLike, linesFromContract, whyText } from "../../../host/cli/contract-tree.ts";
import { createStyle } from "../../../host/cli/style.ts";
import { type RunningHost, startHost, stopHost } from "./sluice.ts";

let host: RunningHost;
let folder: string;
beforeAll(async () => {
  [host, folder] = await Promise.all([startHost(), mkdtemp(join(tmpdir(), "sluice-contract-"))]);
});
afterAll(async () => {
  await stopHost(host);
  await rm(folder, { recursive: true });
});

const documents = `# two of them
name: web
conditions:
  p99: { kind: value }
regions:
  - { name: normal, when: p99 < 50, regions: [ { name: idle, when: p99 < 5 }, { name: busy } ] }
  - { name: degraded }
---
name: web.strict
extends: web
regions: [ { name: degraded, when: p99 < 90 } ]
`;

describe("sluice contract", () => {
  test("applies, lists, shows, evaluates, watches and removes", async () => {
    expect((await host.run(["contract", "ls"])).stdout).toContain("no contracts");
    const file = join(folder, "web.yaml");
    await writeFile(file, documents);
    const applied = await host.run(["contract", "apply", file]);
    expect([applied.code, applied.stdout]).toEqual([0, "web created\nweb.strict created\n"]);
    expect(applied.stderr).toContain("web.strict: No region at the top is active always");
    expect((await host.run(["contract", "apply", file])).stdout).toContain("web replaced, in normal/idle\n");
    const watch = host.start(["contract", "watch", "web", "--count", "2"]);
    const json = host.start(["contract", "watch", "web", "--count", "1", "--json"]);
    // A stream tells what comes: until both are there, it is made to come.
    for (let value = 20; watch.stdout() === "" || json.stdout() === ""; value = value === 20 ? 75 : 20)
      await host.run(["condition", "set", `web.p99=${value}`]);
    await host.run(["condition", "set", "web.p99=1"]);
    await host.run(["condition", "set", "web.p99=75"]);
    const { stdout, code } = await watch.finished;
    expect([code, stdout.trim().split("\n")]).toEqual([0, [expect.any(String), expect.any(String)]]);
    expect(stdout).toMatch(/^\S+Z [\w/]+ -> [\w/]+ since [\w/]+ holds.* with p99=\d+$/m);
    expect(JSON.parse((await json.finished).stdout)).toMatchObject({ why: { values: { p99: expect.any(Number) } } });
    expect((await host.run(["contract", "evaluate", "web"])).stdout).toBe("degraded\n");
    const shown = (await host.run(["contract", "show", "web"])).stdout;
    expect(shown).toMatch(/^web {2}degraded$/m);
    expect(shown).toMatch(/^- normal +p99 < 50 +\d+$/m);
    expect(shown).toMatch(/^ {2}- idle +p99 < 5 +\d+$/m);
    expect(shown).toMatch(/^\* degraded +else +\d+$/m);
    expect(shown).toMatch(/^ {2}p99 {2}75 {2}web\.p99$/m);
    expect(shown).toContain("since degraded holds where nothing before it does with p99=75");
    const table = (await host.run(["contract", "ls"])).stdout;
    expect(table).toMatch(/CONTRACT +REGION +EVALUATIONS +FAILURES +NOTE/);
    expect(table).toMatch(/^web +degraded/m);
    const lines = (await host.run(["contract", "ls", "--json"])).stdout.trim().split("\n");
    expect(lines.map((line) => JSON.parse(line).name)).toEqual(["web", "web.strict"]);
    const gone = host.start(["contract", "watch", "web.strict"]);
    const refused = await host.run(["contract", "rm", "web"]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("web.strict extends it")]);
    expect((await host.run(["contract", "rm", "web.strict", "web"])).stdout).toBe("web.strict removed\nweb removed\n");
    // It may have begun behind the removal.
    expect((await gone.finished).stderr).toMatch(/web\.strict was removed|no contract "web\.strict"/);
  });

  test("takes standard input and a name, and tells what is wrong where", async () => {
    const named = await host.run(["contract", "apply", "-", "--name", "only"], { input: "regions: [ { name: a } ]" });
    expect(named.stdout).toBe("only created\n");
    const json = await host.run(["contract", "apply", "-", "--json"], {
      input: '{"name":"j","regions":[{"name":"a"}]}',
    });
    expect(JSON.parse(json.stdout)).toMatchObject({ name: "j", warnings: [] });
    const wrong = await host.run(["contract", "apply", "-"], {
      input: `name: first\nregions: [ { name: a } ]\n---\n# the second\nname: x\nregions:\n  - { name: a, when: nothing > 1 }\n  - { name: a }\n`,
    });
    expect([wrong.code, wrong.stdout]).toEqual([1, "first created\n"]);
    expect(wrong.stderr).toMatch(/ {2}- regions\[1\] \(line 8, column 5\): There are two regions "a"/);
    expect(wrong.stderr).toMatch(/ {2}- regions\[0\]\.when \(line 7, column 22\): .*"nothing"/);
    expect((await host.run(["contract", "apply", "-"], { input: "regions: [ { name: a } ]" })).code).toBe(2);
    expect((await host.run(["contract", "apply", "-"], { input: "# nothing" })).code).toBe(1);
    expect((await host.run(["contract", "apply", join(folder, "none")])).stderr).toContain("cannot read");
    expect((await host.run(["contract", "watch", "nothing"])).stderr).toContain('no contract "nothing"');
  });
});

describe("sluice contract plan", () => {
  test("tells what a contract would do, what would be otherwise, and what a file would change", async () => {
    const file = join(folder, "planned.yaml");
    const text = (then: string): string => `name: planned
conditions: { lag: { kind: value }, mode: { kind: value, initial: full } }
regions: [ { name: good, when: lag < 10 }, { name: poor } ]
transitions:
  - from: "*"
    to: poor
    do:
      - ${then}
      - set: { mode: eco }
`;
    await writeFile(file, text("configure: { channel: planned.frames, patch: { delivery: { ttlMs: 70 } } }"));
    await host.run(["pub", "planned.frames", "one"]);
    const fresh = await host.run(["contract", "plan", file]);
    expect([fresh.code, fresh.stdout]).toEqual([
      0,
      'planned  - -> good\ndecided by\n  lag=0 mode="full"\nnothing would be done\n',
    ]);
    expect((await host.run(["contract", "ls"])).stdout).not.toContain("planned");
    expect((await host.run(["contract", "plan", file, "--set", "lag=50"])).stdout).toContain("planned  - -> poor");
    expect((await host.run(["contract", "apply", file])).code).toBe(0);
    await host.run(["contract", "evaluate", "planned"]);
    expect((await host.run(["contract", "plan", "planned"])).stdout).toContain("planned  stays in good");
    const worse = (await host.run(["contract", "plan", "planned", "--set", "lag=50", "--set", "mode:=x"])).stdout;
    expect(worse).toBe(
      `planned  good -> poor
decided by
  lag=50 mode="x"
handlers
  *->poor
actions, in their order
  configure {"channel":"planned.frames","patch":{"delivery":{"ttlMs":70}}}
  set {"planned.mode":"eco"}
what would be in force of channel planned.frames
  delivery.ttlMs  - -> 70
`,
    );
    await writeFile(file, text("unbind: { channel: gone, stage: in }"));
    const refused = (await host.run(["contract", "plan", file, "--set", "lag=50"])).stdout;
    expect(refused).toMatch(/channel gone\n {2}cannot be: .*\[channel_unknown\]/s);
    const json = (await host.run(["contract", "plan", "planned", "--json"])).stdout;
    expect(JSON.parse(json)).toMatchObject({ path: { from: ["good"], to: ["good"] } });
    const wrong = await host.run(["contract", "plan", "planned", "--set", "nothing=1"]);
    expect([wrong.code, wrong.stderr]).toEqual([1, expect.stringContaining('does not ask for "nothing"')]);
    expect((await host.run(["contract", "plan", "none"])).stderr).toContain('no contract "none"');
    expect((await host.run(["contract", "plan", "./none"])).stderr).toContain("cannot read ./none");
  });

  test("fits its width, and lets nobody steer the terminal", () => {
    const plan: PlanLike = {
      path: { from: ["a"], to: ["b"] },
      status: "no_region",
      handlers: ["h".repeat(200)],
      actions: [{ callback: "c\u001b[2J", data: { long: "text ".repeat(60) }, mode: "async" }],
      governs: [
        { kind: "inbox", name: "i", changes: [{ field: "f".repeat(90), from: "x".repeat(90), to: null }] },
        { kind: "channel", name: "c", changes: [], problem: { code: "contradiction", detail: "d ".repeat(90) } },
      ],
      snapshot: Object.fromEntries(Array.from({ length: 40 }, (_, index) => [`condition${index}`, index])),
    };
    for (const width of [40, 80]) {
      const lines = linesFromPlan("planned", plan, createStyle(false), width);
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
      expect(lines.join("\n")).not.toContain("\u001b");
    }
  });
});

describe("a contract as a tree", () => {
  const contract: ContractLike = {
    name: "c".repeat(60),
    regions: [
      { name: "r".repeat(64), when: `p99 < ${"1".repeat(90)}`, select: "max", regions: [{ name: "in", when: "p99" }] },
    ],
    path: ["r".repeat(64), "in"],
    status: "no_region",
    hits: {},
    triggers: 1_234_567,
    evaluations: 2,
    failures: 1,
    lastFailure: { action: "set", code: "invalid_value", detail: `Cannot \u001b[2J ${"long ".repeat(40)}` },
    snapshot: { p99: "x".repeat(200), other: null },
    warnings: ["w ".repeat(100)],
  };

  test("fits its width, and lets nobody steer the terminal", () => {
    for (const width of [40, 80]) {
      const lines = linesFromContract(contract, undefined, createStyle(false), width);
      for (const line of lines.slice(1)) expect(line.length).toBeLessThanOrEqual(width);
      expect(lines.join("\n")).not.toContain("\u001b");
    }
  });

  test("says why", () => {
    expect(whyText({ region: "a/b", when: "x > 1", values: { x: 2, y: "t" } })).toBe(
      'since a/b holds: x > 1 with x=2 y="t"',
    );
  });
});
