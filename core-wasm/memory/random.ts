/**
 * Numbers by chance, for routes that choose among equals and for the shape of trees. Seeded by the host, so that a run can be
 * repeated; nothing secret may depend on it. SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators).
 */

let state: u64 = 0;

/** Sets the seed. */
export function randomSeed(value: u64): void {
  state = value * 0x9e3779b97f4a7c15;
}

/** 64 bits that look random and depend on `value` only. */
export function mix64(value: u64): u64 {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

/** The next 64 bits. */
export function random64(): u64 {
  state += 0x9e3779b97f4a7c15;
  return mix64(state);
}

/** A number in [0, 1) made of the upper bits of 64. */
export function fraction(bits: u64): f64 {
  return <f64>(bits >> 11) * 1.1102230246251565e-16;
}
