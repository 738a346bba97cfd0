/** The last lines of one filter module. */

/** One line. */
export interface FilterLogLine {
  /** When, ms since 1970. */
  readonly at: number;
  readonly version: number;
  readonly level: "debug" | "info" | "warn" | "error";
  /** Plain text: nothing that a terminal would act upon. */
  readonly text: string;
}

/** Keeps as many lines as it is told, the last ones. */
export class LogRing {
  readonly #lines: FilterLogLine[] = [];
  readonly #most: number;
  /** Where the next line goes; the oldest once all places are taken. */
  #next = 0;

  /** @param most Lines, at least 1. */
  constructor(most: number) {
    this.#most = most;
  }

  /** Adds a line. */
  add(line: FilterLogLine): void {
    this.#lines[this.#next] = line;
    this.#next = (this.#next + 1) % this.#most;
  }

  /** All lines, the oldest first. */
  lines(): FilterLogLine[] {
    return [...this.#lines.slice(this.#next), ...this.#lines.slice(0, this.#next)];
  }
}
