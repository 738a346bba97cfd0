/**
 * What a module says. It is text of a stranger's that ends up on terminals and in files of the operator's: bounded per batch
 * and per minute, and free of everything that is not plain text.
 */
import type { Clock } from "../../clock.ts";
import type { ModuleLimits } from "./spec.ts";

/** Levels as modules number them. */
const levels = ["debug", "info", "warn", "error"] as const;

/** One of them. */
export type ModuleLogLevel = (typeof levels)[number];

/** Hears one line. */
export type ModuleLogSink = (level: ModuleLogLevel, text: string) => void;

/** Bytes of a line that are looked at; the rest of it is cut off. */
const LINE_BYTES_MAX = 1_024;
const MINUTE_MS = 60_000;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** Controls (terminal escapes among them), what turns the direction of text, line separators, and halves of characters. */
const unprintable = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** The log of one module; lines beyond its limits are counted and gone. */
export class ModuleLog {
  /** Lines that were passed on, and those that were not. */
  lines = 0;
  dropped = 0;
  readonly #clock: Clock;
  readonly #limits: ModuleLimits;
  readonly #sink: ModuleLogSink;
  #batchLines = 0;
  #minuteBytes = 0;
  #minuteAt = Number.NEGATIVE_INFINITY;

  /** @param clock Of the service. */
  constructor(clock: Clock, limits: ModuleLimits, sink: ModuleLogSink) {
    this.#clock = clock;
    this.#limits = limits;
    this.#sink = sink;
  }

  /** The lines of another call begin. */
  nextBatch(): void {
    this.#batchLines = 0;
  }

  /**
   * Takes a line.
   *
   * @param level As the module gives it; an unknown one counts as the nearest.
   * @param bytes Supposed to be UTF-8; they are read before this returns.
   */
  take(level: number, bytes: Uint8Array): void {
    const now = this.#clock.now();
    if (now - this.#minuteAt >= MINUTE_MS) {
      this.#minuteAt = now;
      this.#minuteBytes = 0;
    }
    const cut = bytes.subarray(0, LINE_BYTES_MAX);
    const { logLinesPerBatch, logBytesPerMinute } = this.#limits;
    if (this.#batchLines >= logLinesPerBatch || this.#minuteBytes + cut.length > logBytesPerMinute) {
      this.dropped++;
      return;
    }
    this.#batchLines++;
    this.#minuteBytes += cut.length;
    this.lines++;
    this.#sink(levels[Math.max(0, Math.min(level | 0, levels.length - 1))] as ModuleLogLevel, plainText(cut));
  }
}

/** Text that no terminal acts upon: what is no character becomes U+FFFD. */
export function plainText(bytes: Uint8Array): string {
  return decoder.decode(bytes).replace(unprintable, "\ufffd");
}
