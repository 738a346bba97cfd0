/**
 * Changes to valid bytes, from a seed: what a broken client, a bit error or an attacker makes of them.
 *
 * SLUICE_PROPERTY_SEED replays a run, SLUICE_PROPERTY_RUNS multiplies its length (nightly: 100).
 */

/** Random whole numbers below a bound. */
export type Random = (below: number) => number;

/** A small generator of good enough quality; the same seed gives the same numbers on every machine (mulberry32). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/** The seed of this run: told with every failure. */
export function seedOfRun(): number {
  const given = process.env["SLUICE_PROPERTY_SEED"];
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
}

/** Cases of this run: `count`, or more at night. */
export function casesOfRun(count: number): number {
  return Math.max(1, Math.round(count * Number(process.env["SLUICE_PROPERTY_RUNS"] ?? "1")));
}

/** Bytes that matter to varints, lengths, UTF-8, JSON and HTTP. */
const SPECIAL = [
  0, 1, 0x7f, 0x80, 0xff, 0xc0, 0xed, 0xf4, 0x0a, 0x0d, 0x20, 0x22, 0x25, 0x2e, 0x2f, 0x3a, 0x5c, 0x7b, 0x7d,
];

/** A piece of text that matters to JSON or HTTP, put in as a whole. */
const WORDS = [
  "\r\n",
  "\r\n\r\n",
  "1e999",
  "-0",
  "null",
  "\\ud800",
  '"x":1,',
  "[[[[",
  "%2e%2e%2f",
  "%00",
  "\0",
  "é",
  "{}",
];

/**
 * Applies one to four changes.
 *
 * @param others Further valid inputs, pieces of which are put in.
 */
export function mutate(bytes: Uint8Array, others: readonly Uint8Array[], random: Random): Uint8Array {
  let out = bytes;
  for (let changes = 1 + random(4); changes > 0; changes--) out = change(out, others, random);
  return out;
}

function change(bytes: Uint8Array, others: readonly Uint8Array[], random: Random): Uint8Array {
  const at = random(bytes.length + 1);
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
  const stretch = 1 + random(random(8) === 0 ? 300 : 8);
  switch (random(9)) {
    case 0:
      return set(bytes, at, random(256));
    case 1:
      return set(bytes, at, SPECIAL[random(SPECIAL.length)] as number);
    case 2:
      return set(bytes, at, (bytes[at] ?? 0) ^ (1 << random(8)));
    case 3:
      return Buffer.concat([before, after.subarray(stretch)]);
    case 4:
      return Buffer.concat([before, after.subarray(0, stretch), after]);
    case 5:
      return Buffer.concat([before, new Uint8Array(stretch).fill(SPECIAL[random(SPECIAL.length)] as number), after]);
    case 6:
      return Buffer.concat([before, Buffer.from(WORDS[random(WORDS.length)] as string), after]);
    case 7: {
      const other = others[random(others.length)] as Uint8Array;
      const from = random(other.length + 1);
      return Buffer.concat([before, other.subarray(from, from + stretch * 4), after]);
    }
    default:
      return before;
  }
}

function set(bytes: Uint8Array, at: number, value: number): Uint8Array {
  const out = Uint8Array.from(bytes);
  if (at < out.length) out[at] = value;
  return out;
}

/** Cuts bytes into one to four pieces. */
export function pieces(bytes: Uint8Array, random: Random): Uint8Array[] {
  const cuts = Array.from({ length: random(4) }, () => random(bytes.length + 1)).sort((one, other) => one - other);
  return [0, ...cuts].map((from, index) => bytes.subarray(from, cuts[index] ?? bytes.length));
}
