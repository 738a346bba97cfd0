import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Running, type RunningHost, startHost, stopHost } from "./sluice.ts";

describe("sluice cancel", () => {
  let host: RunningHost;
  let subscriber: Running;

  beforeAll(async () => {
    host = await startHost();
    subscriber = host.start(["sub", "c", "--json"]);
    await subscriber.until("stderr", /subscribed/);
  });
  afterAll(async () => {
    await subscriber.stop();
    await stopHost(host);
  });

  test("says how many were withdrawn and told, and those who began are", async () => {
    await host.run(["pub", "c", "--key", "r-1", "-q", "work"]);
    await subscriber.until("stdout", /"key":"r-1"/);
    const { code, stdout } = await host.run(["cancel", "c", "r-1"]);
    expect([code, stdout]).toEqual([0, "0 withdrawn, 1 told\n"]);
    await subscriber.until("stdout", /"type":"cancel"/);
    const json = await host.run(["cancel", "c", "r-1", "--at", "2020-01-01T00:00:00Z", "--json"]);
    expect(JSON.parse(json.stdout)).toEqual({ withdrawn: 0, forwarded: 0 });
  });

  test("exits 1 with the reason where it is refused, 2 without a key", async () => {
    const unknown = await host.run(["cancel", "nowhere", "k"]);
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain("nowhere");
    expect((await host.run(["cancel", "c"])).code).toBe(2);
  });
});
