/** Why an expression is refused, as errors that name the place, the text at fault and what could stand there. */
import { SluiceError } from "../errors.ts";
import { positionOf } from "./position.ts";

/** The longest text that an error repeats. */
const SHOWN_CHARACTERS_MAX = 64;

/**
 * The expression cannot be read further.
 *
 * @param start Offset of the first token that cannot be.
 * @param end Behind it; equal to `start` at the end of the expression.
 * @param expected What could stand there instead, at least one.
 */
export function unexpected(text: string, start: number, end: number, expected: readonly string[]): SluiceError {
  const position = positionOf(text, start);
  const value = shown(text.slice(start, end));
  const found = start === end ? "it ends" : `${JSON.stringify(value)} cannot stand`;
  return new SluiceError(
    "expression",
    `Cannot read the expression at line ${position.line}, column ${position.column}: ${found} there, expected ${listed(expected)}`,
    { value, ...position, expected: Object.freeze([...expected]) },
  );
}

/**
 * The expression can be read, and its value is never of a type that is wanted there.
 *
 * @param start Offset of the part that gives the value.
 * @param end Behind it.
 * @param gives Its type.
 * @param expected What could stand there instead, at least one.
 */
export function unfit(
  text: string,
  start: number,
  end: number,
  gives: string,
  expected: readonly string[],
): SluiceError {
  const position = positionOf(text, start);
  const value = shown(text.slice(start, end));
  return new SluiceError(
    "expression",
    `Cannot take the expression at line ${position.line}, column ${position.column}: ${JSON.stringify(value)} gives a ${gives}, expected ${listed(expected)}`,
    { value, ...position, expected: Object.freeze([...expected]) },
  );
}

/**
 * The expression is larger than it may be.
 *
 * @param what The end of the sentence that begins with `The expression`, such as `nests 129 levels deep`.
 * @param start Offset where it became too much, where there is such a place.
 */
export function beyond(what: string, value: number, limit: number, text?: string, start?: number): SluiceError {
  const position = text === undefined || start === undefined ? undefined : positionOf(text, start);
  const place = position === undefined ? "" : ` at line ${position.line}, column ${position.column}`;
  return new SluiceError("limit_reached", `The expression ${what}${place}, limit is ${limit}`, {
    value,
    limit,
    ...position,
  });
}

function shown(text: string): string {
  const characters = [...text];
  return characters.length <= SHOWN_CHARACTERS_MAX ? text : `${characters.slice(0, SHOWN_CHARACTERS_MAX).join("")}…`;
}

/** `a`, `a or b`, `a, b or c`. */
function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
