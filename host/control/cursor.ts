/**
 * Cursors of lists: the place where a page ended, as a word that only the host that made it takes back.
 *
 *   base64url( check, 16 characters │ position )
 *
 * The check covers the position, the list and the host, so that a cursor that was changed, made up, or carried to another
 * list is refused instead of skipping entries. It is no secret: a position grants nothing that the list itself would not.
 */
import { bytesFromText } from "../check.ts";
import { SluiceError } from "../errors.ts";
import { hashText } from "../hash.ts";
import { limits } from "../limits.ts";

/** Makes and reads the cursors of one host. */
export interface Cursors {
  /**
   * @param list Name of the list, with what selects it, such as `members/orders`.
   * @param position Where the page ended: something that sorts like the list, such as the last name on it.
   */
  write(list: string, position: string): string;
  /**
   * @param field Where the cursor came from, for the error.
   * @returns The position.
   * @throws {SluiceError} `invalid_value`, naming the field: a cursor is given back as it was, or not at all.
   */
  read(list: string, cursor: string, field?: string): string;
}

const CHECK_CHARACTERS = 16;
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @param key Of the host, such as its id: other hosts have other positions. */
export function createCursors(key: string): Cursors {
  const checkOf = (list: string, position: string): string => hashText(`${key}\n${list}\n${position}`);
  const write = (list: string, position: string): string => base64Url(checkOf(list, position) + position);
  return Object.freeze({
    write,
    read(list: string, cursor: string, field = "query.cursor"): string {
      // Longer ones were never given out, and need not be decoded to know that.
      const text = cursor.length > limits.cursorBytes ? undefined : textFromBase64Url(cursor);
      const position = text?.slice(CHECK_CHARACTERS);
      // Made again and compared, because base64 has several ways to say the same bytes.
      if (position !== undefined && write(list, position) === cursor) return position;
      throw new SluiceError(
        "invalid_value",
        `Cannot take ${field} ${JSON.stringify(cursor.slice(0, 32))}, it must be one that this list gave as next`,
        { value: cursor.slice(0, 256), limit: "next" },
      );
    },
  });
}

function base64Url(text: string): string {
  const bytes = bytesFromText(text) ?? new Uint8Array(0);
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

function textFromBase64Url(text: string): string | undefined {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return decoder.decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
  } catch {
    return undefined;
  }
}
