/**
 * Tables that fit the terminal: columns shrink from the first one on, figures never.
 */
import { columnsOf, cut, pad, type Style } from "./style.ts";

/** One column. Only columns with `shrinks` are cut when the table would be wider than the screen. */
export interface Column {
  readonly title: string;
  /** Figures stand on the right. */
  readonly right?: boolean;
  readonly shrinks?: boolean;
}

const GAP = "  ";
/** A cut column keeps at least this much, or it would say nothing. */
const SHRUNK_COLUMNS_MIN = 8;
/** Where the output is a pipe: the width people paste into. */
const COLUMNS_DEFAULT = 80;

/**
 * Renders rows under titles.
 *
 * @param widthMax Columns of the screen; undefined takes 80.
 * @returns Lines without newline; the titles are the first.
 */
export function linesFromTable(
  columns: readonly Column[],
  rows: ReadonlyArray<readonly string[]>,
  style: Style,
  widthMax: number = COLUMNS_DEFAULT,
): string[] {
  const widths = columns.map((column, index) =>
    Math.max(columnsOf(column.title), ...rows.map((row) => columnsOf(row[index] ?? ""))),
  );
  let excess = widths.reduce((sum, width) => sum + width, GAP.length * (columns.length - 1)) - widthMax;
  // The widest of the columns that may shrink gives first, one character at a time: no column starves another.
  while (excess > 0) {
    const widest = widestShrinkable(columns, widths);
    if (widest === -1) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) =>
        pad(cut(cells[index] ?? "", widths[index] ?? 0), widths[index] ?? 0, column.right === true),
      )
      .join(GAP)
      .trimEnd();
  return [style.dim(line(columns.map((column) => column.title))), ...rows.map(line)];
}

function widestShrinkable(columns: readonly Column[], widths: readonly number[]): number {
  let found = -1;
  for (const [index, column] of columns.entries()) {
    const width = widths[index] ?? 0;
    if (column.shrinks !== true || width <= SHRUNK_COLUMNS_MIN) continue;
    if (found === -1 || width > (widths[found] ?? 0)) found = index;
  }
  return found;
}
