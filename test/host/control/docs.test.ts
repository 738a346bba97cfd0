import { describe, expect, test } from "vitest";
import { docsFiles, type ReadDocs } from "../../../host/control/routes/docs.ts";
import { readDocs } from "../../../host/runtime/node/docs.ts";
import { createTestControl } from "./support.ts";

const built: ReadDocs = async (name) => new TextEncoder().encode(`text of ${name}`);

describe("GET /docs", () => {
  test("is a page whose every address is of this host", async () => {
    const { ask } = createTestControl({ docs: built });
    const { status, headers, text } = await ask("GET", "/docs");
    expect(status).toBe(200);
    expect(headers.get("content-type")).toBe("text/html; charset=utf-8");
    const addresses = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address]) => address);
    expect(addresses).toEqual([
      "data:,",
      "/docs/swagger-ui.css",
      "/openapi.json",
      "/docs/swagger-ui-bundle.js",
      "/docs/start.js",
    ]);
    for (const address of addresses.slice(1)) expect((await ask("GET", String(address))).status, address).toBe(200);
  });

  test("has browsers load and ask nothing elsewhere", async () => {
    const { ask } = createTestControl({ docs: built });
    const { headers } = await ask("GET", "/docs");
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("connect-src 'self'");
    expect(policy).not.toMatch(/https?:|\*|'unsafe-eval'|script-src[^;]*'unsafe-inline'/);
    expect((await ask("GET", "/docs/start.js")).text).toContain("validatorUrl: null");
  });

  test("says what is missing where the build has no pages", async () => {
    const { ask } = createTestControl();
    const { status, json } = await ask("GET", "/docs");
    expect(status).toBe(404);
    expect(json).toMatchObject({ code: "not_found", detail: expect.stringContaining("/openapi.json") });
    expect((await ask("GET", "/llms.txt")).status).toBe(404);
  });

  test("is where the address of a host leads", async () => {
    const { ask } = createTestControl({ docs: built });
    const { status, headers } = await ask("GET", "/");
    expect(status).toBe(302);
    expect(headers.get("location")).toBe("/docs");
  });
});

describe("GET /docs/{file}", () => {
  test.each(Object.entries(docsFiles))("serves %s as %s", async (name, type) => {
    const { ask } = createTestControl({ docs: built });
    const { status, headers, text } = await ask("GET", `/docs/${name}`);
    expect({ status, type: headers.get("content-type"), text }).toEqual({ status: 200, type, text: `text of ${name}` });
  });

  test("answers 304 to who has it already", async () => {
    const { ask } = createTestControl({ docs: built });
    const etag = (await ask("GET", "/docs/swagger-ui.css")).headers.get("etag") ?? "";
    const again = await ask("GET", "/docs/swagger-ui.css", undefined, { "if-none-match": etag });
    expect({ status: again.status, text: again.text }).toEqual({ status: 304, text: "" });
  });

  test.each(["nothing.js", "..%2Fcore.wasm", "%2Fetc%2Fpasswd", "constructor", "__proto__"])(
    "has no file %s",
    async (name) => {
      const { ask } = createTestControl({ docs: readDocs });
      expect((await ask("GET", `/docs/${name}`)).json).toMatchObject({ status: 404, code: "not_found" });
    },
  );
});

describe("GET /openapi.json", () => {
  interface Document {
    readonly tags: readonly { readonly name: string }[];
    readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly tags: readonly string[] }>>>>;
  }

  test("refers to nothing that it has not", async () => {
    const { ask } = createTestControl();
    const { json, text } = await ask("GET", "/openapi.json");
    const references = new Set(text.match(/"#\/[^"]+"/g)?.map((quoted) => quoted.slice(3, -1)));
    expect(references.size).toBeGreaterThan(5);
    const dangling = [...references].filter(
      (path) =>
        path.split("/").reduce<unknown>((at, part) => (at as Record<string, unknown>)?.[part], json) === undefined,
    );
    expect(dangling).toEqual([]);
  });

  test("has every operation in one of its chapters", async () => {
    const { ask } = createTestControl();
    const { tags, paths } = (await ask("GET", "/openapi.json")).json as unknown as Document;
    const chapters = tags.map(({ name }) => name);
    for (const operations of Object.values(paths))
      for (const operation of Object.values(operations)) {
        expect(operation.tags).toHaveLength(1);
        expect(chapters).toContain(operation.tags[0]);
      }
  });
});

describe("readDocs()", () => {
  test.each(Object.keys(docsFiles))("finds %s in what was built", async (name) => {
    expect((await readDocs(name as keyof typeof docsFiles))?.length).toBeGreaterThan(100);
  });
});
