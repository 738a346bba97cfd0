/** What the tidy tests look at: the repository's own text files and what they import. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Nothing of ours below these. */
const FOREIGN = /^(\.git|dist|coverage|bench\/results)$|(^|\/)node_modules$/;

/** Paths of all files of ours, relative to the root, sorted. */
export const files: readonly string[] = filesBelow("").sort();

/** Files in AssemblyScript, TypeScript or JavaScript that somebody wrote, generated ones excepted. */
export const sources: readonly string[] = files.filter((file) => /\.(ts|mjs)$/.test(file) && !isGenerated(file));

/** Pages. */
export const pages: readonly string[] = files.filter((file) => file.endsWith(".md"));

/** Output of generators: committed, never edited. */
export function isGenerated(file: string): boolean {
  return file.startsWith("host/gen/");
}

/** A file's text. */
export function textOf(file: string): string {
  return readFileSync(root + file, "utf8");
}

/** A file's bytes. */
export function bytesOf(file: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(root + file));
}

/** Whether a path relative to the root exists. */
export function exists(path: string): boolean {
  return existsSync(root + path);
}

/** One import or re-export. `target` is a file relative to the root, or a package's or builtin's name. */
export interface Import {
  readonly from: string;
  readonly target: string;
  readonly isFile: boolean;
  /** Gone after compilation: it can close no cycle at run time. */
  readonly isType: boolean;
}

/** All imports of a source file, static, dynamic with a literal, and re-exports. */
export function importsOf(from: string): Import[] {
  const found: Import[] = [];
  const add = (name: string, isType: boolean): void => {
    const isFile = name.startsWith(".");
    found.push({ from, target: isFile ? resolve(from, name) : packageOf(name), isFile, isType });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) {
      const name = node.moduleSpecifier;
      if (name !== undefined && ts.isStringLiteral(name)) add(name.text, isTypeOnly(node));
    } else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [name] = node.arguments;
      if (name !== undefined && ts.isStringLiteralLike(name)) add(name.text, false);
    } else if (
      ts.isImportTypeNode(node) &&
      ts.isLiteralTypeNode(node.argument) &&
      ts.isStringLiteral(node.argument.literal)
    ) {
      add(node.argument.literal.text, true);
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(from, textOf(from), ts.ScriptTarget.Latest));
  return found;
}

function isTypeOnly(node: ts.ImportDeclaration | ts.ExportDeclaration): boolean {
  if (ts.isExportDeclaration(node)) return node.isTypeOnly;
  const clause = node.importClause;
  if (clause === undefined) return false;
  const names = clause.namedBindings;
  return (
    clause.isTypeOnly ||
    (clause.name === undefined &&
      names !== undefined &&
      ts.isNamedImports(names) &&
      names.elements.every((one) => one.isTypeOnly))
  );
}

/** AssemblyScript leaves the extension out. */
function resolve(from: string, name: string): string {
  const path = posix.join(posix.dirname(from), name);
  return [path, `${path}.ts`, `${path}/index.ts`].find((one) => exists(one) && statSync(root + one).isFile()) ?? path;
}

function packageOf(name: string): string {
  if (name.startsWith("node:")) return name;
  return name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");
}

function filesBelow(folder: string): string[] {
  return readdirSync(root + folder, { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (FOREIGN.test(path) || isIgnored(entry.name)) return [];
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

/** What editors and operating systems leave behind; .gitignore has the same. */
function isIgnored(name: string): boolean {
  return /^(\.DS_Store|\.prepare\.lock)$|\.(log|tgz)$/.test(name);
}
