/** What expressions compute with, as JavaScript has it. */

/** Missing, boolean, whole number (64 bits), number (64-bit floating point), text. */
export type Value = undefined | boolean | bigint | number | string;

/** As the language writes it: what disassembler, examples and error messages show. */
export function valueText(value: Value): string {
  if (value === undefined) return "missing";
  if (typeof value === "string") return `'${value.replaceAll("'", "\\'")}'`;
  if (typeof value === "number") return numberText(value);
  return String(value);
}

/** A number that cannot be taken for a whole one. */
function numberText(value: number): string {
  const text = Object.is(value, -0) ? "-0" : String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}
