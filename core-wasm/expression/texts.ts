/** Functions and operators on texts. Characters are code points of valid UTF-8. */
import { LOWER_RANGES, lowerRanges, UPPER_RANGES, upperRanges } from "./case-table";
import { ERROR_FUNCTION, TYPE_TEXT } from "./code";
import { errorAdd } from "./outcome";
import { scratchBytes, scratchTake } from "./scratch";
import { putText, putZero, textAt, textBytes } from "./stack";

/** Bytes of the character that begins with that byte. */
function characterBytes(first: u32): u32 {
  return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/** Characters of a text. */
export function charactersOf(at: u32, bytes: u32): u32 {
  let count: u32 = 0;
  for (const end = at + bytes; at < end; at++) if ((load<u8>(at) & 0xc0) !== 0x80) count++;
  return count;
}

/** Address after so many characters, at most the end. */
export function charactersSkip(at: u32, end: u32, count: u32): u32 {
  for (; count !== 0 && at < end; count--) at += characterBytes(load<u8>(at));
  return at;
}

/** What one LIKE may cost: steps of comparison and retry. Beyond it the pattern does not match, with an error. */
const LIKE_STEPS_MAX: u32 = 1048576;

/** Whether the last likeMatches() gave up. */
export let likeExceeded: bool = false;

/**
 * Whether a text matches a pattern: `%` any characters, `_` one, `\` escapes the next one of these. Only the last `%` is
 * ever tried again, so the cost is at most text × pattern, and never above LIKE_STEPS_MAX.
 */
export function likeMatches(at: u32, bytes: u32, pattern: u32, patternBytes: u32): bool {
  const end = at + bytes;
  const patternEnd = pattern + patternBytes;
  let retryPattern: u32 = 0;
  let retryAt: u32 = 0;
  let steps: u32 = 0;
  likeExceeded = false;
  while (true) {
    if (++steps > LIKE_STEPS_MAX) {
      likeExceeded = true;
      errorAdd(ERROR_FUNCTION);
      return false;
    }
    if (pattern < patternEnd) {
      let c = <u32>load<u8>(pattern);
      if (c === 0x25) {
        retryPattern = ++pattern;
        retryAt = at;
        continue;
      }
      if (at < end) {
        if (c === 0x5f) {
          at += characterBytes(load<u8>(at));
          pattern++;
          continue;
        }
        let from = pattern;
        if (c === 0x5c && pattern + 1 < patternEnd) {
          const next = <u32>load<u8>(pattern, 1);
          if (next === 0x25 || next === 0x5f) {
            from++;
            c = next;
          }
        }
        if (<u32>load<u8>(at) === c) {
          at++;
          pattern = from + 1;
          continue;
        }
      }
    } else if (at === end) {
      return true;
    }
    if (retryPattern === 0 || retryAt >= end) return false;
    retryAt += characterBytes(load<u8>(retryAt));
    at = retryAt;
    pattern = retryPattern;
  }
}

/** Puts the characters [from, from + count) of a text; they share its bytes. */
export function putSlice(slot: u32, from: u32, count: u32): void {
  const end = textAt(slot) + textBytes(slot);
  const first = charactersSkip(textAt(slot), end, from);
  putText(slot, first, charactersSkip(first, end, count) - first);
}

/** SUBSTRING: positions count from 1, negative ones from the end, 0 gives "". */
export function putSubstring(slot: u32, position: i64, count: i64): void {
  const length = <i64>charactersOf(textAt(slot), textBytes(slot));
  if (position > length || position < -length || count < 0) {
    errorAdd(ERROR_FUNCTION);
    putText(slot, textAt(slot), 0);
  } else if (position === 0) {
    putText(slot, textAt(slot), 0);
  } else {
    putSlice(slot, <u32>(position > 0 ? position - 1 : length + position), <u32>min<i64>(count, length));
  }
}

/** TRIM: Unicode white space at both ends goes. */
export function putTrimmed(slot: u32): void {
  let at = textAt(slot);
  let end = at + textBytes(slot);
  while (at < end) {
    const size = characterBytes(load<u8>(at));
    if (!isSpace(codePoint(at))) break;
    at += size;
  }
  while (end > at) {
    let last = end - 1;
    while ((load<u8>(last) & 0xc0) === 0x80) last--;
    if (!isSpace(codePoint(last))) break;
    end = last;
  }
  putText(slot, at, end - at);
}

/** White_Space of Unicode. */
function isSpace(c: u32): bool {
  if (c < 0x80) return c === 0x20 || c - 9 <= 4;
  return (
    c === 0x85 ||
    c === 0xa0 ||
    c === 0x1680 ||
    c - 0x2000 <= 10 ||
    c === 0x2028 ||
    c === 0x2029 ||
    c === 0x202f ||
    c === 0x205f ||
    c === 0x3000
  );
}

function codePoint(at: u32): u32 {
  const first = <u32>load<u8>(at);
  if (first < 0x80) return first;
  const second = <u32>load<u8>(at, 1) & 0x3f;
  if (first < 0xe0) return ((first & 0x1f) << 6) | second;
  const third = <u32>load<u8>(at, 2) & 0x3f;
  if (first < 0xf0) return ((first & 0x0f) << 12) | (second << 6) | third;
  return ((first & 7) << 18) | (second << 12) | (third << 6) | (<u32>load<u8>(at, 3) & 0x3f);
}

function codePointWrite(at: u32, c: u32): u32 {
  if (c < 0x80) {
    store<u8>(at, <u8>c);
    return at + 1;
  }
  if (c < 0x800) {
    store<u8>(at, <u8>(0xc0 | (c >> 6)));
    store<u8>(at, <u8>(0x80 | (c & 0x3f)), 1);
    return at + 2;
  }
  if (c < 0x10000) {
    store<u8>(at, <u8>(0xe0 | (c >> 12)));
    store<u8>(at, <u8>(0x80 | ((c >> 6) & 0x3f)), 1);
    store<u8>(at, <u8>(0x80 | (c & 0x3f)), 2);
    return at + 3;
  }
  store<u8>(at, <u8>(0xf0 | (c >> 18)));
  store<u8>(at, <u8>(0x80 | ((c >> 12) & 0x3f)), 1);
  store<u8>(at, <u8>(0x80 | ((c >> 6) & 0x3f)), 2);
  store<u8>(at, <u8>(0x80 | (c & 0x3f)), 3);
  return at + 4;
}

/** LOWER and UPPER. */
export function putCase(slot: u32, upper: bool): void {
  const from = textAt(slot);
  const end = from + textBytes(slot);
  // A letter may need one byte more in the other case (ⱥ, Ⱥ): two bytes become three at most.
  const room = textBytes(slot) + (textBytes(slot) >> 1);
  const to = scratchTake(room);
  if (to === 0) {
    putZero(slot, TYPE_TEXT);
    return;
  }
  let out = to;
  for (let at = from; at < end; ) {
    const first = <u32>load<u8>(at);
    if (first < 0x80) {
      const letter = upper ? first - 0x61 <= 25 : first - 0x41 <= 25;
      store<u8>(out++, <u8>(letter ? first ^ 0x20 : first));
      at++;
      continue;
    }
    out = codePointWrite(
      out,
      upper ? mapped(codePoint(at), upperRanges, UPPER_RANGES) : mapped(codePoint(at), lowerRanges, LOWER_RANGES),
    );
    at += characterBytes(first);
  }
  putText(slot, to, out - to);
}

/** A character in the other case, by binary search in a table of ranges. */
function mapped(c: u32, ranges: u32, count: u32): u32 {
  let low: u32 = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    const range = ranges + middle * 16;
    const first = load<u32>(range);
    if (c < first) high = middle;
    else if (c > load<u32>(range, 4)) low = middle + 1;
    else return (c - first) % load<u32>(range, 8) === 0 ? c + load<i32>(range, 12) : c;
  }
  return c;
}

/** CONCAT, or CONCAT_WS where `separator` is a slot: texts in the slots from `first` on, into `slot`. */
export function putJoined(slot: u32, first: u32, count: u32, separator: u32): void {
  const between = separator === 0 ? 0 : textBytes(separator);
  let bytes: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    bytes += textBytes(first + i * 16) + (i === 0 ? 0 : between);
  }
  const at = scratchTake(bytes);
  if (at === 0) {
    putZero(slot, TYPE_TEXT);
    return;
  }
  let to = at;
  for (let i: u32 = 0; i < count; i++) {
    if (i !== 0 && between !== 0) {
      memory.copy(to, textAt(separator), between);
      to += between;
    }
    memory.copy(to, textAt(first + i * 16), textBytes(first + i * 16));
    to += textBytes(first + i * 16);
  }
  putText(slot, at, scratchBytes);
}
