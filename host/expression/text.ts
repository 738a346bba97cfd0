/** Functions and operators on texts. Characters are code points. */

/** White_Space of Unicode at both ends; what else is invisible stays. */
const SPACES = /^\p{White_Space}+|\p{White_Space}+$/gu;

/** Without white space at its ends. */
export function trimmed(text: string): string {
  return text.replace(SPACES, "");
}

/** In the other case: letters whose other case is one character, each for itself. */
export function cased(text: string, to: "lower" | "upper"): string {
  return Array.from(text, (character) => {
    const other = to === "lower" ? character.toLowerCase() : character.toUpperCase();
    return [...other].length === 1 ? other : character;
  }).join("");
}

/**
 * `SUBSTRING(text, position, count)`: positions count from 1, negative ones from the end, 0 gives "".
 *
 * @returns Undefined where there is no such part.
 */
export function substring(text: string, position: bigint, count?: bigint): string | undefined {
  const characters = [...text];
  const length = BigInt(characters.length);
  if (position > length || position < -length || (count !== undefined && count < 0n)) return undefined;
  if (position === 0n) return "";
  const from = Number(position > 0n ? position - 1n : length + position);
  const taken = count === undefined || count > length ? characters.length : Number(count);
  return characters.slice(from, from + taken).join("");
}

/**
 * Whether a text matches a pattern of LIKE: `%` any characters, `_` one, `\%` and `\_` themselves. The plainest way there
 * is, in time text × pattern: what the machine does is tested against it.
 */
export function like(text: string, pattern: string): boolean {
  const characters = [...text];
  // Whether the pattern so far can have matched the first i characters.
  let reached = characters.map(() => false);
  reached.unshift(true);
  for (const [part] of pattern.matchAll(/\\[%_]|[\s\S]/gu)) {
    if (part === "%") {
      const first = reached.indexOf(true);
      reached = reached.map((_, i) => first >= 0 && i >= first);
    } else {
      const wanted = part.length > 1 && part.startsWith("\\") ? part.slice(1) : part;
      const any = part === "_";
      reached = reached.map((_, i) => i > 0 && reached[i - 1] === true && (any || characters[i - 1] === wanted));
    }
  }
  return reached.at(-1) === true;
}
