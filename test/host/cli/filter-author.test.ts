/** `sluice filter init·build·check·test`, as an author uses them: real processes, no host. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "./sluice.ts";

let place: string;
beforeAll(() => {
  place = mkdtempSync(join(tmpdir(), "filter-author-"));
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

/** Runs `sluice filter …`. */
const filter = (...args: string[]) => run(["filter", ...args]);

describe("sluice filter init", () => {
  test("makes a folder that builds, is checked and tested", async () => {
    const folder = join(place, "first");
    expect(await filter("init", folder)).toMatchObject({ code: 0, stderr: "" });
    const built = await filter("build", folder);
    expect(built).toMatchObject({ code: 0, stderr: "" });
    expect(built.stdout).toMatch(/built .*first\.wasm[\s\S]*hooks +out[\s\S]*sinkAttrs +load/);
    const module = join(folder, "build/first.wasm");
    expect(await WebAssembly.compile(readFileSync(module))).toBeInstanceOf(WebAssembly.Module);
    const checked = await filter("check", module, "--json");
    expect(JSON.parse(checked.stdout)).toMatchObject({ name: "first", hooks: ["out", "init"] });
    const tested = await filter("test", module, "--json");
    expect(tested).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(tested.stdout.split("\n")[0] ?? "")).toMatchObject({ got: ["idle"], isRight: true });
  });

  test.each(["reply-once", "rate-limiter", "sampler", "sequence-gap"])(
    "begins with the sample %s, which does what its events expect",
    async (template) => {
      const folder = join(place, template);
      await filter("init", folder, "--template", template);
      const { code, stdout, stderr } = await filter("test", folder);
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      expect(stdout).toMatch(/events, all as expected/);
    },
  );

  test("writes over nothing, and knows its templates", async () => {
    const folder = join(place, "taken");
    await filter("init", folder);
    writeFileSync(join(folder, "filter.ts"), "mine");
    const again = await filter("init", folder);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/is there already; nothing was written/);
    expect(readFileSync(join(folder, "filter.ts"), "utf8")).toBe("mine");
    const unknown = await filter("init", join(place, "other"), "--template", "nope");
    expect(unknown.stderr).toMatch(/no template "nope"; there are least-loaded, rate-limiter/);
    expect(existsSync(join(place, "other"))).toBe(false);
  });
});

describe("sluice filter test", () => {
  const folder = (): string => join(place, "first");

  test("ends with 1 where an event goes elsewhere, and says who was expected", async () => {
    const events = join(place, "wrong.json");
    writeFileSync(
      events,
      JSON.stringify({ sinks: [{ name: "a" }, { name: "b" }], events: [{ event: { type: "t" }, expect: ["a"] }] }),
    );
    const { code, stdout } = await filter("test", folder(), "--events", events);
    expect(code).toBe(1);
    expect(stdout).toMatch(/no +t +[\d,]+ +a, b, expected a/);
    expect(stdout).toMatch(/1 not as expected/);
  });

  // Each of them is compiled.
  test("ends with 1 where the module fails, and says how, whoever gets the event then", {
    timeout: 60_000,
  }, async () => {
    const failing = join(place, "failing");
    await filter("init", failing);
    const source = readFileSync(join(failing, "filter.ts"), "utf8");
    const events = join(place, "everyone.json");
    const event = { event: { type: "t", attributes: { kind: "request" } } };
    writeFileSync(
      events,
      JSON.stringify({ sinks: [{ name: "a" }], events: [{ ...event, expect: ["a"] }, event, event, event] }),
    );
    for (const [code, why] of [
      ["unreachable();", /event 1 made it fail, onError decided: It trapped: .*unreachable/],
      ["while (true) {}", /event 2 made it fail, onError decided: It used up its fuel/],
      [
        'throw new Error("no such luck");',
        /event 3 made it fail, onError decided: It aborted: no such luck \(.*filter\.ts:\d+/,
      ],
    ] as const) {
      writeFileSync(join(failing, "filter.ts"), source.replace("let chosen", `${code} let chosen`));
      const tested = await filter("test", failing, "--events", events);
      expect(tested.code).toBe(1);
      expect(tested.stdout).toMatch(why);
      expect(tested.stdout).toMatch(/event 4 made it fail, onError decided: It failed too often before/);
      expect(tested.stdout).toMatch(/4 events, 4 not as expected/);
    }
  });

  test.each([
    ["no sinks", { events: [] }, /"sinks" must be a list/],
    ["a field that is none", { sinks: [], events: [], sink: 1 }, /"sink" is not known/],
    [
      "an expectation of nobody known",
      { sinks: [], events: [{ event: { type: "t" }, expect: ["x"] }] },
      /"x", which is no sink/,
    ],
    ["an event that is none", { sinks: [], events: [{ event: { data: 1 } }] }, /type/],
    ["time that goes back", { sinks: [], events: [{ event: { type: "t" }, afterMs: -1 }] }, /afterMs is -1/],
  ])("refuses %s", async (_name, events, why) => {
    const file = join(place, "events.json");
    writeFileSync(file, JSON.stringify(events));
    const { code, stderr } = await filter("test", folder(), "--events", file);
    expect(code).toBe(1);
    expect(stderr).toMatch(why);
  });
});

describe("sluice filter check", () => {
  test("gives every reason to refuse what is no filter", async () => {
    const file = join(place, "empty.wasm");
    writeFileSync(file, new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]));
    const { code, stderr } = await filter("check", file);
    expect(code).toBe(1);
    expect(stderr).toMatch(/memory[\s\S]*sluice_arena|sluice_arena[\s\S]*memory/);
  });

  test("names settings that are none", async () => {
    const folder = join(place, "settings");
    await filter("init", folder);
    writeFileSync(join(folder, "filter.json"), '{ "onErorr": "drop" }');
    expect((await filter("check", folder)).stderr).toMatch(/"onErorr" is not known; there are name, onError/);
  });
});
