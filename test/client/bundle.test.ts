/** The client as it is packed: what each runtime gets, and that it stays small and alone where browsers load it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { transform } from "esbuild";
import { describe, expect, test } from "vitest";
import { root } from "../docs-blocks.ts";
import { startHost } from "../host/support/host.ts";

/** Bytes that a page loads, minified and not compressed. */
const BROWSER_BYTES_MAX = 40_000;

const textOf = (name: string): string => readFileSync(join(root, "dist", name), "utf8");

describe("sluice/client", () => {
  test(`takes at most ${BROWSER_BYTES_MAX} bytes in a browser, and nothing from elsewhere`, async () => {
    const { code } = await transform(textOf("client.js"), { minify: true, format: "esm" });
    expect(code.length).toBeLessThanOrEqual(BROWSER_BYTES_MAX);
    expect(code).not.toMatch(/\bimport\b|\brequire\(/);
  });

  test("gives every runtime the same names", async () => {
    const entries = await Promise.all(["index", "node", "native"].map((name) => import(`../../client/${name}.ts`)));
    expect(new Set(entries.map((entry) => Object.keys(entry).sort().join())).size).toBe(1);
    expect(Object.keys(entries[0]).sort()).toEqual(["SluiceError", "connect", "isSluiceError"]);
  });

  test.each(["node", "native"])("speaks TCP on %s: small, large and many", async (name) => {
    const { tcpPort } = await startHost();
    const { connect } = (await import(`../../client/${name}.ts`)) as typeof import("../../client/node.ts");
    const client = await connect(`tcp://127.0.0.1:${tcpPort}`);
    const channel = client.channel<string>("c");
    const stream = channel.subscribe();
    await stream.ready;
    const data = ["", "x".repeat(900_000), ...Array.from({ length: 2_000 }, (_, n) => String(n))];
    await channel.publish(data.map((one) => ({ type: "t", data: one })));
    const got: unknown[] = [];
    for await (const event of stream) if (got.push(event.data) === data.length) break;
    expect(got).toEqual(data);
    await client.close();
  });

  test("says on a runtime without WebSockets what it wants", async () => {
    const { connectWith } = await import("../../client/client.ts");
    const connecting = connectWith({ WebSocket: undefined, carriers: {} }, "http://127.0.0.1:7480");
    await expect(connecting).rejects.toThrow(/options\.WebSocket/);
  });
});
