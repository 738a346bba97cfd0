import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningHost, start, startHost, stopHost } from "./sluice.ts";

let host: RunningHost;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => stopHost(host));

describe("sluice bench", () => {
  const small = ["--events", "20000", "--rate", "500", "--seconds", "1"];

  test("counts every delivery and leaves nothing behind", async () => {
    const { code, stdout, stderr } = await host.run(["bench", ...small, "--sinks", "3", "--json"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const result = JSON.parse(stdout) as Record<string, number>;
    expect(result).toMatchObject({ events: 20_000, sinks: 3, dataBytes: 100, lost: 0 });
    expect(result["deliveriesPerSecond"]).toBeGreaterThan(10_000);
    expect(result["latencyP50Ms"]).toBeGreaterThan(0);
    expect(result["latencyP99Ms"]).toBeGreaterThanOrEqual(Number(result["latencyP50Ms"]));
    expect(result["latencyMaxMs"]).toBeGreaterThanOrEqual(Number(result["latencyP99Ms"]));
    expect((await host.run(["channel", "ls", "--json"])).stdout).toBe("");
  });

  test("is readable without --json and leaves a channel of somebody else alone", async () => {
    await host.run(["channel", "create", "theirs"]);
    const { stdout } = await host.run(["bench", ...small, "--bytes", "1KiB", "--channel", "theirs"]);
    expect(stdout).toMatch(
      /^events +20,000 of 1,024 B to 1 sink in \d+\.\d\d s\npublished +[\d,]+ per second\ndelivered +[\d,]+ per second\nlatency +p50 .* ms, p99 .* ms, max .* ms at 500 events per second\nlost +nothing\n$/,
    );
    expect((await host.run(["channel", "show", "theirs"])).code).toBe(0);
  });

  test("says what is missing where the host has no TCP port", async () => {
    const bare = start(["serve", "--listen", "127.0.0.1:0", "--tcp", "off"]);
    try {
      const [, url = ""] = await bare.until("stdout", /(http:\/\/\S+)/);
      const { code, stderr } = await host.run(["bench", ...small], { env: { SLUICE_URL: url } });
      expect(code).toBe(1);
      expect(stderr).toMatch(/has no TCP port; start it with --tcp/);
    } finally {
      await stopHost(bare);
    }
  });

  test("ends with 1 where something else answers on the TCP port", async () => {
    const { code, stderr } = await host.run(["bench", ...small, "--tcp", new URL(host.url).host]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^sluice: [^\n]+\n$/);
  });
});
