/** Goal: the ABI needs no SDK. Method: C, compiled by what Debian ships, uploaded to a real host, decides among real inboxes. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "../docs-blocks.ts";
import { startHost, stopHost } from "../host/cli/sluice.ts";
import { needsProgram } from "../setup/needs.ts";

const folder = join(root, "examples/filter-c");

/** Compiles it as its README says. */
function compile(out: string): void {
  const [, block = ""] = /```sh\n([\s\S]*?)\n```/.exec(readFileSync(join(folder, "README.md"), "utf8")) ?? [];
  const [first = ""] = block.replaceAll("\\\n", " ").split("\n");
  const [program = "", ...args] = first.replace("build/round-robin.wasm", out).split(/\s+/);
  execFileSync(program, args, { cwd: folder });
}

test("examples/filter-c gives each event to the next sink in turn", async (context) => {
  needsProgram(context, "clang");
  needsProgram(context, "wasm-ld");
  const place = mkdtempSync(join(tmpdir(), "filter-c-"));
  const host = await startHost();
  try {
    const at = (path: string): string => `${host.url}/v1/${path}`;
    const ask = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
      const response = await fetch(at(path), {
        method,
        ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
      });
      const said = (await response.json()) as Record<string, unknown>;
      expect(response.ok, JSON.stringify(said)).toBe(true);
      return said;
    };
    const module = join(place, "round-robin.wasm");
    compile(module);
    const form = new FormData();
    form.set("module", new Blob([readFileSync(module)], { type: "application/wasm" }));
    form.set("manifest", new Blob([readFileSync(join(folder, "manifest.json"))], { type: "application/json" }));
    const put = await fetch(at("filters/round-robin"), { method: "PUT", body: form });
    expect(await put.json()).toMatchObject({ name: "round-robin", version: 1 });
    expect(put.status).toBe(201);
    await ask("PUT", "channels/turns", {});
    await ask("PUT", "channels/turns/filters/out", { module: "round-robin" });
    const inboxes = await Promise.all(
      [0, 1, 2].map(async () => {
        const { id } = await ask("POST", "inboxes", {});
        await ask("PUT", `inboxes/${id}/joins/turns`, {});
        return String(id);
      }),
    );
    await ask(
      "POST",
      "channels/turns/events",
      Array.from({ length: 9 }, (_, n) => ({ type: "t", id: String(n) })),
    );
    const got = await Promise.all(inboxes.map((id) => ask("GET", `inboxes/${id}/events?max=100`)));
    const ids = got.map(({ data }) => (data as { event: { id: string } }[]).map(({ event }) => Number(event.id)));
    // Whoever begins, everyone gets every third.
    expect(ids.map((list) => list.length)).toEqual([3, 3, 3]);
    expect(ids.flat().sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    for (const list of ids) expect(list.map((id) => id - Number(list[0]))).toEqual([0, 3, 6]);
  } finally {
    await stopHost(host);
    rmSync(place, { recursive: true, force: true });
  }
});
