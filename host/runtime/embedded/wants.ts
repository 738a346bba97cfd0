/**
 * What handlers want, together and one by one.
 *
 * A service manager is one sink of a channel whatever the number of its handlers, so the core is asked for what any of them
 * wants, and whose an event is, is asked again when it is handed out. The core runs the expressions both times.
 */
import { type Core, placeScratch } from "../../core/instance.ts";
import { isSluiceError, SluiceError } from "../../errors.ts";
import { type Where, whereFrom } from "../../session/where.ts";

/** What one handler wants; neither: everything. */
export interface Want {
  readonly types: ReadonlySet<string> | undefined;
  readonly where: Where | undefined;
}

/** What a join asks for, in its own words. */
export interface WantedTogether {
  readonly types: readonly string[];
  readonly where: string;
  readonly dialect: string;
}

const everything: WantedTogether = Object.freeze({ types: [], where: "", dialect: "" });

/**
 * What any of several handlers wants. Where that cannot be said in one expression it is more: what nobody wants is found out
 * when it is handed out.
 */
export function together(wants: readonly Want[]): WantedTogether {
  const [only] = wants;
  if (only !== undefined && wants.length === 1) {
    const dialect = only.where?.dialect === "cesql" ? "cesql" : "";
    return { types: [...(only.types ?? [])], where: only.where?.text ?? "", dialect };
  }
  if (wants.some(({ types, where }) => types === undefined && where === undefined)) return everything;
  const types = wants.every((want) => want.types !== undefined)
    ? [...new Set(wants.flatMap((want) => [...(want.types ?? [])]))]
    : [];
  if (wants.every(({ where }) => where === undefined)) return { ...everything, types };
  const dialects = new Set(wants.flatMap(({ where }) => (where === undefined ? [] : [where.dialect])));
  const clauses = wants.map(clauseOf);
  if (dialects.size !== 1 || clauses.includes(undefined)) return { ...everything, types };
  const dialect = dialects.has("cesql") ? "cesql" : "";
  const where = [...new Set(clauses)].join(" OR ");
  return isTaken(where, dialect) ? { types, where, dialect } : { ...everything, types };
}

/** One handler's want as an expression; undefined where its types cannot be written in one. */
function clauseOf({ types, where }: Want): string | undefined {
  if (types === undefined) return where && `(${where.text})`;
  // A backslash before a quote would escape it.
  if ([...types].some((type) => /['\\]/.test(type))) return undefined;
  const named = `type IN (${[...types].map((type) => `'${type}'`).join(", ")})`;
  return where === undefined ? `(${named})` : `(${named} AND (${where.text}))`;
}

/** Whether an expression is within the limits of expressions. */
function isTaken(where: string, dialect: string): boolean {
  try {
    whereFrom(where, dialect);
    return true;
  } catch (error) {
    if (isSluiceError(error)) return false;
    throw error;
  }
}

/** An expression that the core keeps, given again to a core that is new. */
export class KeptWhere {
  readonly #where: Where;
  #core: Core | undefined = undefined;
  #handle = 0;

  constructor(where: Where) {
    this.#where = where;
  }

  /** @throws {SluiceError} `store_full` where the core has no room for it. */
  handle(core: Core): number {
    if (this.#core === core) return this.#handle;
    const { program, text } = this.#where;
    const handle = core.exports.expressionAdd(placeScratch(core, program), program.length);
    if (handle === 0)
      throw new SluiceError("store_full", `The core has no room for the expression ${text.slice(0, 64)}`);
    this.#core = core;
    this.#handle = handle;
    return handle;
  }

  /** Gives it back. */
  release(core: Core): void {
    if (this.#core === core) core.exports.expressionRelease(this.#handle);
    this.#core = undefined;
  }
}

/** Whether an expression holds of an event, with the live attributes that a member has now. */
export function holds(core: Core, where: KeptWhere, event: Uint8Array, member: number): boolean {
  // First the handle: keeping a program uses the room where the event is to lie.
  const handle = where.handle(core);
  return core.exports.expressionTest(handle, placeScratch(core, event), event.length, member) === 1;
}
