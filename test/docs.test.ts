/**
 * Goal: generated pages are fresh, and hand-written ones name what is really there.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { docsFiles } from "../host/control/routes/docs.ts";
import { codes } from "../host/errors.ts";
import { ClientFrameSchema, HostFrameSchema } from "../host/gen/sluice/v1/frame_pb.ts";
import { limits } from "../host/limits.ts";
import { clientFrameFromJson } from "../host/socket/json/client.ts";
import { hostFrameFromJson } from "../host/socket/json/host.ts";
import { examples } from "../scripts/lib/docs-examples.mjs";
import { root } from "./docs-blocks.ts";
import { startHost, stopHost } from "./host/cli/sluice.ts";
import { moduleWith } from "./host/filter/registry/modules.ts";

const page = (name: string): string => readFileSync(join(root, name), "utf8");

describe("scripts/docs.mjs", () => {
  test("finds every generated part fresh", () => {
    const { status, stderr } = spawnSync(process.execPath, [join(root, "scripts/docs.mjs"), "--check"], {
      encoding: "utf8",
    });
    expect({ status, stderr: stderr.trim() }).toEqual({ status: 0, stderr: "" });
  });
});

describe("llms.txt", () => {
  const text = page("llms.txt");
  const linked = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, path = ""]) => path);

  test("links to what is there, and what hosts serve", () => {
    expect(linked.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    expect(linked.filter((path) => !Object.hasOwn(docsFiles, path.replace("docs/", "")))).toEqual([]);
  });

  test("has every page of docs/", () => {
    const pages = ["docs", "docs/filters", "docs/guides"].flatMap((folder) =>
      readdirSync(join(root, folder)).flatMap((name) => (name.endsWith(".md") ? [`${folder}/${name}`] : [])),
    );
    expect(linked).toEqual(expect.arrayContaining(pages));
  });
});

describe("docs/frames.md", () => {
  const frames = page("docs/frames.md");

  test.each([
    { part: "## Client to host", schema: ClientFrameSchema },
    { part: "## Host to client", schema: HostFrameSchema },
  ])("has every kind of $schema.name under $part, with each of its fields", ({ part, schema }) => {
    const text = frames.slice(frames.indexOf(part), frames.indexOf("\n## ", frames.indexOf(part) + 1));
    for (const kind of schema.oneofs.flatMap((oneof) => oneof.fields)) {
      const at = text.indexOf(`\n### ${kind.name}\n`);
      expect(at, kind.name).toBeGreaterThan(0);
      const section = text.slice(
        at,
        text.indexOf("\n### ", at + 1) === -1 ? undefined : text.indexOf("\n### ", at + 1),
      );
      for (const field of kind.message?.fields ?? []) expect(section).toContain(`| ${field.number} |`);
    }
  });
});

describe("examples of frames", () => {
  test.each([
    { side: "ClientFrame", schema: ClientFrameSchema },
    { side: "HostFrame", schema: HostFrameSchema },
  ] as const)("cover every kind of $side and name it first", ({ side, schema }) => {
    const kinds = schema.oneofs.flatMap((oneof) => oneof.fields.map((field) => field.name)).sort();
    expect(Object.keys(examples[side]).sort()).toEqual(kinds);
    for (const [kind, { json }] of Object.entries(examples[side])) expect(JSON.parse(json)).toHaveProperty(kind);
  });

  test.each(Object.entries(examples.ClientFrame))("are frames that the host takes: client %s", (_kind, { json }) => {
    expect(clientFrameFromJson(json)).toMatchObject({ ok: true });
  });

  test.each(Object.entries(examples.HostFrame))("are frames that a client can read: host %s", (_kind, { json }) => {
    expect(hostFrameFromJson(json)).toMatchObject({ ok: true });
  });
});

describe("docs/errors.md", () => {
  test("has every code with its status and close code", () => {
    const text = page("docs/errors.md");
    for (const [code, { status, close }] of Object.entries(codes))
      expect(text).toContain(`\`${code}\` | ${status} | ${close} |`);
  });
});

describe("docs/operating.md", () => {
  const text = page("docs/operating.md");

  test("has every limit", () => {
    for (const name of Object.keys(limits)) expect(text).toContain(`| \`${name}\` |`);
  });

  test("has every metric of a host, and no other", async () => {
    const host = await startHost();
    try {
      // Answers are counted by status once there is one.
      await fetch(`${host.url}/health/live`);
      // What filter modules do is told by their name.
      const headers = { "content-type": "application/wasm" };
      await fetch(`${host.url}/v1/filters/picky`, { method: "PUT", headers, body: moduleWith() as BodyInit });
      // So is what contracts do.
      const contract = JSON.stringify({ regions: [{ name: "always" }] });
      const json = { "content-type": "application/json" };
      await fetch(`${host.url}/v1/contracts/one`, { method: "PUT", headers: json, body: contract });
      const metrics = await (await fetch(`${host.url}/metrics`)).text();
      const served = [...metrics.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name);
      const described = [...text.matchAll(/`(sluice_\w+)`/g)].map(([, name]) => name);
      expect([...described].sort()).toEqual([...served].sort());
    } finally {
      await stopHost(host);
    }
  });

  test("has every flag of serve and its variable", () => {
    const help = spawnSync(process.execPath, [join(root, "dist/sluice.js"), "serve", "--help"], {
      encoding: "utf8",
    }).stdout;
    const flags = [...help.matchAll(/^ {2}--([a-z-]+)/gm)].map(([, flag = ""]) => flag);
    expect(flags.length).toBeGreaterThan(5);
    for (const flag of flags) {
      expect(text).toContain(`\`--${flag}`);
      expect(text).toContain(`\`SLUICE_${flag.replaceAll("-", "_").toUpperCase()}\``);
    }
  });
});
