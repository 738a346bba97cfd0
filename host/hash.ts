/**
 * A hash for entity tags and cursors: 64 bits, synchronous on every runtime. Against accidents and idle hands, not against
 * attackers, who gain nothing from a collision here.
 *
 * Source: FNV-1a (http://www.isthe.com/chongo/tech/comp/fnv/), twice with different starts, each finished by the mixer of
 * MurmurHash3, so that neighbours do not look alike.
 */

const STARTS = [0x811c_9dc5, 0x9747_b28c] as const;
const PRIME = 0x0100_0193;

/** Hashes UTF-16 units to 16 hexadecimal digits. Texts that differ in one unit never share a hash. */
export function hashText(text: string): string {
  return STARTS.map((start) => half(text, start)).join("");
}

/** Hashes bytes likewise. */
export function hashBytes(bytes: Uint8Array): string {
  return STARTS.map((start) => {
    let value: number = start;
    for (let index = 0; index < bytes.length; index += 1) value = Math.imul(value ^ (bytes[index] as number), PRIME);
    return finished(value);
  }).join("");
}

function half(text: string, start: number): string {
  let value: number = start;
  for (let index = 0; index < text.length; index += 1) value = Math.imul(value ^ text.charCodeAt(index), PRIME);
  return finished(value);
}

function finished(hash: number): string {
  let value = hash;
  value ^= value >>> 16;
  value = Math.imul(value, 0x85eb_ca6b);
  value ^= value >>> 13;
  value = Math.imul(value, 0xc2b2_ae35);
  value ^= value >>> 16;
  return (value >>> 0).toString(16).padStart(8, "0");
}
