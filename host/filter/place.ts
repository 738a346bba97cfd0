/**
 * The places of a route in which expressions stand: what each may name, and what it must be able to give.
 *
 * What can be seen from the text alone is refused when a filter is bound, with the place in the expression, instead of being
 * false for every event afterwards.
 */
import { SluiceError } from "../errors.ts";
import type * as ast from "../expression/ast.ts";
import { childrenOf } from "../expression/ast.ts";
import { type CompiledExpression, compileExpression } from "../expression/compile.ts";
import type { Dialect } from "../expression/dialect.ts";
import { unexpected } from "../expression/failure.ts";
import { assertType, type StaticType } from "../expression/static-type.ts";

/** What a place takes. */
interface Rule {
  /** Whether it is asked of each sink, and so may name `sink.NAME`. */
  readonly sink: boolean;
  /** What its value must be able to be. */
  readonly types: readonly StaticType[];
}

const anything: readonly StaticType[] = ["boolean", "number", "text"];

const rules = {
  /** A condition on the event alone: `when`, `reply.response`. */
  event: { sink: false, types: ["boolean"] },
  /** A condition on the event and a sink: `where`. */
  sink: { sink: true, types: ["boolean"] },
  /** A number for each sink: `orderBy`. */
  rank: { sink: true, types: ["number"] },
  /** A number for the event: `limit`. */
  count: { sink: false, types: ["number"] },
  /** Anything that sinks may have in common: `per`. */
  group: { sink: true, types: anything },
  /** Anything that events may have in common: `unique.by`. */
  key: { sink: false, types: anything },
} as const satisfies Readonly<Record<string, Rule>>;

/** A place in a route. */
export type Place = keyof typeof rules;

/** An expression of a filter that is refused: which one it is, so that it can be shown with a caret. */
export class FilterExpressionError extends SluiceError {
  /** Where it stands in what was sent, such as `routes[0].where`. */
  readonly field: string;
  readonly expression: string;

  constructor(field: string, expression: string, refused: SluiceError) {
    const { value, limit, line, column, expected } = refused;
    // The sentence of whoever refused it, with the field in place of "the expression".
    super(refused.code, refused.message.replace(/\b[Tt]he expression\b/, field), {
      value,
      limit,
      ...(line === undefined ? {} : { line }),
      ...(column === undefined ? {} : { column }),
      ...(expected === undefined ? {} : { expected }),
      cause: refused,
    });
    this.field = field;
    this.expression = expression;
  }
}

/**
 * Reads and compiles an expression of a route.
 *
 * @param field Where it stands, for the error.
 * @throws {FilterExpressionError} `expression` with the field, line and column; `limit_reached`.
 */
export function expressionOf(source: string, dialect: Dialect, place: Place, field: string): CompiledExpression {
  const rule: Rule = rules[place];
  try {
    const compiled = compileExpression(source, dialect);
    const sink = rule.sink ? undefined : sinkIn(compiled.tree);
    if (sink !== undefined) throw unexpected(source, sink.start, sink.end, ["a name of the event"]);
    assertType(source, compiled.tree, ...rule.types);
    return compiled;
  } catch (thrown) {
    if (!(thrown instanceof SluiceError)) throw thrown;
    throw new FilterExpressionError(field, source, thrown);
  }
}

/** The first attribute of a sink that an expression asks for. Recursion is bounded by limits.expressionDepth. */
function sinkIn(node: ast.Expression): ast.Name | undefined {
  if (node.kind === "name") return node.scope === "sink" ? node : undefined;
  for (const child of childrenOf(node)) {
    const found = sinkIn(child);
    if (found !== undefined) return found;
  }
  return undefined;
}
