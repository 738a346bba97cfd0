/**
 * Goal: the life of a channel from the command line, for people (tables that fit) and for programs (JSON).
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningHost, startHost, stopHost } from "./sluice.ts";

let host: RunningHost;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => stopHost(host));

describe("sluice channel", () => {
  test("creates, shows, updates and removes", async () => {
    const create = await host.run([
      "channel",
      "create",
      "orders",
      "--type",
      "order.placed",
      "--type",
      "order.cancelled",
      "--ttl",
      "5000",
      "--late",
      "drop",
      "--no-echo",
    ]);
    expect(create).toMatchObject({ code: 0, stdout: "created orders\n", stderr: "" });
    const show = async (): Promise<unknown> =>
      JSON.parse((await host.run(["channel", "show", "orders", "--json"])).stdout);
    expect(await show()).toMatchObject({
      name: "orders",
      types: ["order.placed", "order.cancelled"],
      source: "many",
      echo: false,
      delivery: { priority: 4, ttlMs: 5000, late: "drop" },
    });
    expect(
      (await host.run(["channel", "update", "orders", "--ttl", "none", "--priority", "7", "--any-type"])).stdout,
    ).toBe("updated orders\n");
    expect(await show()).toMatchObject({
      types: [],
      echo: false,
      delivery: { priority: 7, ttlMs: null, late: "drop" },
    });
    const text = (await host.run(["channel", "show", "orders"])).stdout;
    expect(text).toMatch(/^orders\n/);
    expect(text).toMatch(/ttl +none/);
    expect((await host.run(["channel", "rm", "orders"])).stdout).toBe("removed orders\n");
    const gone = await host.run(["channel", "show", "orders"]);
    expect(gone.code).toBe(1);
    expect(gone.stderr).toMatch(/^sluice: .*orders.*sluice channel ls/);
  });

  test("a window is set, shown and taken away again", async () => {
    await host.run(["channel", "create", "video", "--window", "1/4@12.5"]);
    expect((await host.run(["channel", "show", "video"])).stdout).toMatch(
      /\n +window +a deadline every 12\.5 ms, 1 of 4 may be missed\n/,
    );
    await host.run(["channel", "update", "video", "--window", "none"]);
    expect((await host.run(["channel", "show", "video"])).stdout).toMatch(/\n +window +none\n/);
  });

  test("create refuses a channel that exists and changes nothing", async () => {
    await host.run(["channel", "create", "twice", "--priority", "2"]);
    const again = await host.run(["channel", "create", "twice", "--priority", "8"]);
    expect(again.code).toBe(1);
    expect(again.stderr).toMatch(/twice/);
    expect(JSON.parse((await host.run(["channel", "show", "twice", "--json"])).stdout)).toMatchObject({
      delivery: { priority: 2 },
    });
  });

  test("takes names with a slash", async () => {
    expect((await host.run(["channel", "create", "plant/1/temp"])).stdout).toBe("created plant/1/temp\n");
    expect((await host.run(["channel", "rm", "plant/1/temp", "--json"])).stdout).toBe(
      '{"name":"plant/1/temp","removed":true}\n',
    );
  });

  test("tells value and limit of a name that cannot be one", async () => {
    const { code, stderr } = await host.run(["channel", "create", "a".repeat(256)]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/255.*\[channel_name\]/);
  });
});

describe("sluice channel ls", () => {
  const long = `${"long.".repeat(40)}name`;
  beforeAll(async () => {
    await host.run([
      "channel",
      "create",
      long,
      ...Array.from({ length: 10 }, (_, index) => ["--type", `type.number.${index}`]).flat(),
    ]);
    await host.run(["pub", "counted", "-"], { input: "1\n2\n3\n" });
  });

  test.each([{ columns: 80 }, { columns: 200 }])("fits $columns columns and keeps its figures", async ({ columns }) => {
    const { stdout } = await host.run(["channel", "ls"], { env: { COLUMNS: String(columns) } });
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^CHANNEL +SINKS +SOURCES +EVENTS +TYPES/);
    expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(columns);
    expect(lines.find((line) => line.startsWith("counted"))).toMatch(/^counted +0 +\d +3 +any$/);
    expect(lines.some((line) => line.startsWith("long.long."))).toBe(true);
  });

  test("--json gives one resource per line, of every page", async () => {
    for (let index = 0; index < 130; index += 1) {
      await fetch(`${host.url}/v1/channels/page.${index}`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: "{}",
      });
    }
    const { stdout } = await host.run(["channel", "ls", "--json"]);
    const names = stdout
      .trim()
      .split("\n")
      .map((line) => (JSON.parse(line) as { name: string }).name);
    expect(names.filter((name) => name.startsWith("page."))).toHaveLength(130);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toContain(long);
  });

  test("says what to do where there is none", async () => {
    const empty = await startHost();
    try {
      expect((await empty.run(["channel", "ls"])).stdout).toMatch(
        /^no channels yet; make one: sluice channel create NAME/,
      );
      expect((await empty.run(["channel", "ls", "--json"])).stdout).toBe("");
    } finally {
      await stopHost(empty);
    }
  });
});
