/**
 * Goal: a host starts with one ready line, refuses what it must by name, and goes down in order.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type Running, type RunningHost, run, start, startHost, stopHost } from "./sluice.ts";

let hosts: Running[] = [];
afterEach(async () => {
  await Promise.all(hosts.map(stopHost));
  hosts = [];
});

async function host(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<RunningHost> {
  const running = await startHost(args, { env });
  hosts.push(running);
  return running;
}

/** Connects and gives what the other side does first. */
function touch(address: string): Promise<"open" | "refused"> {
  const [name = "", port = ""] = address.replace("http://", "").split(":");
  return new Promise((resolve) => {
    const socket = connect(Number(port), name);
    socket.on("connect", () => {
      socket.destroy();
      resolve("open");
    });
    socket.on("error", () => resolve("refused"));
  });
}

describe("sluice serve", () => {
  test("hands the service clock to tests where SLUICE_TEST_CONTROLS is 1, and says so; else there is no such route", async () => {
    const advance = (url: string): Promise<Response> =>
      fetch(`${url}/v1/test/clock`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: '{"advanceMs":250}',
      });
    const [controlled, plain] = await Promise.all([
      host([], { SLUICE_TEST_CONTROLS: "1" }),
      host([], { SLUICE_TEST_CONTROLS: "0" }),
    ]);
    expect(await (await advance(controlled.url)).json()).toEqual({ nowMs: 250, timers: 0 });
    expect((await advance(plain.url)).status).toBe(404);
    expect((await controlled.stop()).stderr).toContain("test controls");
  });

  test("prints exactly one line, with the URLs it can be reached at", async () => {
    const running = await host();
    const answer = (await (await fetch(`${running.url}/v1/info`)).json()) as { version: string };
    expect(answer.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(await touch(running.tcp)).toBe("open");
    const { code, stdout, stderr } = await running.stop();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^sluice \S+ is ready at http:\/\/127\.0\.0\.1:\d+ and tcp:\/\/127\.0\.0\.1:\d+\n$/);
    expect(stderr).toBe("");
  });

  test.each(["SIGTERM", "SIGINT"] as const)(
    "drains on %s: tells its clients, closes its ports, exits with 0",
    async (signal) => {
      const running = await host();
      const sub = running.start(["sub", "drained"]);
      hosts.push(sub);
      await sub.until("stderr", /subscribed to drained/);
      expect((await running.stop(signal)).code).toBe(0);
      await sub.until("stderr", /the host is shutting down; trying again in/);
      expect(await touch(running.url)).toBe("refused");
      expect(await touch(running.tcp)).toBe("refused");
    },
  );

  test("takes flags over the environment over the defaults", async () => {
    const running = start(["serve", "--listen", "127.0.0.1:0", "--tcp", "off"], {
      env: { SLUICE_LISTEN: "127.0.0.1:1", SLUICE_TCP: "127.0.0.1:2" },
    });
    hosts.push(running);
    await running.until("stdout", /^sluice \S+ is ready at http:\/\/127\.0\.0\.1:\d+\n$/);
    const second = start(["serve"], { env: { SLUICE_LISTEN: "127.0.0.1:0", SLUICE_TCP: "127.0.0.1:0" } });
    hosts.push(second);
    await second.until("stdout", /tcp:\/\/127\.0\.0\.1:\d+/);
  });

  test.each(["--listen", "--tcp"])("names the port of %s where it is taken, and exits with 1", async (flag) => {
    const running = await host();
    const taken = flag === "--tcp" ? running.tcp : running.url.replace("http://", "");
    const other = flag === "--tcp" ? "--listen" : "--tcp";
    const { code, stdout, stderr } = await run(["serve", flag, taken, other, "127.0.0.1:0"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(new RegExp(`^sluice: .*${taken.replaceAll(".", "\\.")}.* is in use`));
  });

  test("refuses an address that others can reach without credentials, and says how to insist", async () => {
    const { code, stdout, stderr } = await run(["serve", "--listen", "0.0.0.0:0", "--tcp", "off"]);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toContain("0.0.0.0");
    expect(stderr).toContain("--insecure");
    const tcp = await run(["serve", "--listen", "127.0.0.1:0", "--tcp", "0.0.0.0:0"]);
    expect(tcp.code).toBe(1);
    expect(tcp.stderr).toContain("0.0.0.0");
  });

  test("lets pages of an --origin in, under the name of that origin", async () => {
    const host = await startHost(["--origin", "https://app.example.org", "--origin", "https://b.example.org"]);
    try {
      for (const origin of ["https://app.example.org", "https://b.example.org"]) {
        const answer = await fetch(`${host.url}/v1/info`, { headers: { origin } });
        expect(answer.headers.get("access-control-allow-origin")).toBe(origin);
      }
      const foreign = await fetch(`${host.url}/v1/info`, { headers: { origin: "https://c.example.org" } });
      expect(foreign.status).toBe(403);
    } finally {
      await stopHost(host);
    }
  });

  test("counts requests by address where --client-requests says so, or its variable", async () => {
    const host = await startHost([], { env: { SLUICE_CLIENT_REQUESTS: "1", SLUICE_ORIGIN: "https://a,https://b" } });
    try {
      const statuses = [];
      for (let count = 0; count < 3; count += 1) statuses.push((await fetch(`${host.url}/v1/info`)).status);
      expect(statuses).toContain(429);
    } finally {
      await stopHost(host);
    }
  });

  test("takes such an address under --insecure", async () => {
    const running = start(["serve", "--listen", "0.0.0.0:0", "--tcp", "off", "--insecure"]);
    hosts.push(running);
    await running.until("stdout", /is ready at http:\/\/0\.0\.0\.0:\d+/);
    expect((await running.stop()).code).toBe(0);
  });

  test("refuses memory that is too small by value and limit", async () => {
    const { code, stderr } = await run(["serve", "--listen", "127.0.0.1:0", "--memory", "1MiB"]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/1048576 bytes.*at least \d+.*memory_too_small/);
  });

  test("keeps channels and its identity in --data, and moves to a later epoch", async () => {
    const data = mkdtempSync(join(tmpdir(), "sluice-"));
    try {
      const first = await host(["--data", join(data, "new", "folder")]);
      await first.run(["channel", "create", "kept", "--type", "a", "--late", "drop"]);
      const before = (await (await fetch(`${first.url}/v1/info`)).json()) as Record<string, unknown>;
      expect((await first.stop()).code).toBe(0);
      const second = await host(["--data", join(data, "new", "folder")]);
      const after = (await (await fetch(`${second.url}/v1/info`)).json()) as Record<string, unknown>;
      expect(JSON.parse((await second.run(["channel", "show", "kept", "--json"])).stdout)).toMatchObject({
        types: ["a"],
        delivery: { late: "drop" },
      });
      expect(after["host"]).toBe(before["host"]);
      expect(Number(after["epoch"])).toBeGreaterThan(Number(before["epoch"]));
    } finally {
      rmSync(data, { recursive: true });
    }
  });

  test("--host-load publishes this machine's real load every second", async () => {
    const running = await host(["--host-load"]);
    const { code, stdout } = await running.run(["sub", "host.load", "--count", "2", "--json"]);
    expect(code).toBe(0);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, Record<string, number>>);
    expect(events).toHaveLength(2);
    for (const { type, attributes, data } of events) {
      expect(type).toBe("host.load");
      expect(attributes?.["cpu"]).toBeGreaterThanOrEqual(0);
      expect(attributes?.["cpu"]).toBeLessThanOrEqual(1);
      expect(data?.["memoryUsedBytes"]).toBeGreaterThan(1e6);
    }
    const times = events.map((event) => Date.parse(String(event["time"])));
    expect(Number(times[1]) - Number(times[0])).toBeGreaterThan(500);
  });

  test("ends at once at a second signal", async () => {
    const running = await host();
    // A client that neither reads nor closes keeps a drain busy.
    const [name = "", port = ""] = running.tcp.split(":");
    const socket = connect(Number(port), name);
    socket.on("error", () => undefined);
    await new Promise((resolve) => socket.on("connect", resolve));
    socket.pause();
    running.child.kill("SIGTERM");
    running.child.kill("SIGTERM");
    const { code, signal } = await running.finished;
    socket.destroy();
    // Two signals at once may arrive as one; then the drain itself ended it, with 0.
    expect([0, 130]).toContain(code);
    expect(signal).toBeNull();
  });
});
