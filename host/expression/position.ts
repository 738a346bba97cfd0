/** Where something stands in a text, as people count. */

/** Line and column of a character, both from 1; columns count characters (code points), a tab is one. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** @param offset In UTF-16 units; at most the length of the text. */
export function positionOf(text: string, offset: number): Position {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf("\n") + 1;
  let line = 1;
  for (let at = before.indexOf("\n"); at >= 0; at = before.indexOf("\n", at + 1)) line++;
  let column = 1;
  for (const _ of before.slice(lineStart)) column++;
  return { line, column };
}
