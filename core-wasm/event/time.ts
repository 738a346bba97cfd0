/** Reading one field of a stored event: its `time_us` (field 5, fixed 64 bits). */
import { cursor, fieldSkip, tagRead } from "./wire";

const TAG_TIME: u32 = 0x29;

/** When the event at `at` happened, µs since 1970; `absent` where it does not say. The event is well-formed. */
export function eventTimeUs(at: u32, bytes: u32, absent: i64): i64 {
  const end = at + bytes;
  let time = absent;
  while (at < end) {
    const tag = tagRead(at, end);
    if (tag === TAG_TIME) time = load<i64>(cursor);
    at = fieldSkip(cursor, end, tag & 7);
  }
  return time;
}
