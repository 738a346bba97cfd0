/** How a host begins and ends: ports, files, signals. Each test has processes of its own. */
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished } from "vitest";
import { codes } from "../../host/errors.ts";
import { connectTo } from "../host/support/client.ts";
import { type ConformanceHost, startOn } from "./process.ts";
import { subscribe } from "./sse.ts";
import type { Suite } from "./suite.ts";

const json = { "content-type": "application/json" };

/** Adds the tests. */
export function addLifeTests({ target, check }: Suite): void {
  const started = async (
    ...given: [args?: readonly string[], rights?: readonly string[]]
  ): Promise<ConformanceHost> => {
    const host = await startOn(target, ...given);
    onTestFinished(() => void host.child.kill("SIGKILL"));
    return host;
  };

  check("SIGTERM says goodbye on every carrier, closes the ports and exits with 0", async () => {
    const host = await started();
    await fetch(`${host.url}/v1/channels/c`, { method: "PUT", headers: json, body: "{}" });
    const clients = await Promise.all((["ws-json", "ws-proto", "tcp"] as const).map((kind) => connectTo(host, kind)));
    const reader = await subscribe(`${host.url}/v1/channels/c/events`);
    for (const client of clients) await client.join("c");
    const ended = host.stop("SIGTERM");
    for (const client of clients) expect(await client.take("drain")).toHaveProperty("retryMs");
    await reader.named("drain");
    expect((await clients[0]?.closed)?.code).toBe(codes.draining.close);
    expect(await ended).toMatchObject({ code: 0, stderr: "" });
    await expect(fetch(`${host.url}/health/live`)).rejects.toThrow();
    await expect(connectTo(host, "tcp")).rejects.toThrow(/ECONNREFUSED/);
  });

  check("state in --data survives a process that is killed", async () => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const first = await started(["--data", folder], target.dataArgs(folder));
    const made = await fetch(`${first.url}/v1/channels/kept`, {
      method: "PUT",
      headers: json,
      body: '{"types":["a"]}',
    });
    expect(made.status).toBe(201);
    const { host: id, epoch } = await (await fetch(`${first.url}/v1/info`)).json();
    await first.stop("SIGKILL");
    const second = await started(["--data", folder], target.dataArgs(folder));
    expect(await (await fetch(`${second.url}/v1/info`)).json()).toMatchObject({ host: id, epoch: epoch + 1 });
    expect(await (await fetch(`${second.url}/v1/channels/kept`)).json()).toMatchObject({ types: ["a"] });
    await second.stop();
  });

  check("a port in use is named, and an address that others reach is refused", async () => {
    const busy = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => busy.once("listening", resolve));
    onTestFinished(() => void busy.close());
    const address = busy.address();
    const port = typeof address === "object" ? address?.port : 0;
    await expect(startOn(target, ["--listen", `127.0.0.1:${port}`])).rejects.toThrow(`port ${port} is in use`);
    await expect(startOn(target, ["--tcp", `127.0.0.1:${port}`])).rejects.toThrow(`port ${port} is in use`);
    await expect(startOn(target, ["--listen", "0.0.0.0:0"])).rejects.toThrow("--insecure");
  });

  check("--host-load publishes this machine's load", async () => {
    const host = await started(["--host-load"]);
    const client = await connectTo(host, "ws-json");
    await client.join("host.load");
    const [sample] = await client.received(1);
    expect(JSON.parse(sample?.data ?? "")).toMatchObject({ cores: expect.any(Number) });
    await host.stop();
  });
}
