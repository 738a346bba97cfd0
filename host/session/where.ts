/**
 * Subscription filters: from the text of a `where` to the program that the core runs for each event.
 */
import { RESULT_LIMIT, RESULT_STATUS, RESULT_VALUE, STATUS_OK } from "../../core-wasm/abi.ts";
import { type Core, placeScratch } from "../core/instance.ts";
import { errorFromStatus } from "../core/status.ts";
import { compileExpression } from "../expression/compile.ts";
import type { Dialect } from "../expression/dialect.ts";
import { assertType } from "../expression/static-type.ts";

/** The filter of a join, as it was given and as the core takes it. */
export interface Where {
  readonly text: string;
  readonly dialect: Dialect;
  readonly program: Uint8Array<ArrayBuffer>;
}

/**
 * Reads the filter of a join.
 *
 * @param text "" for none.
 * @param dialect "" or "cesql".
 * @throws {SluiceError} `expression` with line, column and what was expected, also where it gives numbers or texts whatever
 *   the event is; `limit_reached`.
 */
export function whereFrom(text: string, dialect: string): Where | undefined {
  if (text === "") return undefined;
  const spoken = dialect === "cesql" ? "cesql" : "sluice";
  const { tree, program } = compileExpression(text, spoken);
  assertType(text, tree, "boolean");
  return { text, dialect: spoken, program };
}

/**
 * Has a sink get only what a filter holds of; undefined: everything.
 *
 * @throws {SluiceError} `store_full`, `limit_reached` where the core has no room for it; the filter before stays then.
 */
export function setWhere(core: Core, member: number, where: Where | undefined): void {
  const { exports } = core;
  const expression = addWhere(core, where);
  const status = exports.memberWhere(member, expression);
  if (status === STATUS_OK) return;
  exports.expressionRelease(expression);
  throw refusal(core, status);
}

/**
 * Has the core know a filter.
 *
 * @returns Its number, which is the caller's to release; 0 for undefined.
 * @throws {SluiceError} `store_full`, `limit_reached` where the core has no room for it.
 */
export function addWhere(core: Core, where: Where | undefined): number {
  if (where === undefined) return 0;
  const expression = core.exports.expressionAdd(placeScratch(core, where.program), where.program.length);
  if (expression === 0) throw refusal(core, core.views.result[RESULT_STATUS] as number);
  return expression;
}

function refusal(core: Core, status: number): Error {
  return errorFromStatus(status, core.views.result[RESULT_VALUE] as number, core.views.result[RESULT_LIMIT] as number);
}
