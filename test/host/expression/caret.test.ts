import { describe, expect, test } from "vitest";
import { caretLines } from "../../../host/expression/caret.ts";

describe("caretLines()", () => {
  test("puts the caret below the place", () => {
    expect(caretLines("load < AND 5", { line: 1, column: 8 })).toBe("load < AND 5\n       ^");
    expect(caretLines("", { line: 1, column: 1 })).toBe("\n^");
    expect(caretLines("a =", { line: 1, column: 4 })).toBe("a =\n   ^");
  });

  test("shows the line in question only", () => {
    expect(caretLines("a = 1 AND\n  b = = 2\nAND c", { line: 2, column: 7 })).toBe("  b = = 2\n      ^");
    expect(caretLines("a\r\nb b", { line: 2, column: 3 })).toBe("b b\n  ^");
  });

  test("counts characters and not units", () => {
    expect(caretLines("'😀é' b", { line: 1, column: 6 })).toBe("'😀é' b\n     ^");
  });

  test("cuts long lines around the place", () => {
    const long = `${"a".repeat(100)}!${"b".repeat(100)}`;
    expect(caretLines(long, { line: 1, column: 101 })).toBe(
      `…${"a".repeat(36)}!${"b".repeat(35)}…\n${" ".repeat(37)}^`,
    );
  });

  test("writes nothing to a terminal but what can be seen", () => {
    expect(caretLines("a\u001b[31m\t\u202eb\u0301 $", { line: 1, column: 11 })).toBe("a·[31m ·b· $\n          ^");
  });

  test("takes places that are not there", () => {
    expect(caretLines("a", { line: 7, column: 3 })).toBe("\n^");
  });
});
