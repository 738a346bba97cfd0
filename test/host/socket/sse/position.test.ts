/** Positions as ids: golden texts, round trips, and everything that a client may send back instead. */
import { describe, expect, test } from "vitest";
import {
  headOf,
  idFromPosition,
  positionFromId,
  type RingPosition,
  writeTail,
} from "../../../../host/socket/sse/position.ts";

const plain: RingPosition = { host: "host", epoch: 1, channel: 2, sequence: 3 };

describe("idFromPosition()", () => {
  test.each([
    { given: plain, want: "AQECaG9zdAAAAAAAAAAD" },
    { given: { host: "a", epoch: 300, channel: 1, sequence: 0 }, want: "AawCAWEAAAAAAAAA" },
  ])("writes $want", ({ given, want }) => {
    expect(idFromPosition(given)).toBe(want);
  });

  test("begins alike for all events of a channel, and grows in order", () => {
    const ids = [0, 1, 63, 64, 65_535, 2 ** 32, 2 ** 48 - 1].map((sequence) => idFromPosition({ ...plain, sequence }));
    expect(new Set(ids.map((id) => id.slice(0, -8)))).toEqual(new Set([headOf(plain)]));
    expect(ids.map((id) => positionFromId(id)?.sequence)).toEqual([0, 1, 63, 64, 65_535, 2 ** 32, 2 ** 48 - 1]);
  });

  test("has only what may stand in a header field and a query without being encoded", () => {
    for (let sequence = 0; sequence < 5_000; sequence += 7)
      expect(idFromPosition({ ...plain, sequence })).toMatch(/^[A-Za-z0-9_-]+$/);
  });
});

describe("positionFromId()", () => {
  test.each<RingPosition>([
    plain,
    { host: "z".repeat(64), epoch: Number.MAX_SAFE_INTEGER, channel: Number.MAX_SAFE_INTEGER, sequence: 2 ** 48 - 1 },
    { host: "0", epoch: 127, channel: 128, sequence: 0 },
    { host: "ab", epoch: 16_383, channel: 16_384, sequence: 1 },
  ])("reads what was written for host $host, epoch $epoch", (position) => {
    expect(positionFromId(idFromPosition(position))).toEqual(position);
  });

  test("takes no beginning and no extension of an id for the same place", () => {
    const id = idFromPosition(plain);
    const others = Array.from({ length: id.length }, (_, length) => id.slice(0, length));
    for (const other of [...others, `${id}A`, `${id}AAAA`, `${id}=`, ` ${id}`, `${id}\n`])
      expect(positionFromId(other)).not.toEqual(plain);
  });

  test("reads no id in which one character is another, but for another place of the same host", () => {
    const id = idFromPosition(plain);
    for (let at = 0; at < id.length; at += 1) {
      for (const letter of "AZaz09-_+/=\0é") {
        if (id[at] === letter) continue;
        const read = positionFromId(id.slice(0, at) + letter + id.slice(at + 1));
        if (read !== undefined) expect(idFromPosition(read)).toBe(id.slice(0, at) + letter + id.slice(at + 1));
      }
    }
  });

  test.each([
    "",
    "7",
    "null",
    "AAAAAAAAAAAA",
    "🙂🙂🙂",
    "\u0000".repeat(20),
    "A".repeat(100_000),
    "../../etc/passwd",
    "____",
  ])("is nothing for %j", (id) => {
    expect(positionFromId(id)).toBeUndefined();
  });
});

describe("writeTail()", () => {
  test("writes the same as idFromPosition()", () => {
    const bytes = new Uint8Array(12);
    expect(writeTail(bytes, 2, 123_456_789)).toBe(10);
    const tail = new TextDecoder().decode(bytes.subarray(2, 10));
    expect(headOf(plain) + tail).toBe(idFromPosition({ ...plain, sequence: 123_456_789 }));
  });
});
