/** Shows where an expression is wrong: its line, and a caret below the place. */
import type { Position } from "./position.ts";

/** Characters on each side of the place that are shown: with both a line of a terminal. */
const SIDE_CHARACTERS = 36;

/**
 * Two lines: the one of the expression that has the place, cut where it is long, and `^` below the place.
 *
 * Control characters and others without a width are shown as `·`, so that no expression can write to the terminal and
 * the caret stands where it should; tabs are shown as one space.
 *
 * @param position As in the problem: line and column from 1.
 */
export function caretLines(expression: string, { line, column }: Position): string {
  const characters = [...(expression.split("\n")[line - 1] ?? "")].map(shown);
  const at = column - 1;
  const from = Math.max(0, at - SIDE_CHARACTERS);
  const to = Math.min(characters.length, at + SIDE_CHARACTERS);
  const before = `${from > 0 ? "…" : ""}${characters.slice(from, at).join("")}`;
  const behind = `${characters.slice(at, to).join("")}${to < characters.length ? "…" : ""}`;
  return `${before}${behind}\n${" ".repeat([...before].length)}^`;
}

function shown(character: string): string {
  if (character === "\t") return " ";
  return /[\p{Cc}\p{Cf}\p{Cs}\p{Mn}\p{Me}\p{Zl}\p{Zp}]/u.test(character) ? "·" : character;
}
