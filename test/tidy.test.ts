/**
 * Order in the house, held by a test and not by hope.
 *
 * Each test lists what offends as `file: what`, so that a failure says where to go.
 */
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { REGIONS_END } from "../core-wasm/abi.ts";
import { adrIndex, adrs } from "../scripts/lib/adr.mjs";
import { covers, entries, layerOf, layers } from "./tidy/layers.ts";
import { anchorsOf, linksOf } from "./tidy/links.ts";
import { bytesOf, exists, files, importsOf, pages, sources, textOf } from "./tidy/sources.ts";

const layered = sources.filter((file) => /^(client|core-wasm|host)\//.test(file));
const imports = layered.flatMap(importsOf);
const LINES_MAX = 500;
/** What an edge worker loads at each cold start: less than a fifth of the usual limit of 1 MiB. */
const CORE_BYTES_MAX = 196_608;
const MEMORY_BYTES_MAX = 2 ** 31;
const PAGE_BYTES = 65536;

describe("imports", () => {
  test("every source of client/, core-wasm/ and host/ belongs to a layer", () => {
    expect(layered.filter((file) => layerOf(file) === undefined)).toEqual([]);
    expect(layered.length).toBeGreaterThan(20);
  });

  test("every row of the table of layers has files", () => {
    expect(layers.filter(({ layer }) => !files.some((file) => covers(layer, file))).map(({ layer }) => layer)).toEqual(
      [],
    );
  });

  test("imported files exist", () => {
    expect(imports.filter(({ isFile, target }) => isFile && !exists(target)).map(show)).toEqual([]);
  });

  test("imports of files follow the table of layers", () => {
    const wrong = imports.filter(({ from, target, isFile }) => {
      const row = layerOf(from);
      return isFile && ![row?.layer ?? "", ...(row?.may ?? [])].some((path) => covers(path, target));
    });
    expect(wrong.map(show)).toEqual([]);
  });

  test("only entries import entries", () => {
    const isEntry = (file: string): boolean => entries.some((path) => covers(path, file));
    expect(imports.filter(({ from, target }) => isEntry(target) && !isEntry(from)).map(show)).toEqual([]);
  });

  test("imports of packages follow the table of layers, and node: only where a reason stands", () => {
    const wrong = imports.filter(({ from, target, isFile }) => {
      const row = layerOf(from);
      if (isFile) return false;
      return target.startsWith("node:") ? row?.runtime === undefined : !row?.packages.includes(target);
    });
    expect(wrong.map(show)).toEqual([]);
  });

  test("no import closes a cycle", () => {
    const graph = new Map(
      layered.map((file) => [file, importsOf(file).filter(({ isFile, isType }) => isFile && !isType)]),
    );
    const state = new Map<string, "open" | "done">();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (state.get(file) === "done") return;
      if (state.get(file) === "open") {
        cycles.push([...path.slice(path.indexOf(file)), file].join(" → "));
        return;
      }
      state.set(file, "open");
      for (const { target } of graph.get(file) ?? []) visit(target, [...path, file]);
      state.set(file, "done");
    };
    for (const file of layered) visit(file, []);
    expect(cycles).toEqual([]);
  });

  test("bench, examples and the scripts import no internals of the host", () => {
    const outside = sources.filter((file) => /^(bench|examples|scripts)\//.test(file)).flatMap(importsOf);
    const wrong = outside.filter(({ target, isFile }) => isFile && /^(client|host|core-wasm)\//.test(target));
    expect(wrong.filter(({ target }) => target !== "host/index.ts" && target !== "core-wasm/abi.ts").map(show)).toEqual(
      [],
    );
  });
});

describe("the release core", () => {
  const module = new WebAssembly.Module(bytesOf("dist/core.wasm"));
  const text = textOf("dist/core.wat");

  test("exports the members of CoreExports, no more and no less", () => {
    const exported = WebAssembly.Module.exports(module).map(({ name }) => name);
    const described = [
      ...membersOf("host/core/exports.ts", "CoreExports"),
      ...membersOf("host/core/condition-exports.ts", "ConditionExports"),
    ];
    expect(exported.sort()).toEqual(described.sort());
  });

  test("imports nothing", () => {
    expect(WebAssembly.Module.imports(module)).toEqual([]);
  });

  test("has no allocator of the language and never grows its memory", () => {
    expect(text.match(/\(func \$~lib\/rt\S*/g) ?? []).toEqual([]);
    expect(text.match(/memory\.grow/g) ?? []).toEqual([]);
    expect(text).toContain("(func $core-wasm/");
  });

  test("starts with room for the fixed regions and may have 2 GiB", () => {
    const [, pages, pagesMax] = /\(memory \$\S+ (\d+) (\d+)\)/.exec(text) ?? [];
    expect(Number(pages) * PAGE_BYTES).toBeGreaterThanOrEqual(REGIONS_END);
    expect(Number(pagesMax) * PAGE_BYTES).toBe(MEMORY_BYTES_MAX);
  });

  test(`has at most ${CORE_BYTES_MAX} bytes`, () => {
    expect(bytesOf("dist/core.wasm").length).toBeLessThanOrEqual(CORE_BYTES_MAX);
  });
});

describe("files", () => {
  test(`have at most ${LINES_MAX} lines`, () => {
    const long = sources.map((file) => ({ file, lines: textOf(file).split("\n").length - 1 }));
    expect(long.filter(({ lines }) => lines > LINES_MAX).map(({ file, lines }) => `${file}: ${lines}`)).toEqual([]);
  });

  test("have kebab-case names", () => {
    const odd = sources.filter((file) => !/^[a-z0-9]+([-.][a-z0-9]+)*$/.test(file.split("/").at(-1) ?? ""));
    expect(odd.filter((file) => !file.startsWith("."))).toEqual([]);
  });

  test("leave nothing for later and excuse nothing", () => {
    // Written apart, so that this line does not offend itself.
    const banned = new RegExp(`\\b(${["TO" + "DO", "FIX" + "ME", "X" + "XX"].join("|")})\\b|\\bhac${"k"}(s|y|ish)?\\b`);
    const offences = [...sources, ...pages].flatMap((file) =>
      textOf(file)
        .split("\n")
        .flatMap((line, index) => (banned.test(line) ? [`${file}:${index + 1}: ${line.trim()}`] : [])),
    );
    expect(offences).toEqual([]);
  });

  test("need no type `any` in client/ and host/", () => {
    const offences = layered.filter(
      (file) => /^(client|host)\//.test(file) && /[:<|,]\s*any\b(?![\w-])(?=\s*[;,)>=|[\]])/.test(textOf(file)),
    );
    expect(offences).toEqual([]);
  });
});

describe("exports", () => {
  test("have a doc comment, constants that name themselves excepted", () => {
    // The exports of core-wasm/index.ts are described where the host reads them, in host/core/exports.ts.
    const silent = layered.filter((file) => file !== "core-wasm/index.ts").flatMap(undocumented);
    expect(silent).toEqual([]);
  });
});

describe("pages", () => {
  test("link to files and headings that exist", () => {
    const broken = pages.flatMap((page) =>
      linksOf(page).filter(({ path, anchor }) => {
        if (!exists(path)) return true;
        return anchor !== undefined && path.endsWith(".md") && !anchorsOf(textOf(path)).includes(anchor);
      }),
    );
    expect(broken.map(({ page, link }) => `${page}: ${link}`)).toEqual([]);
  });

  test("the index of decisions is complete", () => {
    expect(adrs.length).toBeGreaterThan(0);
    expect(textOf("docs/adr/README.md"), 'run "npm run docs"').toBe(adrIndex());
  });

  test("decisions are numbered without gaps and say their status", () => {
    expect(adrs.map(({ number }) => number)).toEqual(adrs.map((_, index) => index + 1));
    expect(adrs.filter(({ status }) => !/^(accepted|proposed|rejected|superseded by \d{4})$/.test(status))).toEqual([]);
  });
});

function show({ from, target }: { from: string; target: string }): string {
  return `${from}: ${target}`;
}

/** Exported functions, classes, interfaces and types without a doc comment. */
function undocumented(file: string): string[] {
  const source = ts.createSourceFile(file, textOf(file), ts.ScriptTarget.Latest, true);
  return source.statements.flatMap((one) => {
    const isNamed = ts.isFunctionDeclaration(one) || ts.isClassDeclaration(one) || ts.isInterfaceDeclaration(one);
    if (!isNamed && !ts.isTypeAliasDeclaration(one)) return [];
    const isExported = one.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true;
    return isExported && ts.getJSDocCommentsAndTags(one).length === 0 ? [`${file}: ${one.name?.text}`] : [];
  });
}

/** Names of the members of an interface. */
function membersOf(file: string, name: string): string[] {
  const source = ts.createSourceFile(file, textOf(file), ts.ScriptTarget.Latest);
  const found = source.statements.filter(ts.isInterfaceDeclaration).find((one) => one.name.text === name);
  return (found?.members ?? []).map((member) => (member.name as ts.Identifier).text);
}
