/** Moments on the fast way out: eight bytes of microseconds → RFC 3339 text in quotes. */
import { secondText } from "./moment.ts";
import { bytesOf } from "./scan.ts";
import type { Sink } from "./sink.ts";

/** High word of 2^53, beyond which microseconds are not exact in a double (the year 2255), negative ones included. */
const HIGH_MAX = 0x1f_ffff;

/** Writes moments; it keeps the text of the last second, because events of one moment come together. */
export class MomentRenderer {
  #second = Number.NaN;
  #text = bytesOf("");

  /**
   * Writes the little-endian sfixed64 at `at`; the caller has seen to room for 32 bytes.
   *
   * @returns false, with nothing written, where the moment needs 64 bits.
   */
  write(sink: Sink, bytes: Uint8Array, at: number): boolean {
    const high = wordAt(bytes, at + 4);
    if (high > HIGH_MAX) return false;
    const micros = high * 0x1_0000_0000 + wordAt(bytes, at);
    const second = Math.floor(micros / 1_000_000);
    if (second !== this.#second) {
      this.#second = second;
      this.#text = bytesOf(`"${secondText(second)}.`);
    }
    sink.ascii(this.#text);
    const fraction = micros - second * 1_000_000;
    if (fraction % 1_000 === 0) writeDigits(sink, fraction / 1_000, 3);
    else writeDigits(sink, fraction, 6);
    sink.bytes[sink.at++] = 0x5a;
    sink.bytes[sink.at++] = 0x22;
    return true;
  }
}

function writeDigits(sink: Sink, value: number, digits: number): void {
  let rest = value;
  for (let index = sink.at + digits - 1; index >= sink.at; index -= 1) {
    const next = (rest / 10) | 0;
    sink.bytes[index] = 0x30 + rest - next * 10;
    rest = next;
  }
  sink.at += digits;
}

function wordAt(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
  return (bytes[at + 3] as number) * 0x100_0000 + low;
}
