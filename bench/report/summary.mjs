// Rows of all repetitions → one line per (cell, peer), and the tables that the terminal shows.
import { median } from "../driver/statistics.mjs";

/**
 * @typedef {import('../goals.mjs').Row} Row
 * @typedef {{ cell: string, title: string, peer: string, samples: number, failed: string | null, measures: Record<string, { median: number, low: number, high: number }> }} Line
 */

/**
 * Takes the median of every measure of a cell and peer over its repetitions.
 *
 * @param {readonly Row[]} rows
 * @param {ReadonlyMap<string, string>} titles Cell id → title.
 * @returns {Line[]} In the order of first appearance.
 */
export function summarize(rows, titles) {
  /** @type {Map<string, Row[]>} */
  const groups = new Map();
  for (const row of rows) {
    const place = `${row.cell}/${row.peer}`;
    groups.set(place, [...(groups.get(place) ?? []), row]);
  }
  return [...groups.values()].map((group) => {
    const first = /** @type {Row} */ (group[0]);
    const good = group.filter((row) => row.failed === undefined);
    const failed = group.find((row) => row.failed !== undefined);
    const names = Object.keys(good[0] ?? {}).filter(
      (name) => name !== "repetition" && typeof good[0]?.[name] === "number",
    );
    const measures = Object.fromEntries(
      names.map((name) => {
        const values = good.map((row) => Number(row[name]));
        return [name, { median: median(values), low: Math.min(...values), high: Math.max(...values) }];
      }),
    );
    return {
      cell: first.cell,
      title: titles.get(first.cell) ?? first.cell,
      peer: first.peer,
      samples: good.length,
      failed: failed ? String(failed.failed) : null,
      measures,
    };
  });
}

/** Three significant digits, without an exponent. @param {number | null | undefined} value */
export function short(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}

/**
 * Lays cells of text out in columns.
 *
 * @param {readonly string[]} head @param {readonly (readonly string[])[]} lines
 * @returns {string}
 */
export function table(head, lines) {
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => (line[column] ?? "").length)),
  );
  const row = (/** @type {readonly string[]} */ line) =>
    line
      .map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0)))
      .join("  ");
  return [row(head), widths.map((width) => "─".repeat(width)).join("  "), ...lines.map(row)].join("\n");
}

/** One text table of all goals. @param {readonly import('../goals.mjs').Verdict[]} verdicts */
export function goalTable(verdicts) {
  const words = { aim: "ok, aim reached", floor: "ok", missed: "MISSED", "not run": "not run" };
  const lines = verdicts.map(({ title, value, low, high, floor, aim, unit, verdict }) => [
    title,
    short(value),
    `${short(low)}–${short(high)}`,
    short(floor),
    short(aim),
    unit === "ratio" ? "" : unit,
    words[verdict],
  ]);
  return table(["goal", "measured", "range", "must", "aim", "unit", ""], lines);
}
