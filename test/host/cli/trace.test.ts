import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningHost, startHost, stopHost } from "./sluice.ts";

let host: RunningHost;
beforeAll(async () => {
  host = await startHost();
});
afterAll(() => stopHost(host));

describe("sluice trace", () => {
  test("publishes, and prints the stages within 80 columns", async () => {
    const subscriber = host.start(["sub", "c"]);
    await subscriber.until("stderr", /subscribed/);
    const { code, stdout } = await host.run(["trace", "c", "--type", "t", "--attr", "n=1"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^event +trace-\S+ on c$/m);
    expect(stdout).toMatch(/^queued +[\d.]+ ms, stored as 1, for 1 sinks$/m);
    expect(stdout).toMatch(/^INBOX +KIND +DRAINED +WRITTEN +ACKNOWLEDGED$/m);
    expect(stdout).toMatch(/^s\d+ +\S+ +[\d.]+ ms +[\d.]+ ms +-$/m);
    expect(stdout).toMatch(/^1 of 1 have it$/m);
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
    await subscriber.until("stdout", /n=1/);
    await subscriber.stop();
  });

  test("exits 1 where a sink does not have it in time, 2 for two events at once", async () => {
    const { id } = (await (await fetch(`${host.url}/v1/inboxes`, { method: "POST" })).json()) as { id: string };
    await fetch(`${host.url}/v1/inboxes/${id}/joins/d`, { method: "PUT" });
    const { code, stdout } = await host.run(["trace", "d", "--wait", "0", "--json"]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ channel: "d", sinks: 1, deliveries: [], complete: false });
    expect((await host.run(["trace", "d", "--event", "{}", "--data", "x"])).code).toBe(2);
  });
});
