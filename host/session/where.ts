/**
 * Subscription filters: from the text of a `where` to the program that the core runs for each event.
 */

import { RESULT_LIMIT, RESULT_STATUS, RESULT_VALUE, STATUS_OK } from "../../core-wasm/abi.ts";
import type { Core } from "../core/instance.ts";
import { placeScratch } from "../core/instance.ts";
import { errorFromStatus } from "../core/status.ts";
import { compileExpression } from "../expression/compile.ts";
import { limits } from "../limits.ts";

/** Programs of the last expressions: a thousand clients that reconnect mostly bring a few. Oldest first. */
const programs = new Map<string, Uint8Array<ArrayBuffer>>();

/**
 * The program of an expression.
 *
 * @param dialect "" or "cesql", as in a join.
 * @throws {SluiceError} `expression` with line, column and what was expected; `limit_reached`.
 */
export function programOf(where: string, dialect: string): Uint8Array<ArrayBuffer> {
  const key = `${dialect}\n${where}`;
  const known = programs.get(key);
  if (known !== undefined) return known;
  const { program } = compileExpression(where, dialect === "cesql" ? "cesql" : "sluice");
  if (programs.size >= limits.expressionsKept) {
    const [oldest] = programs.keys();
    if (oldest !== undefined) programs.delete(oldest);
  }
  programs.set(key, program);
  return program;
}

/**
 * Has a sink get only what an expression holds of; "" takes it away.
 *
 * @throws {SluiceError} as {@link programOf}; `store_full`, `limit_reached` where the core has no room for it.
 */
export function setWhere(core: Core, member: number, where: string, dialect: string): void {
  const { exports } = core;
  let expression = 0;
  if (where !== "") {
    const program = programOf(where, dialect);
    expression = exports.expressionAdd(placeScratch(core, program), program.length);
    if (expression === 0) throw refusal(core, core.views.result[RESULT_STATUS] as number);
  }
  const status = exports.memberWhere(member, expression);
  if (status === STATUS_OK) return;
  exports.expressionRelease(expression);
  throw refusal(core, status);
}

function refusal(core: Core, status: number): Error {
  return errorFromStatus(status, core.views.result[RESULT_VALUE] as number, core.views.result[RESULT_LIMIT] as number);
}
