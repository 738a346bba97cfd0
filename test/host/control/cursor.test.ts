import { describe, expect, test } from "vitest";
import { createCursors } from "../../../host/control/cursor.ts";
import { firstAfter, pageFrom, pageWanted } from "../../../host/control/list.ts";
import { isSluiceError } from "../../../host/errors.ts";
import { hashText } from "../../../host/hash.ts";
import { limits } from "../../../host/limits.ts";

const cursors = createCursors("host");

/** The code with which reading fails; undefined where it does not. */
function refused(read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return isSluiceError(error) ? `${error.code}: ${error.message}` : String(error);
  }
}

describe("cursors", () => {
  test.each(["a", "a/b.c-d", "x".repeat(255), "m17", "\u00e4\u{1f600}", ""])("give back %j", (position) => {
    const cursor = cursors.write("channels", position);
    expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(cursor.length).toBeLessThanOrEqual(limits.cursorBytes);
    expect(cursors.read("channels", cursor)).toBe(position);
  });

  test("are refused with any character changed, added or taken away", () => {
    const cursor = cursors.write("channels", "orders");
    const other = (character: string): string => (character === "A" ? "B" : "A");
    for (let index = 0; index < cursor.length; index += 1) {
      const before = cursor.slice(0, index);
      const after = cursor.slice(index + 1);
      for (const tampered of [
        before + other(cursor[index] as string) + after,
        before + after,
        `${before}A${cursor.slice(index)}`,
      ]) {
        if (tampered === cursor) continue;
        expect(
          refused(() => cursors.read("channels", tampered)),
          tampered,
        ).toMatch(/^invalid_value: .*query\.cursor/);
      }
    }
    for (const foreign of ["", "%%%", "!!!!", "IA", `${cursor}=`, ` ${cursor}`, "A".repeat(10_000), "\u00e4"])
      expect(
        refused(() => cursors.read("channels", foreign)),
        foreign,
      ).toMatch(/^invalid_value/);
  });

  test("are refused by another list, another host, and in another spelling of the same bytes", () => {
    const cursor = cursors.write("members/a", "5");
    expect(refused(() => cursors.read("members/b", cursor))).toMatch(/^invalid_value/);
    expect(refused(() => createCursors("other").read("members/a", cursor))).toMatch(/^invalid_value/);
    // The last character of base64 may carry bits that nobody reads.
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    for (const last of alphabet) {
      const spelt = cursor.slice(0, -1) + last;
      if (spelt !== cursor)
        expect(
          refused(() => cursors.read("members/a", spelt)),
          spelt,
        ).toMatch(/^invalid_value/);
    }
  });
});

describe("hashText()", () => {
  test("differs for texts that differ in one unit", () => {
    const texts = Array.from({ length: 5_000 }, (_, index) => `text ${String.fromCharCode(index)} text`);
    expect(new Set(texts.map(hashText)).size).toBe(texts.length);
    expect(hashText("")).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe("pages", () => {
  const settings = { cursors, limits: { listDefault: 3, listMax: 5 } };
  const same = (text: string): string => text;

  test("firstAfter() is what sorting and cutting would give", () => {
    const entries = Array.from({ length: 200 }, (_, index) => String((index * 7919) % 1_000));
    for (const after of [undefined, "5", "999", "0", "zzz"]) {
      for (const count of [0, 1, 7, 300]) {
        const sorted = entries.filter((entry) => after === undefined || entry > after).sort();
        expect(firstAfter(entries, same, after, count)).toEqual(sorted.slice(0, count));
      }
    }
  });

  test("cover a list once, whatever goes in between", () => {
    let entries = ["d", "a", "c", "e", "b", "f", "g"];
    const seen: string[] = [];
    let query: { cursor?: string } = {};
    for (let pages = 0; pages < 10; pages += 1) {
      const page = pageFrom(entries, pageWanted(query, settings, "l"), settings, "l", same);
      seen.push(...page.data);
      entries = entries.filter((entry) => entry !== seen[0]);
      if (page.next === null) break;
      query = { cursor: page.next };
    }
    expect(seen.join("")).toBe("abcdefg");
  });

  test.each(["0", "6", "1.5", "-1", "", "1e1", "9999999999", " 1"])("refuse a limit of %j", (limit) => {
    expect(refused(() => pageWanted({ limit }, settings, "l"))).toMatch(/^invalid_value: .*query\.limit.*1 to 5/);
  });
});
