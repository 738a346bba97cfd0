/**
 * Tables that fit the terminal: columns shrink from the widest one on, figures never, and what must be read whole wraps.
 */
import { columnsOf, cut, pad, type Style, wrapped } from "./style.ts";

/** One column. Only columns with `shrinks` are cut when the table would be wider than the screen. */
export interface Column {
  readonly title: string;
  /** Figures stand on the right. */
  readonly right?: boolean;
  readonly shrinks?: boolean;
  /** Only of the last one: sentences, which go on in further lines; a cut sentence would keep its point to itself. */
  readonly wraps?: boolean;
}

const GAP = "  ";
/** A cut column keeps at least this much, or it would say nothing. */
const SHRUNK_COLUMNS_MIN = 8;
/** Where the output is a pipe: the width people paste into. */
const COLUMNS_DEFAULT = 80;
/** Sentences in less than this are hard to read: they go below their row then, behind this much space. */
const WRAPPED_COLUMNS_MIN = 28;
const BELOW_INDENT = 4;

/**
 * Renders rows under titles.
 *
 * @param widthMax Columns of the screen; undefined, a pipe: 80, but what wraps stays in one line, for `grep`.
 * @returns Lines without newline; the titles are the first.
 */
export function linesFromTable(
  columns: readonly Column[],
  rows: ReadonlyArray<readonly string[]>,
  style: Style,
  widthMax?: number,
): string[] {
  const last = columns.at(-1);
  if (last?.wraps !== true) return plainLines(columns, rows, style, widthMax ?? COLUMNS_DEFAULT);
  const head = columns.slice(0, -1);
  const atMost = widthMax ?? COLUMNS_DEFAULT;
  const beside = widthsOf(head, rows, atMost - WRAPPED_COLUMNS_MIN - GAP.length);
  const indent = widthOf(beside) + GAP.length;
  const below = widthMax !== undefined && atMost - indent < WRAPPED_COLUMNS_MIN;
  const titles = plainLines(head, rows, style, below ? atMost : indent - GAP.length);
  return titles.flatMap((line, index) => {
    const text = index === 0 ? last.title : (rows[index - 1]?.[head.length] ?? "");
    if (text === "") return [line];
    if (below) return index === 0 ? [line] : [line, ...hung(text, atMost, BELOW_INDENT)];
    const [first = "", ...rest] = hung(text, widthMax === undefined ? Number.POSITIVE_INFINITY : atMost, indent);
    const padded = pad(line, indent) + (index === 0 ? style.dim(first.trimStart()) : first.trimStart());
    return [padded, ...rest];
  });
}

/** Lines that begin behind `indent` columns and end at `widthMax`. */
function hung(text: string, widthMax: number, indent: number): string[] {
  return wrapped(text, widthMax - indent).map((line) => " ".repeat(indent) + line);
}

function plainLines(
  columns: readonly Column[],
  rows: ReadonlyArray<readonly string[]>,
  style: Style,
  widthMax: number,
): string[] {
  const widths = widthsOf(columns, rows, widthMax);
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) =>
        pad(cut(cells[index] ?? "", widths[index] ?? 0), widths[index] ?? 0, column.right === true),
      )
      .join(GAP)
      .trimEnd();
  return [style.dim(line(columns.map((column) => column.title))), ...rows.map(line)];
}

function widthsOf(columns: readonly Column[], rows: ReadonlyArray<readonly string[]>, widthMax: number): number[] {
  const widths = columns.map((column, index) =>
    Math.max(columnsOf(column.title), ...rows.map((row) => columnsOf(row[index] ?? ""))),
  );
  // The widest of the columns that may shrink gives first, one character at a time: no column starves another.
  for (let excess = widthOf(widths) - widthMax; excess > 0; excess -= 1) {
    const widest = widestShrinkable(columns, widths);
    if (widest === -1) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

/** Of a line with columns of these widths. */
function widthOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, GAP.length * (widths.length - 1));
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
