/**
 * Decision words: what a module wrote is checked word by word and copied out, so that nothing of its memory is looked at
 * again. Faults leave holes, which are filled by running the rest or by what the binding says.
 */
import {
  answerWords,
  bitmapWords,
  DECISION_DIVERT,
  KIND_ALL,
  KIND_BITMAP,
  KIND_DROP,
  KIND_LIST,
  type ModuleBatch,
  RECORD_CANDIDATES,
  RECORD_CANDIDATES_AT,
  UNDECIDED,
} from "./batch.ts";
import type { OnError } from "./spec.ts";

/** What becomes of an event that was not decided, as a word: only the host writes the one that diverts. */
export const onErrorWords: { readonly [Name in OnError]: number } = {
  pass: KIND_ALL,
  drop: KIND_DROP,
  divert: DECISION_DIVERT,
};

/** The decisions of a batch, as the core takes them: one word per event, then the variable area. */
export class Decisions {
  /** Words; those of events come first. */
  words = new Uint32Array(256);
  /** How many are used. */
  used = 0;
  /** Sinks that the module chose, over all events. */
  chosen = 0;
  #batch: ModuleBatch | undefined = undefined;
  #view: DataView = new DataView(new ArrayBuffer(0));
  /** Offset in the records, by event. */
  #at = new Uint32Array(64);
  #count = 0;
  #seen = new Uint32Array(0);

  /** Begins with a batch of which nothing is decided. */
  begin(batch: ModuleBatch): void {
    const { records, table } = batch;
    this.#batch = batch;
    this.#count = batch.count;
    this.used = batch.count;
    this.chosen = 0;
    const room = answerWords(batch.count, table.sinks);
    if (this.words.length < room) this.words = new Uint32Array(room);
    this.words.fill(UNDECIDED, 0, batch.count);
    if (this.#at.length < batch.count) this.#at = new Uint32Array(batch.count);
    if (this.#seen.length < bitmapWords(table.sinks)) this.#seen = new Uint32Array(bitmapWords(table.sinks));
    this.#view = new DataView(records.buffer, records.byteOffset, records.byteLength);
    for (let index = 0, at = 0; index < batch.count; index++) {
      this.#at[index] = at;
      at += this.#view.getUint32(at, true);
    }
  }

  /** Whether an event waits for its decision. */
  isOpen(index: number): boolean {
    return this.words[index] === UNDECIDED;
  }

  /** The first event that waits; the count where none does. */
  firstOpen(): number {
    for (let index = 0; index < this.#count; index++) if (this.isOpen(index)) return index;
    return this.#count;
  }

  /** Copies the records of the events that wait, one after the other, and names them in `indices`. */
  openRecords(indices: number[]): Uint8Array {
    const { records } = this.#batch as ModuleBatch;
    indices.length = 0;
    let bytes = 0;
    for (let index = 0; index < this.#count; index++) {
      if (!this.isOpen(index)) continue;
      indices.push(index);
      bytes += this.#size(index);
    }
    const copy = new Uint8Array(bytes);
    let to = 0;
    for (const index of indices) {
      const at = this.#at[index] as number;
      copy.set(records.subarray(at, at + this.#size(index)), to);
      to += this.#size(index);
    }
    return copy;
  }

  #size(index: number): number {
    return this.#view.getUint32(this.#at[index] as number, true);
  }

  /** How many sinks an event may go to. */
  candidates(index: number): number {
    return this.#view.getUint32((this.#at[index] as number) + RECORD_CANDIDATES, true);
  }

  /** Decides one event without the module. */
  set(index: number, word: number): void {
    this.words[index] = word;
  }

  /** Decides every event that waits; returns how many. */
  setOpen(word: number): number {
    let set = 0;
    for (let index = 0; index < this.#count; index++) {
      if (!this.isOpen(index)) continue;
      this.words[index] = word;
      set++;
    }
    return set;
  }

  /**
   * Takes the answer for one event.
   *
   * @param answer What the module wrote: `events` words, then the variable area, `length` in all.
   * @param place Of the event in that answer.
   * @returns Undefined, or what is wrong with it; the event waits on then.
   */
  take(index: number, answer: Uint32Array, events: number, length: number, place: number): string | undefined {
    const word = answer[place] as number;
    const kind = word & 3;
    if (word === UNDECIDED) return "the event has no decision";
    if (kind === KIND_DROP || kind === KIND_ALL) {
      this.words[index] = kind;
      if (kind === KIND_ALL) this.chosen += this.candidates(index);
      return undefined;
    }
    const at = events + (word >>> 2);
    return kind === KIND_BITMAP ? this.#bitmap(index, answer, at, length) : this.#list(index, answer, at, length);
  }

  #bitmap(index: number, answer: Uint32Array, at: number, length: number): string | undefined {
    const { table } = this.#batch as ModuleBatch;
    const size = bitmapWords(table.sinks);
    if (at + size > length) return `its bitmap ends at word ${at + size} of ${length}`;
    let chosen = 0;
    for (let word = 0; word < size; word++) {
      const bits = answer[at + word] as number;
      const wrong = (bits & ~this.#candidates(index, word)) >>> 0;
      if (wrong !== 0) return `sink ${word * 32 + 31 - Math.clz32(wrong)} is no candidate`;
      chosen += bitsIn(bits);
    }
    this.words[index] = (((this.used - this.#count) << 2) | KIND_BITMAP) >>> 0;
    this.#append(answer, at, size);
    this.chosen += chosen;
    return undefined;
  }

  #list(index: number, answer: Uint32Array, at: number, length: number): string | undefined {
    const { table } = this.#batch as ModuleBatch;
    if (at >= length) return `its list begins at word ${at} of ${length}`;
    const size = answer[at] as number;
    if (size > length - at - 1) return `its list of ${size} sinks ends beyond word ${length}`;
    const words = bitmapWords(table.sinks);
    const seen = this.#seen;
    seen.fill(0, 0, words);
    let chosen = 0;
    for (let place = 1; place <= size; place++) {
      const slot = answer[at + place] as number;
      if (slot >= table.sinks) return `sink ${slot} is not below ${table.sinks}`;
      const bit = 1 << (slot & 31);
      if ((this.#candidates(index, slot >>> 5) & bit) === 0) return `sink ${slot} is no candidate`;
      if (((seen[slot >>> 5] as number) & bit) === 0) chosen++;
      seen[slot >>> 5] = (seen[slot >>> 5] as number) | bit;
    }
    this.chosen += chosen;
    const place = (this.used - this.#count) << 2;
    if (chosen + 1 < words) {
      // Read from what was seen, so that nobody stands in it twice.
      this.words[index] = (place | KIND_LIST) >>> 0;
      this.words[this.used++] = chosen;
      for (let word = 0; word < words; word++)
        for (let bits = seen[word] as number; bits !== 0; bits &= bits - 1)
          this.words[this.used++] = word * 32 + 31 - Math.clz32(bits & -bits);
      return undefined;
    }
    this.words[index] = (place | KIND_BITMAP) >>> 0;
    this.#append(seen, 0, words);
    return undefined;
  }

  /** A word of the candidates of an event. */
  #candidates(index: number, word: number): number {
    const at = this.#at[index] as number;
    const bitmap = this.#view.getUint32(at + RECORD_CANDIDATES_AT, true);
    if (bitmap !== 0) return this.#view.getUint32(at + bitmap + word * 4, true);
    const left = (this.#batch as ModuleBatch).table.sinks - word * 32;
    return left >= 32 ? 0xffff_ffff : (1 << Math.max(left, 0)) - 1;
  }

  #append(from: Uint32Array, at: number, size: number): void {
    for (let word = 0; word < size; word++) this.words[this.used + word] = from[at + word] as number;
    this.used += size;
  }
}

function bitsIn(word: number): number {
  let bits = word - ((word >>> 1) & 0x5555_5555);
  bits = (bits & 0x3333_3333) + ((bits >>> 2) & 0x3333_3333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
