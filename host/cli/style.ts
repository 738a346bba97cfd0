/**
 * How text looks on a terminal: colour only where it is wanted, nothing that a publisher could use to steer the terminal,
 * and lines that fit.
 */

/** Wraps text in a colour, or leaves it alone where the output is no terminal. */
export interface Style {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly cyan: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly red: (text: string) => string;
}

/** What of a stream decides about colour and width. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whether to colour: on a terminal that is not dumb, unless NO_COLOR is set to anything (https://no-color.org).
 */
export function wantsColour(screen: Screen, env: Environment): boolean {
  if (env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "") return false;
  return screen.isTTY === true && env["TERM"] !== "dumb";
}

/** Columns to fit into, or undefined where lines may be as long as they are (a pipe). COLUMNS overrides both. */
export function widthOf(screen: Screen, env: Environment): number | undefined {
  const told = Number(env["COLUMNS"]);
  if (Number.isInteger(told) && told >= 20) return told;
  return screen.isTTY === true ? (screen.columns ?? 80) : undefined;
}

/** The colours, or functions that give back what they got. */
export function createStyle(colour: boolean): Style {
  const paint = (open: number, close: number) => (text: string) =>
    colour && text !== "" ? `\u001b[${open}m${text}\u001b[${close}m` : text;
  return {
    bold: paint(1, 22),
    dim: paint(2, 22),
    cyan: paint(36, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    red: paint(31, 39),
  };
}

/**
 * Text from elsewhere as it may be shown: control characters (C0, C1, DEL) and those that reorder a line become \uXXXX.
 *
 * An event could otherwise move the cursor, retitle the window or hide what follows it.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: finding them is the purpose
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** Columns a text takes: code points, wide ones (CJK, emoji) twice, combining marks not at all. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += columnsOfCharacter(character);
  return columns;
}

/** Cuts to at most `columnsMax` columns, the last of which is then "…". */
export function cut(text: string, columnsMax: number): string {
  if (text.length <= columnsMax && columnsOf(text) <= columnsMax) return text;
  let columns = 0;
  let kept = "";
  for (const character of text) {
    columns += columnsOfCharacter(character);
    if (columns > columnsMax - 1) break;
    kept += character;
  }
  return columnsOf(text) <= columnsMax ? text : `${kept}…`;
}

/**
 * Text in lines of at most `columnsMax` columns, broken at spaces; a word that is longer has a line of its own.
 *
 * @param columnsMax Infinity: one line.
 */
export function wrapped(text: string, columnsMax: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line !== "" && columnsOf(longer) > columnsMax) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return [...lines, line];
}

/** Pads on the right (or, for figures, on the left) to `columns`. */
export function pad(text: string, columns: number, right = false): string {
  const gap = " ".repeat(Math.max(0, columns - columnsOf(text)));
  return right ? gap + text : text + gap;
}

/** One for each number of digits in use: making one takes longer than a thousand uses. */
const formats = [0, 1, 2, 3].map(
  (digits) => new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits }),
);

/** 1234567 as "1,234,567"; fractions get 0 to 3 digits. */
export function figure(value: number, digits: 0 | 1 | 2 | 3 = 0): string {
  return formats[digits]?.format(value) ?? String(value);
}

/** So many of something, such as `1 sink` and `2,000 sinks`. */
export function counted(count: number, one: string): string {
  return `${figure(count)} ${count === 1 ? one : `${one}s`}`;
}

function columnsOfCharacter(character: string): number {
  const point = character.codePointAt(0) ?? 0;
  if (point < 0x300) return 1;
  if (/\p{Mark}|\u200d|\ufe0f/u.test(character)) return 0;
  const wide =
    (point >= 0x1100 && point <= 0x115f) ||
    (point >= 0x2e80 && point <= 0xa4cf) ||
    (point >= 0xac00 && point <= 0xd7a3) ||
    (point >= 0xf900 && point <= 0xfaff) ||
    (point >= 0xfe30 && point <= 0xfe6f) ||
    (point >= 0xff00 && point <= 0xff60) ||
    (point >= 0x1f300 && point <= 0x1faff);
  return wide ? 2 : 1;
}
