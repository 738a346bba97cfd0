/** `/v1/filters`: filter modules as their authors and operators meet them; what they decide is tested elsewhere. */
import { describe, expect, test } from "vitest";
import { limits } from "../../../host/limits.ts";
import { createTestRegistry } from "../filter/registry/in-process.ts";
import { digestOf as digestOfContent, type ModuleOptions, moduleWith } from "../filter/registry/modules.ts";
import { TestCarrier } from "../support/carrier.ts";
import { type Answer, chunked, createTestControl, type TestControl } from "./support.ts";

const path = "/v1/filters/picky";
const wasm = { "content-type": "application/wasm" };

interface Uploading extends TestControl {
  /** Uploads a module under a name. */
  put(options?: ModuleOptions, headers?: Record<string, string>, to?: string): Promise<Answer>;
}

function createControl(): Uploading {
  const control = createTestControl({}, {}, { filters: createTestRegistry() });
  return {
    ...control,
    put: (options = {}, headers = {}, to = path) =>
      control.ask("PUT", to, moduleWith(options), { ...wasm, ...headers }),
  };
}

/** Of one module. */
const digestOf = (options: ModuleOptions = {}): string => digestOfContent(moduleWith(options));

function form(parts: Readonly<Record<string, string | Uint8Array>>): { body: FormData } {
  const body = new FormData();
  for (const [name, part] of Object.entries(parts)) {
    if (typeof part === "string") body.append(name, part);
    else body.append(name, new Blob([part as BlobPart]), `${name}.wasm`);
  }
  return { body };
}

/** Sends a form; the runtime writes its header. */
async function submit({ app }: Uploading, parts: Parameters<typeof form>[0]): Promise<Answer> {
  const response = await app.request(path, { method: "PUT", ...form(parts) });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: JSON.parse(text) };
}

describe("PUT /v1/filters/{filter}", () => {
  test("takes a module, and says by what it is known", async () => {
    const { put, ask } = createControl();
    const manifest = { attrs: ["load"], payload: "head:256", sinkAttrs: ["zone"], onError: "drop", config: { a: 1 } };
    const { status, json, headers } = await put({ manifest, hooks: ["in", "out"] });
    const digest = digestOf({ manifest, hooks: ["in", "out"] });
    expect(status).toBe(201);
    expect(headers.get("location")).toBe(`${path}/versions/${digest}`);
    expect(headers.get("etag")).toBe(`"${digest}"`);
    expect(json).toMatchObject({
      ...manifest,
      name: "picky",
      digest,
      version: 1,
      current: true,
      bytes: moduleWith({ manifest, hooks: ["in", "out"] }).length,
      abi: "sluice-filter/1",
      hooks: ["in", "out"],
      limits: { memoryPagesMax: 64, callFuelMax: 2_000_000 },
    });
    expect(json["exports"]).toEqual(expect.arrayContaining(["memory", "sluice_abi_1", "sluice_in", "sluice_out"]));
    expect((await ask("GET", path)).json).toMatchObject({ digest, versions: 1, uses: [] });
  });

  test("numbers contents; one that is known becomes current again under its number", async () => {
    const { put, ask } = createControl();
    const told = async (salt: number) => {
      const { status, json } = await put({ salt });
      return [status, json["version"]];
    };
    expect([await told(1), await told(2), await told(1), await told(1), await told(3)]).toEqual([
      [201, 1],
      [201, 2],
      [200, 1],
      [200, 1],
      [201, 3],
    ]);
    const { json } = await ask("GET", `${path}/versions`);
    const listed = (json["data"] as { version: number; current: boolean }[]).map(({ version, current }) => [
      version,
      current,
    ]);
    expect(listed).toEqual([
      [3, true],
      [2, false],
      [1, false],
    ]);
  });

  test("takes module and manifest in parts, and makes one content of them", async () => {
    const control = createControl();
    const manifest = { attrs: ["load"] };
    const { status, json } = await submit(control, { module: moduleWith(), manifest: JSON.stringify(manifest) });
    expect([status, json["attrs"], json["digest"]]).toEqual([201, ["load"], digestOf({ manifest })]);
    // What is given back is the whole, and known.
    const got = await control.app.request(`${path}/versions/${json["digest"]}`, {
      headers: { accept: wasm["content-type"] },
    });
    expect(new Uint8Array(await got.arrayBuffer())).toEqual(moduleWith({ manifest }));
    expect((await control.put({ manifest })).status).toBe(200);
    expect((await submit(control, { module: moduleWith({ salt: 1 }) })).status).toBe(201);
  });

  test.each<[string, Record<string, string | Uint8Array>, number, string]>([
    ["no module", { manifest: "{}" }, 422, "invalid_value"],
    ["a part that is none", { module: moduleWith(), readme: "" }, 400, "unknown_field"],
    ["a module that is text", { module: "wasm" }, 422, "invalid_value"],
    ["two manifests", { module: moduleWith({ manifest: {} }), manifest: "{}" }, 422, "contradiction"],
    ["a manifest that is no JSON", { module: moduleWith(), manifest: "{" }, 422, "module_refused"],
  ])("refuses a form with %s", async (_name, parts, status, code) => {
    const { json } = await submit(createControl(), parts);
    expect([json["status"], json["code"]]).toEqual([status, code]);
  });

  test("says everything that is wrong with a module, and keeps what was there", async () => {
    const { put, ask } = createControl();
    await put();
    const manifest = { hooks: ["in"], attrs: ["LOAD", "a", "a"], payload: "head:99999999", fuel: 1 };
    const { status, json } = await put({ manifest, salt: 1 });
    expect([status, json["code"]]).toEqual([422, "module_refused"]);
    expect((json["reasons"] as string[]).join(" ")).toMatch(/LOAD.*a twice.*head:99999999.*manifest\.fuel/);
    expect((await ask("GET", path)).json).toMatchObject({ version: 1, versions: 1 });
  });

  test("takes as many attributes and columns as the core, and says which are too many", async () => {
    const { put, ask } = createControl();
    const named = (count: number) => Array.from({ length: count }, (_, index) => `a${index}`);
    const most = { attrs: named(64), sinkAttrs: named(32) };
    expect((await put({ manifest: most })).status).toBe(201);
    expect((await ask("PUT", "/v1/channels/c", { filters: { out: { module: "picky" } } })).status).toBe(201);
    const { status, json } = await put({ manifest: { attrs: named(65), sinkAttrs: named(33) } });
    expect([status, json["code"]]).toEqual([422, "module_refused"]);
    expect((json["reasons"] as string[]).join(" ")).toMatch(/manifest\.attrs.*65.*64.*manifest\.sinkAttrs.*33.*32/);
  });

  test.each<[string, Uint8Array, RegExp]>([
    ["nothing", new Uint8Array(), /./],
    ["no module", new TextEncoder().encode("#!/bin/sh"), /./],
    ["half a module", moduleWith().subarray(0, 90), /./],
    ["a hook that is not there", moduleWith({ manifest: { hooks: ["in"] } }), /exports no sluice_in/],
    ["more memory than there is", moduleWith({ manifest: { limits: { memoryPages: 1_000 } } }), /memoryPages 1000/],
    ["a decision that points nowhere", moduleWith({ decision: 2 ** 24 + 2 }), /dry run of sluice_out: of event 0/],
  ])("refuses %s", async (_name, body, reason) => {
    const { ask } = createControl();
    const { status, json } = await ask("PUT", path, body, wasm);
    expect([status, json["code"]]).toEqual([422, "module_refused"]);
    expect((json["reasons"] as string[]).join("\n")).toMatch(reason);
    expect((await ask("GET", path)).json["code"]).toBe("filter_unknown");
  });

  test.each<[string, Record<string, string>, string]>([
    ["none", { "content-type": "" }, "media_type"],
    ["JSON", { "content-type": "application/json" }, "media_type"],
    ["compressed", { ...wasm, "content-encoding": "gzip" }, "media_type"],
  ])("takes no body of another media type: %s", async (_name, headers, code) => {
    const { json } = await createControl().ask("PUT", path, moduleWith(), headers);
    expect([json["status"], json["code"]]).toEqual([415, code]);
  });

  test("takes 8 MiB and no byte more, whether the size is declared or not", async () => {
    const { ask } = createControl();
    const most = limits.filterUploadBytes;
    expect(most).toBe(8 * 2 ** 20);
    const largest = await ask("PUT", path, new Uint8Array(most), wasm);
    expect([largest.status, largest.json["code"]]).toEqual([422, "module_refused"]);
    const declared = await ask("PUT", path, new Uint8Array(most + 1), wasm);
    expect(declared.json).toMatchObject({ status: 413, code: "body_too_large", limit: most });
    const stream = chunked(2 ** 20, 9);
    expect((await ask("PUT", path, stream.body, wasm)).json).toMatchObject({ status: 413, limit: most });
  });

  test("keeps nothing of an upload that breaks off", async () => {
    const { ask } = createControl();
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(moduleWith().subarray(0, 90));
        controller.error(new Error("gone"));
      },
    });
    const { status, json } = await ask("PUT", path, body, wasm);
    expect([status, json["code"]]).toEqual([400, "malformed"]);
    expect((await ask("GET", "/v1/filters")).json).toEqual({ data: [], next: null });
  });

  test("is for whom the tag is what he looked at", async () => {
    const { put, ask } = createControl();
    expect((await put({}, { "if-match": '"x"' })).status).toBe(412);
    const { headers } = await put({}, { "if-none-match": "*" });
    expect((await put({ salt: 1 }, { "if-none-match": "*" })).status).toBe(412);
    expect((await put({ salt: 1 }, { "if-match": headers.get("etag") ?? "" })).status).toBe(201);
    const stale = { "if-match": headers.get("etag") ?? "" };
    expect((await ask("DELETE", path, undefined, stale)).status).toBe(412);
    expect((await ask("POST", `${path}/rollback`, {}, stale)).status).toBe(412);
  });

  test("takes names as they may be, and 64 of them", async () => {
    const { put } = createControl();
    for (const name of ["A", "-a", "a-", "a%2Fb", "a".repeat(129)])
      expect((await put({}, {}, `/v1/filters/${name}`)).json).toMatchObject({ status: 422, code: "invalid_value" });
    for (let index = 0; index < limits.filters; index++)
      expect((await put({}, {}, `/v1/filters/f${index}`)).status).toBe(201);
    expect((await put({}, {}, "/v1/filters/one-more")).json).toMatchObject({
      status: 422,
      code: "limit_reached",
      limit: limits.filters,
    });
    expect((await put({ salt: 1 }, {}, "/v1/filters/f0")).status).toBe(201);
  });

  test("is refused where the runtime compiles nothing", async () => {
    const { ask } = createTestControl();
    const { json } = await ask("PUT", path, moduleWith(), wasm);
    expect(json).toMatchObject({ status: 422, code: "not_supported", value: "filters.upload" });
    expect((await ask("GET", "/v1/filters")).json["data"]).toEqual([]);
  });
});

describe("versions", () => {
  test("are shown, given back, and removed; with the last goes the name", async () => {
    const { put, ask, app } = createControl();
    for (const salt of [1, 2]) await put({ salt });
    const [one, two] = [digestOf({ salt: 1 }), digestOf({ salt: 2 })];
    expect((await ask("GET", `${path}/versions/${one}`)).json).toMatchObject({ version: 1, current: false });
    const got = await app.request(`${path}/versions/${two}`, { headers: { accept: "application/wasm" } });
    expect(got.headers.get("content-type")).toBe("application/wasm");
    expect(new Uint8Array(await got.arrayBuffer())).toEqual(moduleWith({ salt: 2 }));
    const current = await ask("DELETE", `${path}/versions/${two}`);
    expect(current.json).toMatchObject({ status: 409, code: "filter_in_use", limit: ["current"] });
    expect((await ask("DELETE", `${path}/versions/${one}`)).status).toBe(204);
    expect((await ask("DELETE", `${path}/versions/${one}`)).json).toMatchObject({
      status: 404,
      code: "filter_unknown",
    });
    expect((await ask("DELETE", `${path}/versions/${two}`)).status).toBe(204);
    expect((await ask("GET", path)).status).toBe(404);
    // Numbers begin anew with the name.
    expect((await put({ salt: 3 })).json["version"]).toBe(1);
  });

  test("are rolled back step by step, or to a digest", async () => {
    const { put, ask } = createControl();
    const back = async (body: object = {}): Promise<unknown> => {
      const { json } = await ask("POST", `${path}/rollback`, body);
      return json["version"] ?? json["code"];
    };
    for (const salt of [1, 2, 3]) await put({ salt });
    expect([await back(), await back(), await back()]).toEqual([2, 1, "filter_unknown"]);
    expect(await back({ digest: digestOf({ salt: 3 }) })).toBe(3);
    expect(await back()).toBe(1);
    expect(await back({ digest: digestOf({ salt: 9 }) })).toBe("filter_unknown");
    expect(await back({ digest: "sha256:00" })).toBe("invalid_value");
    const { json } = await ask("GET", `${path}/logs`);
    expect(json["data"]).toMatchObject([
      { version: 3, level: "warn", text: "Rolled back to version 2: asked for" },
      {},
      {},
    ]);
  });

  test("go where there are too many: the oldest that nobody needs", async () => {
    const { put, ask } = createControl();
    await ask("PUT", "/v1/channels/c", {});
    await put({ salt: 0 });
    await ask("PUT", "/v1/channels/c/filters/out", { module: "picky", digest: digestOf({ salt: 0 }) });
    for (let salt = 1; salt <= limits.filterVersions; salt++) expect((await put({ salt })).status).toBe(201);
    const { json } = await ask("GET", `${path}/versions?limit=1000`);
    const versions = (json["data"] as { version: number }[]).map(({ version }) => version);
    expect(versions).toHaveLength(limits.filterVersions);
    expect(versions.slice(-2)).toEqual([3, 1]);
  });

  test("are listed in pages, and names by name", async () => {
    const { put, ask } = createControl();
    for (const name of ["b", "a", "c"]) await put({}, {}, `/v1/filters/${name}`);
    const first = (await ask("GET", "/v1/filters?limit=2")).json;
    expect(first["data"]).toMatchObject([{ name: "a" }, { name: "b" }]);
    const second = (await ask("GET", `/v1/filters?limit=2&cursor=${first["next"]}`)).json;
    expect(second).toMatchObject({ data: [{ name: "c" }], next: null });
  });
});

describe("bindings", () => {
  const out = "/v1/channels/c/filters/out";

  async function withChannel(): Promise<Uploading> {
    const control = createControl();
    await control.ask("PUT", "/v1/channels/c", {});
    await control.put();
    return control;
  }

  test("are shown as they were said, survive a PATCH of something else, and end with DELETE", async () => {
    const { ask } = await withChannel();
    const binding = { module: "picky", config: { a: [1] }, onError: "drop", fuel: 500 };
    const { status, json } = await ask("PUT", out, binding);
    expect([status, json["summary"]]).toEqual([201, "module picky, drop on errors"]);
    expect((await ask("GET", out)).json).toMatchObject(binding);
    await ask("PATCH", "/v1/channels/c", { types: ["a"] });
    expect((await ask("GET", "/v1/channels/c")).json["filters"]).toEqual({ in: null, out: binding });
    const other = { module: "picky", config: { b: 1 } };
    await ask("PATCH", "/v1/channels/c", { filters: { out: other } });
    expect((await ask("GET", "/v1/channels/c")).json["filters"]).toEqual({ in: null, out: other });
    expect((await ask("DELETE", out)).status).toBe(204);
  });

  test.each<[string, string, object, number, string]>([
    ["a module that is not there", "out", { module: "nobody" }, 404, "filter_unknown"],
    [
      "a digest that is not there",
      "out",
      { module: "picky", digest: `sha256:${"0".repeat(64)}` },
      404,
      "filter_unknown",
    ],
    ["half a digest", "out", { module: "picky", digest: "sha256:0" }, 422, "invalid_value"],
    ["a hook that it lacks", "in", { module: "picky" }, 422, "invalid_value"],
    ["routes, too", "out", { module: "picky", routes: [{}] }, 422, "contradiction"],
  ])("to %s are refused, and what was bound stays", async (_name, stage, binding, status, code) => {
    const { ask } = await withChannel();
    const at = `/v1/channels/c/filters/${stage}`;
    await ask("PUT", at, { route: { limit: 1 } });
    const { json } = await ask("PUT", at, binding);
    expect([json["status"], json["code"]]).toEqual([status, code]);
    expect((await ask("GET", at)).json["routes"]).toEqual([{ limit: 1 }]);
    const template = await ask("PUT", "/v1/templates/t", { pattern: "x.*", filters: { [stage]: binding } });
    expect([template.json["status"], template.json["code"]]).toEqual([status, code]);
  });

  test("keep what they mean from being removed, and say where they are", async () => {
    const { ask, put } = await withChannel();
    const one = `${path}/versions/${digestOf()}`;
    await ask("PUT", out, { module: "picky", digest: digestOf() });
    await ask("PUT", "/v1/templates/t", { pattern: "x.*", filters: { out: { module: "picky" } } });
    expect((await ask("GET", path)).json["uses"]).toEqual(["out filter of channel c", "out filter of template t"]);
    await put({ salt: 1 });
    const refused = await ask("DELETE", one);
    expect(refused.json).toMatchObject({ status: 409, code: "filter_in_use", limit: ["out filter of channel c"] });
    expect((await ask("DELETE", path)).json).toMatchObject({ status: 409, code: "filter_in_use" });
    await ask("DELETE", out);
    expect((await ask("DELETE", one)).status).toBe(204);
    const last = await ask("DELETE", path);
    expect(last.json).toMatchObject({ status: 409, limit: ["out filter of template t"] });
    await ask("DELETE", "/v1/templates/t");
    expect((await ask("DELETE", path)).status).toBe(204);
  });

  test("of sources keep what they mean, too", async () => {
    const { ask, service, settle } = await withChannel();
    const source = new TestCarrier(service);
    const join = { channel: "c", role: "source", filters: { out: { module: "picky" } } };
    source.send({ ref: 1, kind: { case: "join", value: join } });
    settle();
    expect((await ask("DELETE", path)).json).toMatchObject({ code: "filter_in_use", limit: ["filter of 1 sources"] });
  });

  test("decide, and what they did is told with the module and in the metrics", async () => {
    const { ask, service, put } = await withChannel();
    service.subscribe("c", { onEvents: () => {} });
    await ask("PUT", out, { module: "picky" });
    const publish = async () => (await ask("POST", "/v1/channels/c/events", { type: "t" })).json["results"];
    expect(await publish()).toMatchObject([{ sinks: 1 }]);
    await put({ decision: "drop" });
    expect(await publish()).toMatchObject([{ sinks: 0 }]);
    expect((await ask("GET", path)).json["counters"]).toMatchObject({
      events: 2,
      sinksIn: 2,
      sinksOut: 1,
      switches: 1,
    });
    const { text } = await ask("GET", "/metrics");
    expect(text).toContain('sluice_module_events_total{filter="picky"} 2\n');
    expect(text).toContain('sluice_module_faults_total{filter="picky",cause="trap"} 0\n');
  });

  test("by name keep their hook: a version without it cannot become current", async () => {
    const { ask, put } = await withChannel();
    await ask("PUT", out, { module: "picky" });
    const refused = await put({ hooks: ["in"] });
    expect(refused.json).toMatchObject({ status: 409, code: "filter_in_use", limit: ["out filter of channel c"] });
    expect((await ask("GET", path)).json).toMatchObject({ version: 1, versions: 1 });
    await ask("PUT", out, { module: "picky", digest: digestOf() });
    expect((await put({ hooks: ["in"] })).status).toBe(201);
    // Nor can it come back.
    await put({ hooks: ["in", "out"] });
    await ask("PUT", out, { module: "picky" });
    expect((await ask("POST", `${path}/rollback`, {})).json).toMatchObject({ status: 409, code: "filter_in_use" });
    expect((await ask("GET", path)).json).toMatchObject({ version: 3, current: true });
  });
});
