/** The grammar itself is held by templates.test.ts, which had it first; here the rest of pattern.ts. */
import { describe, expect, test } from "vitest";
import { assertPattern, isPattern, joinable, matcherOf, rankOf, stepsOf } from "../../../host/channel/pattern.ts";

describe("isPattern()", () => {
  test("is so for every text that no channel can be named by", () => {
    for (const pattern of ["*", ">", "a.*", "a/>", "a*b", ">a"]) expect(isPattern(pattern), pattern).toBe(true);
    for (const name of ["a", "a.b", "a/b", "_-", ""]) expect(isPattern(name), name).toBe(false);
  });
});

describe("assertPattern()", () => {
  test("names what is wrong and the rule", () => {
    expect(() => assertPattern("a*b")).toThrow(
      expect.objectContaining({
        code: "invalid_value",
        value: "a*b",
        message:
          'Cannot take the pattern "a*b", it must be a name with * for one token and > for the rest at its end; tokens end at . and /',
      }),
    );
    expect(() => assertPattern("*".repeat(300))).toThrow(expect.objectContaining({ value: 300, limit: 255 }));
    assertPattern("sensors.*/>");
  });
});

describe("joinable", () => {
  test("is a name or a pattern, and each is refused by its own rule", () => {
    for (const good of ["a", "a.b", "a.*", ">"]) expect(joinable.safeParse(good).success, good).toBe(true);
    for (const bad of ["", " ", "a*b", ">a", "a".repeat(256), ".a"])
      expect(joinable.safeParse(bad).success, bad).toBe(false);
  });
});

describe("stepsOf() and rankOf()", () => {
  test("keep separators apart from tokens", () => {
    expect(stepsOf("a./b.")).toEqual([
      { separator: "", token: "a" },
      { separator: ".", token: "" },
      { separator: "/", token: "b" },
      { separator: ".", token: "" },
    ]);
    expect(rankOf("a.*/b.>")).toBe("2120");
  });
});

describe("matcherOf()", () => {
  test("means the separators themselves", () => {
    expect(matcherOf("a.*").test("a.b")).toBe(true);
    expect(matcherOf("a.*").test("a/b")).toBe(false);
    expect(matcherOf("a.b").test("axb")).toBe(false);
  });
});
