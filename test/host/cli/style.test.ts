import { describe, expect, test } from "vitest";
import { columnsOf, createStyle, cut, pad, printable, wantsColour, widthOf } from "../../../host/cli/style.ts";
import { linesFromTable } from "../../../host/cli/table.ts";

describe("wantsColour()", () => {
  test.each([
    { name: "a terminal", screen: { isTTY: true }, env: { TERM: "xterm" }, want: true },
    { name: "a pipe", screen: {}, env: { TERM: "xterm" }, want: false },
    { name: "a terminal under NO_COLOR", screen: { isTTY: true }, env: { NO_COLOR: "1" }, want: false },
    { name: "a terminal with NO_COLOR empty", screen: { isTTY: true }, env: { NO_COLOR: "" }, want: true },
    { name: "a dumb terminal", screen: { isTTY: true }, env: { TERM: "dumb" }, want: false },
  ])("says $want for $name", ({ screen, env, want }) => {
    expect(wantsColour(screen, env)).toBe(want);
  });
});

describe("widthOf()", () => {
  test("leaves a pipe unlimited, takes the terminal's columns, and lets COLUMNS override both", () => {
    expect(widthOf({}, {})).toBeUndefined();
    expect(widthOf({ isTTY: true, columns: 120 }, {})).toBe(120);
    expect(widthOf({ isTTY: true, columns: 120 }, { COLUMNS: "200" })).toBe(200);
    expect(widthOf({}, { COLUMNS: "nonsense" })).toBeUndefined();
  });
});

describe("printable()", () => {
  test.each([
    ["\u001b[31mred", "\\u001b[31mred"],
    ["a\nb\r\tc", "a\\u000ab\\u000d\\u0009c"],
    ["\u009b2J", "\\u009b2J"],
    ["\u007f", "\\u007f"],
    ["abc\u202edcba", "abc\\u202edcba"],
    ["Zoë 你好 🎉", "Zoë 你好 🎉"],
  ])("shows %j without its effect", (text, shown) => {
    expect(printable(text)).toBe(shown);
  });
});

describe("cut()", () => {
  test("counts wide characters twice and never exceeds the columns", () => {
    expect(columnsOf("你好")).toBe(4);
    expect(cut("你好世界", 5)).toBe("你好…");
    for (let columns = 1; columns < 12; columns += 1)
      expect(columnsOf(cut("a你b好c世d界", columns))).toBeLessThanOrEqual(columns);
  });

  test("leaves what fits alone and never splits a surrogate pair", () => {
    expect(cut("hello", 5)).toBe("hello");
    expect(cut("🎉🎉🎉", 4)).toBe("🎉…");
  });
});

describe("pad()", () => {
  test("fills on the right, or on the left for figures", () => {
    expect(pad("ab", 4)).toBe("ab  ");
    expect(pad("12", 4, true)).toBe("  12");
    expect(pad("abcdef", 4)).toBe("abcdef");
  });
});

describe("createStyle()", () => {
  test("gives back what it got where colour is off", () => {
    expect(createStyle(false).red("x")).toBe("x");
    expect(createStyle(true).red("x")).toBe("\u001b[31mx\u001b[39m");
    expect(createStyle(true).red("")).toBe("");
  });
});

describe("linesFromTable()", () => {
  const columns = [
    { title: "NAME", shrinks: true },
    { title: "N", right: true },
    { title: "TYPES", shrinks: true },
  ];
  const plain = createStyle(false);

  test("fits 80 columns by shrinking texts and keeps figures whole", () => {
    const rows = [
      ["n".repeat(100), "123,456", "t".repeat(100)],
      ["short", "1", "any"],
    ];
    const lines = linesFromTable(columns, rows, plain, 80);
    expect(Math.max(...lines.map(columnsOf))).toBe(80);
    expect(lines[1]).toContain("123,456");
    expect(lines[1]).toMatch(/n…/);
  });

  test("cuts nothing where it fits", () => {
    const lines = linesFromTable(columns, [["a", "1", "any"]], plain, 200);
    expect(lines).toEqual(["NAME  N  TYPES", "a     1  any"]);
  });

  describe("a column that wraps", () => {
    const reasons = [
      { title: "NAME", shrinks: true },
      { title: "N", right: true },
      { title: "WHY", wraps: true },
    ];
    const why = "out route.limit: others rank before it, and the route's limit is reached";

    test("goes on behind its title, and nothing of it is lost", () => {
      const lines = linesFromTable(
        reasons,
        [
          ["m1", "1", why],
          ["m2", "2", ""],
        ],
        plain,
        60,
      );
      expect(lines).toEqual([
        "NAME  N  WHY",
        "m1    1  out route.limit: others rank before it, and the",
        "         route's limit is reached",
        "m2    2",
      ]);
    });

    test("goes below its row where there is little room beside it", () => {
      const lines = linesFromTable(reasons, [["n".repeat(30), "1", why]], plain, 40);
      expect(Math.max(...lines.map(columnsOf))).toBeLessThanOrEqual(40);
      expect(lines[1]).toMatch(/^n+…? +1/);
      expect(lines.slice(1).join(" ").replaceAll(/ +/g, " ")).toContain(why);
    });

    test("stays one line in a pipe", () => {
      expect(linesFromTable(reasons, [["m1", "1", why]], plain)).toEqual(["NAME  N  WHY", `m1    1  ${why}`]);
    });
  });
});
