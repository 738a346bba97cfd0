// Subscriptions and events as comparisons of matching engines draw them: 20 attributes, 4 of them categories with 1,000 values each,
// 16 numbers from 0 to 1. A subscription asks for 1 to 3 of them; an event carries each with a probability of 60 %.
import { randomFrom } from "./random.mjs";

const CATEGORIES = 4;
const CATEGORY_VALUES = 1_000;
const NUMBERS = 16;
const CARRIED_SHARE = 0.6;
const PREDICATES_MAX = 3;
/** A range takes a tenth of what numbers may be. */
const RANGE_WIDTH = 0.1;

/** How many of the subscriptions have an equality. @type {Readonly<Record<'mix' | 'equal' | 'ranges', number>>} */
export const equalShares = Object.freeze({ mix: 0.7, equal: 1, ranges: 0 });

/** @typedef {keyof typeof equalShares} Mix */

/**
 * Draws expressions.
 *
 * @param {Mix} mix @param {number} seed
 * @returns {() => string} The next one; no two names in it are the same.
 */
export function drawExpressions(mix, seed) {
  const random = randomFrom(seed);
  return () => {
    const count = 1 + Math.floor(random() * PREDICATES_MAX);
    const hasEquality = random() < equalShares[mix];
    const predicates = hasEquality ? [equality(random)] : [];
    for (const number of distinct(random, NUMBERS, count - predicates.length)) predicates.push(range(random, number));
    return predicates.join(" AND ");
  };
}

/** @param {() => number} random */
const equality = (random) => `c${Math.floor(random() * CATEGORIES)} = 'v${Math.floor(random() * CATEGORY_VALUES)}'`;

/** A range on one number, in one of the ways in which people write ranges. @param {() => number} random @param {number} number */
function range(random, number) {
  const name = `n${number}`;
  const low = random() * (1 - RANGE_WIDTH);
  const high = low + RANGE_WIDTH;
  const form = random();
  if (form < 0.5) return `${name} >= ${digits(low)} AND ${name} < ${digits(high)}`;
  if (form < 0.75) return `${name} BETWEEN ${digits(low)} AND ${digits(high)}`;
  return form < 0.875 ? `${name} < ${digits(RANGE_WIDTH)}` : `${name} > ${digits(1 - RANGE_WIDTH)}`;
}

/** The language has no exponents. @param {number} value */
const digits = (value) => value.toFixed(6);

/** So many different whole numbers below `below`. @param {() => number} random @param {number} below @param {number} count */
function distinct(random, below, count) {
  /** @type {Set<number>} */
  const drawn = new Set();
  while (drawn.size < count) drawn.add(Math.floor(random() * below));
  return drawn;
}

/**
 * Draws the attributes of events.
 *
 * @param {number} seed
 * @returns {() => Record<string, string | number>} Those of the next event.
 */
export function drawAttributes(seed) {
  const random = randomFrom(seed);
  return () => {
    /** @type {Record<string, string | number>} */
    const attributes = {};
    for (let i = 0; i < CATEGORIES; i++) {
      const value = Math.floor(random() * CATEGORY_VALUES);
      if (random() < CARRIED_SHARE) attributes[`c${i}`] = `v${value}`;
    }
    for (let i = 0; i < NUMBERS; i++) {
      const value = random();
      if (random() < CARRIED_SHARE) attributes[`n${i}`] = value;
    }
    return attributes;
  };
}
