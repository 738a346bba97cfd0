/** Everything that is wrong with a contract, each with its place in the document, told in one answer. */
import { textFromPath } from "../check.ts";
import { isSluiceError, SluiceError } from "../errors.ts";

/** A place in a text, from 1. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** Finds where a path of a document stands in the text that it was read from. */
export type Locate = (path: readonly PropertyKey[]) => TextPlace | undefined;

/** Reasons in one answer: who has made more mistakes begins with these. */
const REASONS_MAX = 32;

interface Problem {
  readonly path: readonly PropertyKey[];
  readonly error: SluiceError;
}

/** A refusal with all its reasons; the first of them says code, value and limit. */
export class ContractError extends SluiceError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly [Problem, ...Problem[]], locate?: Locate) {
    const { code, message, ...details } = problems[0].error;
    super(code, message, { ...details, reasons: reasonsOf(problems, locate) });
    this.problems = problems;
  }

  /** The same with places in a text. */
  located(locate: Locate): ContractError {
    return new ContractError(this.problems as [Problem, ...Problem[]], locate);
  }
}

/** Gathers what is wrong. */
export class ContractProblems {
  readonly #problems: Problem[] = [];

  add(path: readonly PropertyKey[], error: SluiceError): void {
    this.#problems.push({ path, error });
  }

  /** Runs something; what it refuses is noted. Faults are thrown on. */
  attempt(path: readonly PropertyKey[], work: () => void): void {
    try {
      work();
    } catch (thrown) {
      if (!isSluiceError(thrown)) throw thrown;
      this.add(path, thrown);
    }
  }

  /** @throws {ContractError} where something is wrong. */
  assertNone(): void {
    if (this.#problems.length > 0) throw this.error();
  }

  /** The refusal; only where there is something wrong. */
  error(): ContractError {
    return new ContractError(this.#problems as [Problem, ...Problem[]]);
  }
}

function reasonsOf(problems: readonly Problem[], locate?: Locate): string[] {
  const reasons = problems.slice(0, REASONS_MAX).map(({ path, error }) => {
    const at = locate?.(path);
    const place = at === undefined ? "" : ` (line ${at.line}, column ${at.column})`;
    return `${textFromPath(path)}${place}: ${error.message}`;
  });
  const more = problems.length - reasons.length;
  return more === 0 ? reasons : [...reasons, `and ${more} more`];
}

/** What is said is at odds with something else that is said, or is not there. */
export function contradiction(message: string, value: string): SluiceError {
  return new SluiceError("contradiction", message, { value });
}
