/**
 * `sluice contract apply·ls·show·evaluate·rm`: regions of operation as resources of the control plane. watch and plan are in
 * files of their own.
 */
import { listed, request, type Target } from "./client.ts";
import { documentsOf } from "./contract-file.ts";
import { type ContractLike, linesFromContract, pathText, type TransitionLike } from "./contract-tree.ts";
import { counted, figure, printable } from "./style.ts";
import { type Column, linesFromTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

const COLUMNS: readonly Column[] = [
  { title: "CONTRACT", shrinks: true },
  { title: "REGION", shrinks: true },
  { title: "EVALUATIONS", right: true },
  { title: "FAILURES", right: true },
  { title: "NOTE", shrinks: true },
];

/** The address of a contract. */
export function contractPath(name: string): string {
  return `/v1/contracts/${encodeURIComponent(name)}`;
}

/** Puts every document of a file, in their order; the first that is refused ends it. */
export async function contractApply(
  file: string,
  options: { readonly name?: string; readonly json?: boolean },
  target: Target,
  terminal: Terminal,
): Promise<void> {
  for (const { name, text } of await documentsOf(file, options, terminal)) {
    // A machine's JSON may be larger than what is read as YAML.
    const type = text.trimStart().startsWith("{") ? "application/json" : "application/yaml";
    const { status, body } = await request(target, "PUT", contractPath(name), {
      raw: new TextEncoder().encode(text),
      headers: { "content-type": type },
    });
    const { warnings, path } = body as ContractLike;
    if (options.json === true) terminal.print(JSON.stringify(body));
    else terminal.print(`${printable(name)} ${status === 201 ? "created" : `replaced, in ${pathText(path)}`}`);
    for (const warning of warnings) terminal.note(`${printable(name)}: ${printable(warning)}`);
  }
}

/** Prints every contract, as a table or one JSON resource per line. */
export async function contractLs(
  options: { readonly json?: boolean },
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const found: ContractLike[] = [];
  for await (const contract of listed(target, "/v1/contracts")) {
    if (options.json === true) terminal.print(JSON.stringify(contract));
    else found.push(contract as ContractLike);
    terminal.progress(() => `${figure(found.length)} contracts`);
  }
  terminal.progress(undefined);
  if (options.json === true) return;
  if (found.length === 0) {
    terminal.print("no contracts; make one with: sluice contract apply FILE");
    return;
  }
  const rows = found.map(({ name, path, status, evaluations, failures, lastFailure, warnings }) => {
    const behind = status === "no_region" ? "nothing holds now" : undefined;
    const note = behind ?? lastFailure?.detail ?? (warnings.length === 0 ? "" : counted(warnings.length, "warning"));
    return [printable(name), pathText(path), figure(evaluations), figure(failures), printable(note)];
  });
  for (const line of linesFromTable(COLUMNS, rows, terminal.style, terminal.width)) terminal.print(line);
}

/** Prints one contract as a tree. */
export async function contractShow(
  name: string,
  options: { readonly json?: boolean },
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const { body } = await request(target, "GET", contractPath(name));
  if (options.json === true) {
    terminal.print(JSON.stringify(body));
    return;
  }
  const last = await lastTransition(name, target);
  for (const line of linesFromContract(body as ContractLike, last, terminal.style, terminal.width))
    terminal.print(line);
}

/** The newest transition of a contract. */
export async function lastTransition(name: string, target: Target): Promise<TransitionLike | undefined> {
  const { body } = await request(target, "GET", `${contractPath(name)}/transitions`);
  return (body as { readonly data: readonly TransitionLike[] }).data.at(-1);
}

/** Evaluates one contract and prints where it is. */
export async function contractEvaluate(
  name: string,
  options: { readonly json?: boolean },
  target: Target,
  terminal: Terminal,
): Promise<void> {
  const { body } = await request(target, "POST", `${contractPath(name)}/evaluate`);
  const { path } = body as { readonly path: readonly string[] };
  terminal.print(options.json === true ? JSON.stringify(body) : pathText(path));
}

/** Removes contracts, in the order given. */
export async function contractRm(names: readonly string[], target: Target, terminal: Terminal): Promise<void> {
  for (const name of names) {
    await request(target, "DELETE", contractPath(name));
    terminal.print(`${printable(name)} removed`);
  }
}
