// What goals are made of: samples of rows, and ratios of two of them within one repetition.
import { pairedRatios } from "../driver/statistics.mjs";

/**
 * @typedef {{ cell: string, peer: string, repetition: number, [measure: string]: number | string | boolean }} Row
 * @typedef {{ id: string, title: string, floor: number, aim: number, unit: 'ratio' | 'MiB' | 'KiB' | 'B' | 'ms' | 'µs' | 'ns' | '%' | 'count', samples: (rows: readonly Row[]) => number[] }} Goal
 */

/** Samples of one measure by repetition. @param {readonly Row[]} rows @param {string} place "cell/peer" @param {string} measure */
export function byRepetition(rows, place, measure) {
  const [cell, peer] = place.split("/");
  const found = rows.filter((row) => row.cell === cell && row.peer === peer && typeof row[measure] === "number");
  return new Map(found.map((row) => [row.repetition, Number(row[measure])]));
}

/**
 * @param {string} id @param {string} title @param {string} above "cell/peer" @param {string} below "cell/peer"
 * @param {number} floor @param {number} aim @param {string} [measure]
 * @returns {Goal}
 */
export const ratio = (id, title, above, below, floor, aim, measure = "cpuPerMillion") => ({
  id,
  title,
  floor,
  aim,
  unit: "ratio",
  samples: (rows) => pairedRatios(byRepetition(rows, above, measure), byRepetition(rows, below, measure)),
});

/** @param {string} place @param {string} measure @param {number} unit @returns {(rows: readonly Row[]) => number[]} */
export const plain = (place, measure, unit) => (rows) =>
  [...byRepetition(rows, place, measure).values()].map((value) => value / unit);
