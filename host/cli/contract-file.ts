/** Contracts of a file: YAML or JSON, any number of documents, as `sluice contract apply` and `plan` take them. */
import { readFile } from "node:fs/promises";
import { readYaml } from "../contract/yaml.ts";
import { CliError, EXIT_USAGE, messageOf } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** A contract of a file. */
export interface FileDocument {
  readonly name: string;
  /** Its text, with its lines where they are in the file. */
  readonly text: string;
  readonly value: unknown;
}

/**
 * Reads a file.
 *
 * @param file - for standard input.
 * @throws {CliError} where it cannot be read, has no contract, or one without a name.
 */
export async function documentsOf(
  file: string,
  options: { readonly name?: string },
  terminal: Terminal,
): Promise<FileDocument[]> {
  const texts = textsIn(await textOf(file, terminal));
  if (texts.length === 0) throw new CliError(`${file} has no contract`);
  if (options.name !== undefined && texts.length > 1)
    throw new CliError(`--name is for one contract, ${file} has ${texts.length}`, { exitCode: EXIT_USAGE });
  return texts.map((text) => {
    const value = valueIn(text);
    const name = options.name ?? nameIn(value);
    if (name === undefined)
      throw new CliError(`a contract in ${file} has no name; write one, or give --name`, { exitCode: EXIT_USAGE });
    return { name, text, value };
  });
}

async function textOf(file: string, { stdin }: Terminal): Promise<string> {
  try {
    if (file !== "-") return await readFile(file, "utf8");
    const chunks: Buffer[] = [];
    for await (const chunk of stdin) chunks.push(Buffer.from(chunk as Uint8Array | string));
    return Buffer.concat(chunks).toString("utf8");
  } catch (cause) {
    throw new CliError(`cannot read ${file}: ${messageOf(cause)}`, { cause });
  }
}

/** The documents of a text. Each keeps the lines before it, empty, so that places in refusals are those of the file. */
function textsIn(text: string): string[] {
  const documents: string[][] = [[]];
  for (const [index, line] of text.split("\n").entries()) {
    if (/^---(\s|$)/.test(line)) documents.push(Array.from({ length: index + 1 }, () => ""));
    else documents.at(-1)?.push(line);
  }
  return documents.filter((lines) => lines.some((line) => /^\s*[^\s#]/.test(line))).map((lines) => lines.join("\n"));
}

/** What a document says; undefined where it cannot be read, which is the host's to tell. */
function valueIn(text: string): unknown {
  return text.trimStart().startsWith("{") ? jsonFrom(text) : readYaml(text).value;
}

function nameIn(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || !("name" in value)) return undefined;
  return typeof value.name === "string" ? value.name : undefined;
}

/** Braces begin YAML, too. */
function jsonFrom(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return readYaml(text).value;
  }
}
