/**
 * Goal: a monitor tells what a real URL or file says, on the service clock, within bounds, and nothing that was not allowed.
 */
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createClocks } from "../../../host/clock.ts";
import { limits } from "../../../host/limits.ts";
import { createMonitorSources, type MonitorRules } from "../../../host/monitor/sources.ts";
import { createTestConditions, type TestConditions } from "./support.ts";

/** A server that answers as the test says. */
async function serve(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "sluice-monitor-"));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

function reading(rules: MonitorRules): TestConditions {
  const made = createTestConditions({ monitors: createMonitorSources(rules, createClocks().real) });
  onTestFinished(() => made.conditions.close());
  return made;
}

describe("a monitor of a URL", () => {
  test("tells what it says, each time that the service clock comes to it", async () => {
    let says = "0.25";
    let asked = 0;
    const url = await serve((_request, response) => {
      asked++;
      response.end(says);
    });
    const { put, value, clock, conditions } = reading({ urls: [url] });
    put("load", { kind: "monitor", url: `${url}/load?of=cpu`, pollMs: 1_000 });
    await vi.waitFor(() => expect(value("load")).toBe(0.25));
    const first = conditions.read("load").at;
    for (const [next, expected] of [
      ["true", true],
      ['"eco"', "eco"],
      [" -3e2\n", -300],
      ["+.5", 0.5],
    ] as const) {
      says = next;
      clock.advance(1_000);
      await vi.waitFor(() => expect(value("load")).toBe(expected));
    }
    expect([asked, conditions.read("load").at - first]).toEqual([5, 4_000]);
    conditions.remove("load");
    clock.advance(10_000);
    expect([asked, clock.waiting]).toEqual([5, 0]);
  });

  test.each<[string, RequestListener, string | RegExp]>([
    ["an error", (_request, response) => response.writeHead(503).end("9"), "answers 503"],
    [
      "a redirect",
      (_request, response) => response.writeHead(302, { location: "/elsewhere" }).end(),
      "redirects are not followed",
    ],
    ["a text that is no value", (_request, response) => response.end("load is high"), "neither a JSON number"],
    ["an object", (_request, response) => response.end('{"value":1}'), "neither a JSON number"],
    ["an infinite number", (_request, response) => response.end("1e999"), "beyond what can be said"],
    ["a long text", (_request, response) => response.end(JSON.stringify("x".repeat(1_025))), "limit is 1024"],
    ["too much", (_request, response) => response.end(" ".repeat(limits.monitorBytes + 1)), "more than 65536 bytes"],
    ["an answer without end", (_request, response) => endless(response), "more than 65536 bytes"],
    ["a broken connection", (request) => request.socket.destroy(), "cannot be reached"],
  ])("keeps its last value after %s, and says why", async (_what, fail, why) => {
    const asked: string[] = [];
    let isFine = true;
    const url = await serve((request, response) => {
      asked.push(request.url ?? "");
      if (isFine) response.end("7");
      else fail(request, response);
    });
    const { put, value, clock, conditions } = reading({ urls: [`${url}/`] });
    put("x", { kind: "monitor", url: `${url}/x`, pollMs: 100 });
    await vi.waitFor(() => expect(value("x")).toBe(7));
    const { at } = conditions.read("x");
    isFine = false;
    clock.advance(100);
    await vi.waitFor(() => expect(conditions.read("x").problem).toMatch(why));
    expect(conditions.read("x")).toMatchObject({ value: 7, at });
    isFine = true;
    clock.advance(100);
    await vi.waitFor(() => expect(conditions.read("x")).toMatchObject({ value: 7, problem: undefined }));
    expect(conditions.read("x").at).toBeGreaterThan(at);
    expect(new Set(asked)).toEqual(new Set(["/x"]));
  });

  test("that does not answer is asked once, however often it should be, and is over when the condition is", async () => {
    let asked = 0;
    let gone = false;
    const url = await serve((request) => {
      asked++;
      request.socket.once("close", () => {
        gone = true;
      });
    });
    const { put, clock, conditions } = reading({ urls: [url] });
    put("x", { kind: "monitor", url, pollMs: 100 });
    await vi.waitFor(() => expect(asked).toBe(1));
    for (let i = 0; i < 20; i++) clock.advance(100);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(asked).toBe(1);
    conditions.remove("x");
    await vi.waitFor(() => expect(gone).toBe(true));
  });

  test("that says nothing for too long has a problem, on the real clock", async () => {
    const url = await serve(() => {});
    let expire: (() => void) | undefined;
    const real = {
      ...createClocks().real,
      setTimer(run: () => void, delayMs: number) {
        expect(delayMs).toBe(limits.monitorMs);
        expire = run;
        return () => {};
      },
    };
    const { put, conditions } = createTestConditions({ monitors: createMonitorSources({ urls: [url] }, real) });
    put("x", { kind: "monitor", url });
    expire?.();
    await vi.waitFor(() => expect(conditions.read("x").problem).toBe(`says nothing for ${limits.monitorMs} ms`));
    conditions.close();
  });
});

describe("a monitor of a file", () => {
  test("tells what it says, and what it said when it is gone", async () => {
    const dir = await folder();
    await writeFile(join(dir, "level"), "12\n");
    const { put, value, clock, conditions } = reading({ paths: [dir] });
    put("level", { kind: "monitor", path: join(dir, "level"), pollMs: 500 });
    await vi.waitFor(() => expect(value("level")).toBe(12));
    await writeFile(join(dir, "level"), '"high"');
    clock.advance(500);
    await vi.waitFor(() => expect(value("level")).toBe("high"));
    await rm(join(dir, "level"));
    clock.advance(500);
    await vi.waitFor(() => expect(conditions.read("level").problem).toContain("ENOENT"));
    expect(value("level")).toBe("high");
  });

  test("is not read through a link that leads out, and only if it is a file", async () => {
    const dir = await folder();
    const outside = await folder();
    await writeFile(join(outside, "secret"), "42");
    await writeFile(join(dir, "large"), "1".repeat(limits.monitorBytes + 1));
    await mkdir(join(dir, "sub"));
    await symlink(join(outside, "secret"), join(dir, "link"));
    await symlink(outside, join(dir, "links"));
    const { put, value, conditions } = reading({ paths: [dir] });
    for (const [path, why] of [
      ["link", "leads out"],
      ["links/secret", "leads out"],
      ["sub", "is no file"],
      ["large", "more than 65536 bytes"],
    ] as const) {
      put("x", { kind: "monitor", path: join(dir, path) });
      await vi.waitFor(() => expect(conditions.read("x").problem).toContain(why));
      expect(value("x")).toBeUndefined();
    }
  });
});

describe("what was not allowed is refused when it is defined", () => {
  const rules = { urls: ["http://127.0.0.1:9/a/b", "https://example.org"], paths: ["/srv/readings"] };
  test.each([
    ["http://127.0.0.1:9/a/bc"],
    ["http://127.0.0.1:9/a/b/../c"],
    ["http://127.0.0.1:9/a/b/%2e%2e/c"],
    ["http://127.0.0.1:9/a/b/..%2fc"],
    ["http://127.0.0.1:90/a/b"],
    ["https://127.0.0.1:9/a/b"],
    ["https://example.org.evil.test/"],
    ["http://example.org/"],
    ["http://169.254.169.254/latest/meta-data"],
  ])("%s", (url) => {
    const { put, conditions } = reading(rules);
    expect(() => put("x", { kind: "monitor", url })).toThrow("--monitor-url");
    expect(conditions.count).toBe(0);
  });

  test.each([["/etc/passwd"], ["/srv/readings/../secret"], ["/srv/readings2/x"], ["/srv"]])("%s", (path) => {
    const { put, conditions } = reading(rules);
    expect(() => put("x", { kind: "monitor", path })).toThrow("--monitor-path");
    expect(conditions.count).toBe(0);
  });

  test("anything, where nothing is", () => {
    const { put } = reading({});
    expect(() => put("x", { kind: "monitor", url: "http://127.0.0.1/" })).toThrow("--monitor-url");
    expect(() => put("x", { kind: "monitor", path: "/srv/x" })).toThrow("--monitor-path");
  });
});

describe("what cannot be", () => {
  test.each([
    [{}, "one of url and path"],
    [{ url: "http://127.0.0.1/", path: "/x" }, "one of url and path"],
    [{ url: "ftp://127.0.0.1/" }, "http:// or https://"],
    [{ url: "http://user:secret@127.0.0.1/" }, "http:// or https://"],
    [{ url: "load" }, "http:// or https://"],
    [{ path: "readings/x" }, "must be absolute"],
    [{ url: "http://127.0.0.1/", pollMs: 1 }, "pollMs"],
    [{ url: `http://127.0.0.1/${"x".repeat(2_048)}` }, "url"],
  ])("%o", (definition, why) => {
    const { put } = reading({ urls: ["http://127.0.0.1"], paths: ["/"] });
    expect(() => put("x", { kind: "monitor", ...definition })).toThrow(why);
  });

  test("a rule that is none", () => {
    expect(() => reading({ urls: ["10.0.0.1"] })).toThrow("http:// or https://");
  });

  test("a source that the runtime cannot read", () => {
    const { url } = createMonitorSources({ urls: ["http://127.0.0.1"] }, createClocks().real);
    const { put } = createTestConditions({ monitors: { url } });
    expect(() => put("x", { kind: "monitor", path: "/x" })).toThrow("no monitors by path");
  });

  test("more than a host has, while one that is there may be defined otherwise", async () => {
    const dir = await folder();
    const { put } = reading({ paths: [dir] });
    const path = join(dir, "none");
    for (let i = 0; i < limits.monitors; i++) put(`m${i}`, { kind: "monitor", path });
    expect(() => put("another", { kind: "monitor", path })).toThrow(`limit is ${limits.monitors}`);
    put("m0", { kind: "monitor", path, pollMs: 100 });
  });
});

function endless(response: Parameters<RequestListener>[1]): void {
  const more = (): void => {
    while (response.write(" ".repeat(16_384)));
  };
  response.on("drain", more);
  more();
}
