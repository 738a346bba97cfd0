/** `sluice filter`: modules from file to host and back, against a host that looks at them in a worker and keeps them on disk. */
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { digestOf, type ModuleOptions, moduleWith } from "../filter/registry/modules.ts";
import { connectTo } from "../support/client.ts";
import { until } from "../support/until.ts";
import { type RunningHost, startHost, stopHost } from "./sluice.ts";

let folder: string;
let host: RunningHost;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "sluice-filter-"));
  host = await startHost(["--data", join(folder, "data")]);
});
afterAll(async () => {
  await stopHost(host);
  await rm(folder, { recursive: true });
});

/** Writes a module where it can be uploaded from. */
async function fileOf(name: string, options: ModuleOptions = {}): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, moduleWith(options));
  return file;
}

/** The beginning of a digest, as people see it. */
const short = (options: ModuleOptions = {}): string => digestOf(moduleWith(options)).slice(7, 15);

const filter = (...args: string[]) => host.run(["filter", ...args], { env: { COLUMNS: "80" } });

describe("sluice filter", () => {
  test("pushes, binds, shows, rolls back and removes", async () => {
    expect((await filter("ls")).stdout).toMatch(/^no filter modules yet/);
    const one = await fileOf("picky.wasm", { salt: 1 });
    const pushed = await filter("push", one);
    expect(pushed).toMatchObject({ code: 0, stderr: "" });
    expect(pushed.stdout).toMatch(new RegExp(`^uploaded picky version 1 \\(${short({ salt: 1 })}\\), \\d+ bytes`));
    const two = await fileOf("two.wasm", { salt: 2 });
    expect((await filter("push", "picky", two)).stdout).toMatch(/^uploaded picky version 2/);
    expect((await filter("push", "picky", two)).stdout).toMatch(/^already there: picky version 2/);

    await host.run(["channel", "create", "jobs"]);
    const bound = await host.run(["channel", "filter", "jobs", "out", "--module", "picky@1", "--config", '{"n":2}']);
    expect(bound.stdout).toBe(`bound the out filter of jobs\n  module picky@${short({ salt: 1 })}\n`);
    const resource = await host.run(["channel", "filter", "jobs", "out", "--json"]);
    expect(JSON.parse(resource.stdout)).toMatchObject({ digest: digestOf(moduleWith({ salt: 1 })), config: { n: 2 } });

    const shown = (await filter("show", "picky")).stdout;
    expect(shown).toMatch(new RegExp(`^picky version 2 \\(${short({ salt: 2 })}\\)\n`));
    expect(shown).toMatch(/ bound +out filter of channel jobs\n/);
    expect(shown).toMatch(/\n +2 .* current\n +1 [^\n]*\d\n$/);
    expect(shown.split("\n").every((line) => line.length <= 80)).toBe(true);

    const inUse = await filter("rm", "picky@1");
    expect(inUse).toMatchObject({ code: 1 });
    expect(inUse.stderr).toMatch(
      /^sluice: cannot remove version 1 .*channel jobs \[filter_in_use\]; take it away with: .*\n$/,
    );
    expect((await filter("rollback", "picky")).stdout).toBe(`rolled back picky to version 1 (${short({ salt: 1 })})\n`);
    expect((await filter("logs", "picky")).stdout).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} {2}warn {3}v2 {2}Rolled back to version 1/,
    );
    expect((await filter("rollback", "picky", short({ salt: 2 }))).stdout).toMatch(/to version 2/);
    await host.run(["channel", "filter", "jobs", "out", "--none"]);
    expect((await filter("rm", "picky@1", "picky")).stdout).toBe("removed picky@1\nremoved picky\n");
    expect(await readdir(join(folder, "data", "filters"))).toEqual([]);
  });

  test("puts a manifest into the module, and says everything that is wrong with both", async () => {
    const module = await fileOf("plain.wasm");
    const good = join(folder, "good.json");
    await writeFile(good, '{"attrs":["load"]}');
    const { stdout } = await filter("push", "listed", module, "--manifest", good, "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      attrs: ["load"],
      digest: digestOf(moduleWith({ manifest: { attrs: ["load"] } })),
    });
    const row = (await filter("ls")).stdout.split("\n")[1];
    expect(row).toMatch(/^listed +1 +[0-9a-f]{8} +out +\d+ +0 +\d{4}-\d\d-\d\d \d\d:\d\d$/);
    const bad = join(folder, "bad.json");
    await writeFile(bad, '{"attrs":["LOAD"],"payload":"some"}');
    const refused = await filter("push", "listed", module, "--manifest", bad);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /^sluice: cannot take the module, 2 things .*\[module_refused\]\n {2}- .*LOAD.*\n {2}- .*some/,
    );
  });

  test.each<[string[], number, RegExp]>([
    [["push", "x"], 2, /say which file/],
    [["push", "x", "/nonexistent.wasm"], 1, /cannot read \/nonexistent\.wasm/],
    [["show", "nobody"], 1, /\[filter_unknown\].*sluice filter ls/],
    [["rm", "nobody@zz"], 2, /is no version/],
    [["rollback", "nobody"], 1, /\[filter_unknown\]/],
  ])("%j is refused in a line", async (args, code, line) => {
    const refused = await filter(...args);
    expect(refused.stderr).toMatch(line);
    expect(refused.stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(refused.code).toBe(code);
  });

  test("finds modules and bindings again after a restart", async () => {
    for (const salt of [5, 6]) await filter("push", "kept", await fileOf("kept.wasm", { salt }));
    await host.run(["channel", "create", "c"]);
    await host.run(["channel", "filter", "c", "out", "--module", "kept"]);
    await filter("rollback", "kept");
    await host.stop("SIGKILL");
    host = await startHost(["--data", join(folder, "data")]);
    const shown = (await filter("show", "kept")).stdout;
    expect(shown).toContain(`kept version 1 (${short({ salt: 5 })})`);
    expect(shown).toContain("out filter of channel c\n");
    expect((await filter("rm", "kept")).stderr).toMatch(/\[filter_in_use\]/);
    expect((await host.run(["channel", "filter", "c", "out"])).stdout).toMatch(/module kept\n/);
  });

  test("decides after a restart by what was bound before: by name, by digest, by template, beside routes", async () => {
    const put = (path: string, body: object): Promise<Response> =>
      fetch(`${host.url}/v1/${path}`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
    const [all, nobody] = [
      { salt: 7, hooks: ["in", "out"] } as const,
      { salt: 8, hooks: ["in", "out"], decision: "drop" } as const,
    ];
    for (const options of [all, nobody]) await filter("push", "either", await fileOf("either.wasm", options));
    const digest = digestOf(moduleWith(all));
    await put("channels/by-name", { filters: { out: { module: "either" } } });
    await put("channels/by-digest", { filters: { out: { module: "either", digest }, in: { route: { limit: 1 } } } });
    await put("templates/both", {
      pattern: "both.*",
      filters: { out: { route: { limit: 1 } }, in: { module: "either" } },
    });
    await put("channels/twice", { filters: { out: { module: "either", digest }, in: { module: "either", digest } } });
    const channels = ["by-name", "by-digest", "both.a", "twice"];
    /** How many of two sinks get an event, by channel. */
    const told = async (): Promise<number[]> => {
      const address = { httpPort: Number(new URL(host.url).port), tcpPort: Number(host.tcp.split(":")[1]) };
      const sinks = [await connectTo(address, "tcp"), await connectTo(address, "tcp")];
      const source = await connectTo(address, "tcp");
      for (const channel of [...channels, "last"]) {
        for (const sink of sinks) await sink.join(channel);
        await source.publish(channel, { type: channel });
      }
      // What was published before has come before it.
      const hasAll = (): boolean => sinks.every(({ events }) => events.some(({ type }) => type === "last"));
      await until(hasAll, () => "the last event");
      const heard = sinks.flatMap(({ events }) => events.map(({ type }) => type));
      for (const client of [source, ...sinks]) client.end();
      return channels.map((channel) => heard.filter((one) => one === channel).length);
    };
    const before = await told();
    expect(before).toEqual([0, 1, 0, 2]);
    await host.stop("SIGKILL");
    host = await startHost(["--data", join(folder, "data")]);
    expect(await told()).toEqual(before);
    const { counters } = await (await fetch(`${host.url}/v1/filters/either`)).json();
    // Both stages of a channel share one.
    expect(counters).toMatchObject({ live: 4 });
    for (const version of [1, 2]) expect((await filter("rm", `either@${version}`)).stderr).toMatch(/\[filter_in_use\]/);
  });
});
