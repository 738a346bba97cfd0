/** Filter modules of an embedded host: as over HTTP, without HTTP. Modules are looked at in a real worker. */
import { describe, expect, onTestFinished, test } from "vitest";
import {
  createHost,
  type Filters,
  type Host,
  isSluiceError,
  type SluiceError,
  serveHost,
} from "../../../../host/index.ts";
import { limits } from "../../../../host/limits.ts";
import { openEmbedded } from "../../../../host/runtime/embedded/open.ts";
import { platform } from "../../../../host/runtime/node.ts";
import { binaryOf, only, talkingText } from "../../filter/module/kit.ts";
import { digestOf, moduleWith } from "../../filter/registry/modules.ts";

const MEMORY = { memoryBytes: 96 * 2 ** 20 };

async function open(): Promise<Host> {
  const host = await createHost(MEMORY);
  onTestFinished(() => host.close());
  return host;
}

/** What something throws or rejects with. */
async function refusal(ask: () => unknown): Promise<SluiceError | undefined> {
  try {
    await ask();
    return undefined;
  } catch (error) {
    expect(error).toSatisfy(isSluiceError);
    return error as SluiceError;
  }
}

/** Ids that each sink of a channel was told, by the order of joining. */
function sinks(host: Host, channel: string, count: number): string[][] {
  return Array.from({ length: count }, () => {
    const ids: string[] = [];
    host.channel(channel).handler((deliveries) => ids.push(...deliveries.map(({ event }) => event.id)));
    return ids;
  });
}

describe("filter modules of an embedded host", () => {
  test("are uploaded, decide, and are shown with what they did", async () => {
    const host = await open();
    const bytes = binaryOf(only(0b10));
    const uploaded = await host.filters.put("one", bytes, { manifest: { onError: "drop" } });
    expect(uploaded).toMatchObject({ name: "one", version: 1, current: true, created: true, onError: "drop" });
    expect(uploaded.bytes).toBeGreaterThan(bytes.length);
    const told = sinks(host, "c", 2);
    host.channel("c").filter("out", { module: "one" });
    host.channel("c").publish({ id: "a", type: "t" });
    host.service.settle();
    expect(told).toEqual([[], ["a"]]);
    expect(host.filters.get("one")).toMatchObject({
      versions: 1,
      uses: ["out filter of channel c"],
      counters: { calls: 1, events: 1, sinksIn: 2, sinksOut: 1, live: 1 },
    });
    expect(host.filters.list().map(({ name }) => name)).toEqual(["one"]);
    expect(new Uint8Array(await host.filters.content("one", uploaded.digest)).subarray(0, bytes.length)).toEqual(
      new Uint8Array(bytes),
    );
    host.channel("c").filter("out", null);
    host.channel("c").publish({ id: "b", type: "t" });
    host.service.settle();
    expect(told).toEqual([["b"], ["a", "b"]]);
    await host.filters.remove("one");
    expect(host.filters.list()).toEqual([]);
  });

  test("switch between two events, go back, and say lines", async () => {
    const host = await open();
    await host.filters.put("test", binaryOf(only(0b01)));
    const told = sinks(host, "c", 2);
    const channel = host.channel("c");
    channel.filter("out", { module: "test" });
    channel.publish({ id: "a", type: "t" });
    await host.filters.put("test", binaryOf(only(0b10)));
    channel.publish({ id: "b", type: "t" });
    expect(host.filters.rollback("test")).toMatchObject({ version: 1, current: true });
    channel.publish({ id: "c", type: "t" });
    await host.filters.put("test", binaryOf(talkingText));
    channel.publish({ id: "d", type: "t" });
    host.service.settle();
    expect(told).toEqual([
      ["a", "c", "d"],
      ["b", "d"],
    ]);
    expect(host.filters.versions("test").map(({ version, current }) => [version, current])).toEqual([
      [3, true],
      [2, false],
      [1, false],
    ]);
    expect(host.filters.logs("test").map(({ level, version, text }) => [level, version, text])).toEqual([
      ["warn", 2, "Rolled back to version 1: asked for"],
      ["info", 3, "hell"],
      ["warn", 3, "hello"],
    ]);
    expect(await host.filters.put("test", binaryOf(only(0b01)))).toMatchObject({ version: 1, created: false });
  });

  test("are those that the host shows to others, and takes from them", async () => {
    const host = await open();
    const served = await serveHost({ service: host.service, listen: "127.0.0.1:0", tcp: null });
    onTestFinished(() => served.close());
    const inside = await host.filters.put("inside", moduleWith());
    const shown = await (await fetch(`${served.url}/v1/filters/inside`)).json();
    expect(shown).toEqual(host.filters.get("inside"));
    expect(shown).toMatchObject({ digest: inside.digest });
    const headers = { "content-type": "application/wasm" };
    const body = moduleWith({ salt: 1 }) as BodyInit;
    expect((await fetch(`${served.url}/v1/filters/outside`, { method: "PUT", headers, body })).status).toBe(201);
    expect(host.filters.list().map(({ name }) => name)).toEqual(["inside", "outside"]);
    const { capabilities } = (await (await fetch(`${served.url}/v1/info`)).json()) as { capabilities: object };
    expect(capabilities).toMatchObject({ "filters.upload": true });
  });

  /** The same twice: what is asked of the host, and what is asked of it over HTTP. */
  const digest = digestOf(moduleWith({ salt: 9 }));
  const large = new Uint8Array(limits.filterUploadBytes + 1);
  const wasm = { method: "PUT", headers: { "content-type": "application/wasm" } };
  const json = (method: string, body: unknown) => ({
    method,
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const withParts = (): FormData => {
    const form = new FormData();
    form.append("module", new Blob([moduleWith({ manifest: {} }) as BlobPart]), "module.wasm");
    form.append("manifest", "{}");
    return form;
  };
  const refusals: readonly [what: string, ask: (host: Host) => unknown, path: string, request: () => RequestInit][] = [
    [
      "a name that is none",
      ({ filters }) => filters.put("A", moduleWith()),
      "filters/A",
      () => ({ ...wasm, body: moduleWith() as BodyInit }),
    ],
    [
      "what is no module",
      ({ filters }) => filters.put("a", new Uint8Array(8)),
      "filters/a",
      () => ({ ...wasm, body: new Uint8Array(8) }),
    ],
    ["8 MiB and a byte", ({ filters }) => filters.put("a", large), "filters/a", () => ({ ...wasm, body: large })],
    [
      "a manifest beside another",
      ({ filters }) => filters.put("a", moduleWith({ manifest: {} }), { manifest: {} }),
      "filters/a",
      () => ({ method: "PUT", body: withParts() }),
    ],
    [
      "a version without the hook that is bound",
      ({ filters }) => filters.put("picky", moduleWith({ hooks: ["in"] })),
      "filters/picky",
      () => ({ ...wasm, body: moduleWith({ hooks: ["in"] }) as BodyInit }),
    ],
    ["a name that is not there", ({ filters }) => filters.get("none"), "filters/none", () => ({})],
    ["versions of nothing", ({ filters }) => filters.versions("none"), "filters/none/versions", () => ({})],
    ["lines of nothing", ({ filters }) => filters.logs("none"), "filters/none/logs", () => ({})],
    [
      "a step back from the first",
      ({ filters }) => filters.rollback("picky"),
      "filters/picky/rollback",
      () => json("POST", {}),
    ],
    [
      "a step to what is not there",
      ({ filters }) => filters.rollback("picky", digest),
      "filters/picky/rollback",
      () => json("POST", { digest }),
    ],
    ["content of no digest", ({ filters }) => filters.content("picky", "x"), "filters/picky/versions/x", () => ({})],
    ["removing what is bound", ({ filters }) => filters.remove("picky"), "filters/picky", () => ({ method: "DELETE" })],
    [
      "removing what is not there",
      ({ filters }) => filters.remove("none"),
      "filters/none",
      () => ({ method: "DELETE" }),
    ],
    [
      "removing a version that is not there",
      ({ filters }) => filters.remove("picky", digest),
      `filters/picky/versions/${digest}`,
      () => ({ method: "DELETE" }),
    ],
    [
      "binding what is not there",
      (host) => host.channel("c").filter("out", { module: "none" }),
      "channels/c/filters/out",
      () => json("PUT", { module: "none" }),
    ],
    [
      "binding a hook that it lacks",
      (host) => host.channel("c").filter("in", { module: "picky" }),
      "channels/c/filters/in",
      () => json("PUT", { module: "picky" }),
    ],
    [
      "binding a digest that it has not",
      (host) => host.channel("c").filter("out", { module: "picky", digest }),
      "channels/c/filters/out",
      () => json("PUT", { module: "picky", digest }),
    ],
  ];
  test("are refused in the words of HTTP", async () => {
    const host = await open();
    const served = await serveHost({ service: host.service, listen: "127.0.0.1:0", tcp: null });
    onTestFinished(() => served.close());
    await host.filters.put("picky", moduleWith());
    host.channel("c").filter("out", { module: "picky" });
    const before = host.filters.list();
    for (const [what, ask, path, request] of refusals) {
      const { code, message, reasons } = (await refusal(() => ask(host))) ?? {};
      const response = await fetch(`${served.url}/v1/${path}`, request());
      const problem = (await response.json()) as { code: string; detail: string; reasons?: string[] };
      expect(code, what).toBe(problem.code);
      expect(reasons, what).toEqual(problem.reasons);
      // What is declared too large is refused before it is there.
      if (code !== "body_too_large") expect(message, what).toBe(problem.detail);
    }
    expect(host.filters.list()).toEqual(before);
  });

  test("are bytes, whoever writes to them meanwhile", async () => {
    const { filters } = await open();
    for (const wrong of ["", null, [0, 97], 7])
      expect(await refusal(() => filters.put("a", wrong as never))).toMatchObject({ code: "invalid_value" });
    const bytes = new Uint8Array(new SharedArrayBuffer(moduleWith().length));
    bytes.set(moduleWith());
    const taken = filters.put("a", bytes);
    bytes.fill(0);
    expect((await taken).digest).toBe(digestOf(moduleWith()));
    expect((await filters.put("a", moduleWith().buffer as ArrayBuffer)).created).toBe(false);
  });

  test("are refused where the runtime has no workers, and nothing else is", async () => {
    const host = await openEmbedded({ ...platform, findWorkers: () => undefined }, MEMORY);
    onTestFinished(() => host.close());
    expect(host.filters.list()).toEqual([]);
    const asked: readonly ((filters: Filters) => unknown)[] = [
      (filters) => filters.put("a", moduleWith()),
      (filters) => filters.get("a"),
      (filters) => filters.versions("a"),
      (filters) => filters.content("a", digest),
      (filters) => filters.rollback("a"),
      (filters) => filters.remove("a"),
      (filters) => filters.logs("a"),
      () => host.channel("c").filter("out", { module: "a" }),
    ];
    for (const ask of asked) expect((await refusal(() => ask(host.filters)))?.code).toBe("not_supported");
    const told = sinks(host, "c", 1);
    host.channel("c").filter("out", { route: { when: "priority > 4" } });
    host.channel("c").publish({ id: "a", type: "t" });
    host.service.settle();
    expect(told).toEqual([["a"]]);
  });
});
