/**
 * Who may import whom: design of the layers as a table. One direction; a layer that is not named here may not exist.
 *
 * The longest matching `layer` counts for a file. A file may always import from its own layer.
 */

/** One row. Paths are relative to the root; those that end in "/" stand for all below. */
export interface Layer {
  readonly layer: string;
  /** Layers or files that it may import. */
  readonly may: readonly string[];
  /** Packages that it may import. */
  readonly packages: readonly string[];
  /** Why it may name a runtime (`node:` imports); absent: it may not, and runs wherever JavaScript does. */
  readonly runtime?: string;
}

/** One concern each, no state, usable everywhere in host/. */
const base = [
  "core-wasm/abi.ts",
  "core-wasm/mailbox/abi.ts",
  // As abi.ts, constants that host and core share: the bytecode of expressions.
  "core-wasm/expression/code.ts",
  // The same about filter modules.
  "core-wasm/filter/abi.ts",
  "core-wasm/condition/abi.ts",
  "core-wasm/contract/abi.ts",
  "host/check.ts",
  "host/clients.ts",
  "host/clock.ts",
  "host/errors.ts",
  "host/gen/",
  "host/hash.ts",
  "host/interface.ts",
  "host/limits.ts",
  "host/log.ts",
  "host/metrics.ts",
  "host/options.ts",
];
const basePackages = ["@bufbuild/protobuf", "zod"];

/** The table. */
export const layers: readonly Layer[] = [
  // util/number is AssemblyScript's own: how numbers are written.
  { layer: "core-wasm/", may: [], packages: ["util"] },
  { layer: "core-wasm/abi.ts", may: [], packages: [] },
  { layer: "core-wasm/mailbox/abi.ts", may: [], packages: [] },
  { layer: "core-wasm/expression/code.ts", may: [], packages: [] },
  { layer: "core-wasm/filter/abi.ts", may: [], packages: [] },
  { layer: "core-wasm/condition/abi.ts", may: [], packages: [] },
  { layer: "core-wasm/contract/abi.ts", may: [], packages: [] },
  { layer: "host/gen/", may: [], packages: ["@bufbuild/protobuf"] },
  ...["check", "clients", "clock", "errors", "hash", "limits", "log", "metrics", "options"].map((name) => ({
    layer: `host/${name}.ts`,
    may: base,
    packages: basePackages,
  })),
  { layer: "host/ambient.d.ts", may: [], packages: [] },
  // Types that applications program against, whether the host is in their process or not.
  { layer: "host/interface.ts", may: [], packages: [] },
  ...["node", "native", "tcp"].map((name) => ({
    layer: `client/${name}.ts`,
    may: ["client/"],
    packages: ["ws"],
    runtime: "entries for runtimes that have TCP; browsers have client/index.ts",
  })),
  // Runs in browsers: of the host it knows those types, and what has no imports itself.
  {
    layer: "client/",
    may: ["host/errors.ts", "host/interface.ts", "host/socket/json/media.ts", "host/socket/json/moment.ts"],
    packages: [],
  },
  { layer: "host/core/", may: ["core-wasm/abi.ts", "core-wasm/filter/abi.ts", "host/errors.ts"], packages: [] },
  // Knows neither the core nor a session: clients and tools may compile expressions too.
  { layer: "host/expression/", may: base, packages: [] },
  // Routes as JSON, as programs and in the core. Knows neither channels nor sessions: both bind them.
  { layer: "host/filter/", may: [...base, "host/core/", "host/expression/"], packages: ["zod"] },
  // Takes apart what strangers upload. Knows nothing else, so that workers and the command line may run it alone.
  { layer: "host/filter/meter/", may: [], packages: [] },
  // From a source to a module. The compiler is tens of megabytes that a host never loads: it is imported when it is called for.
  { layer: "host/filter/author/", may: [...base, "host/filter/"], packages: ["assemblyscript"] },
  // What is measured, and what writes it. Knows neither channels nor sessions: the service tells it what it may ask.
  { layer: "host/condition/", may: [...base, "host/core/", "host/expression/"], packages: ["zod"] },
  {
    layer: "host/contract/",
    may: [
      ...base,
      "host/core/",
      "host/channel/",
      "host/condition/",
      "host/expression/",
      "host/filter/",
      "host/socket/json/",
    ],
    packages: ["yaml", "zod"],
  },
  { layer: "host/channel/", may: [...base, "host/core/", "host/filter/"], packages: basePackages },
  // Protocols between hosts as state machines: no socket, no channel, no session, no clock.
  { layer: "host/group/", may: base, packages: [] },
  {
    layer: "host/session/",
    may: [...base, "host/core/", "host/channel/", "host/condition/", "host/expression/", "host/filter/"],
    packages: basePackages,
  },
  {
    layer: "host/socket/",
    may: [...base, "host/core/", "host/channel/", "host/filter/", "host/session/"],
    packages: basePackages,
  },
  {
    layer: "host/store/",
    may: [...base, "host/channel/", "host/condition/", "host/contract/", "host/filter/"],
    packages: basePackages,
    runtime: "files that survive a crash: fsync",
  },
  { layer: "host/monitor/", may: base, packages: [], runtime: "this machine's load comes from node:os" },
  {
    layer: "host/service-settings.ts",
    may: [...base, "host/condition/", "host/filter/", "host/session/"],
    packages: [],
  },
  {
    layer: "host/service.ts",
    may: [
      ...base,
      "host/core/",
      "host/channel/",
      "host/condition/",
      "host/contract/",
      "host/filter/",
      "host/service-settings.ts",
      "host/session/",
      "host/socket/",
      "host/store/",
    ],
    packages: basePackages,
  },
  {
    layer: "host/control/",
    may: [
      ...base,
      "host/channel/",
      "host/condition/",
      "host/contract/",
      "host/filter/",
      "host/session/",
      "host/socket/",
      "host/service.ts",
    ],
    packages: [...basePackages, "hono", "@hono/zod-openapi"],
  },
  {
    layer: "host/runtime/",
    may: ["host/"],
    packages: [...basePackages, "@hono/node-server", "hono"],
    runtime: "the adapters: listen, load the core, read the environment",
  },
  // Entries: nothing imports them, so what they import binds nobody. One per runtime leads to the library.
  ...["index", "index.bun", "index.deno", "library"].map((name) => ({
    layer: `host/${name}.ts`,
    may: ["host/"],
    packages: [],
  })),
  {
    layer: "host/cli/",
    may: ["host/", "core-wasm/abi.ts", "package.json"],
    packages: ["@bufbuild/protobuf", "commander", "ws"],
    runtime: "a command line is a process: streams, files, exit codes",
  },
];

/** Nothing may import these but themselves, other entries, and tests. */
export const entries: readonly string[] = [
  "client/index.ts",
  "client/native.ts",
  "client/node.ts",
  "host/cli/",
  "host/index.ts",
  "host/index.bun.ts",
  "host/index.deno.ts",
  "host/library.ts",
  "host/runtime/",
];

/** The row that governs a file. */
export function layerOf(file: string): Layer | undefined {
  return layers.filter(({ layer }) => covers(layer, file)).sort((a, b) => b.layer.length - a.layer.length)[0];
}

/** Whether a file is that path or lies below it. */
export function covers(path: string, file: string): boolean {
  return path.endsWith("/") ? file.startsWith(path) : file === path;
}
