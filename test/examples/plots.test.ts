/**
 * Goal: the plots and the tables that are committed are those of the numbers that are committed.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lineChart } from "../../examples/lib/chart.mjs";
import { plotsOf } from "../../examples/web-cluster/plots.mjs";
import { root } from "../docs-blocks.ts";

const folder = join(root, "examples/web-cluster/reference");

describe("plotsOf()", () => {
  test.each(Object.entries(plotsOf(JSON.parse(readFileSync(join(folder, "results.json"), "utf8")))))(
    "draws %s as it is committed",
    (name, svg) => {
      expect(readFileSync(join(folder, name), "utf8")).toBe(svg);
    },
  );
});

describe("lineChart()", () => {
  const chart = (points: readonly (readonly [number, number])[], isLog = false): string =>
    lineChart({ title: "<b>", x: { label: "x" }, y: { label: "y", isLog }, series: [{ name: "a & b", points }] });

  test("leaves out what is no number, and writes names as text", () => {
    const svg = chart([
      [1, 2],
      [2, Number.NaN],
      [3, 4],
    ]);
    expect(svg.match(/<circle/g)).toHaveLength(2);
    expect(svg).toContain("&#60;b&#62;");
    expect(svg).toContain("a &#38; b");
    expect(svg).not.toContain("NaN");
  });

  test.each([{ isLog: false }, { isLog: true }])("draws a single point, log $isLog", ({ isLog }) => {
    expect(chart([[5, 5]], isLog)).not.toMatch(/NaN|Infinity/);
  });

  test("begins at 0 where the axis is not logarithmic", () => {
    expect(
      chart([
        [1, 90],
        [2, 100],
      ]),
    ).toContain(">0</text>");
  });
});
