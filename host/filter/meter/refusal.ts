/** How a module is refused: with every reason that was found, each saying where and which limit. */

/** The module is not taken. The message has all reasons, one a line. */
export class ModuleRefused extends Error {
  /** At least one; at most the limit `reasons`, and a last one that counts the rest. */
  readonly reasons: readonly string[];

  constructor(reasons: readonly string[]) {
    super(reasons.join("\n"));
    this.name = "ModuleRefused";
    this.reasons = Object.freeze([...reasons]);
  }
}

/** What is read cannot be read further: ends a section or a body; the next one is still looked at. */
export class Unreadable extends Error {
  /** Offset in the upload. */
  readonly at: number;

  constructor(at: number, what: string) {
    super(what);
    this.at = at;
  }
}

/** Collects reasons while the scan goes on. */
export class Reasons {
  readonly #max: number;
  readonly #kept: string[] = [];
  #dropped = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** How many were found. */
  get count(): number {
    return this.#kept.length + this.#dropped;
  }

  /**
   * Notes a reason.
   *
   * @param where Section or function; the offset is said beside it.
   * @param at Offset in the upload.
   */
  add(where: string, at: number, what: string): void {
    this.say(`${where}, byte ${at}: ${what}`);
  }

  /** Notes a reason that has no place. */
  say(what: string): void {
    if (this.#kept.length < this.#max) this.#kept.push(what);
    else this.#dropped++;
  }

  /** Notes a value above its limit. */
  limit(where: string, at: number, what: string, value: number, limit: number): void {
    if (value > limit) this.add(where, at, `${value} ${what}, limit is ${limit}`);
  }

  /**
   * Runs one reading; what is unreadable becomes a reason. Other exceptions pass: they are faults of this program.
   *
   * @returns Whether it came to its end.
   */
  attempt(where: string, read: () => void): boolean {
    try {
      read();
      return true;
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      this.add(where, error.at, error.message);
      return false;
    }
  }

  /** @throws {ModuleRefused} Where there is any reason. */
  settle(): void {
    if (this.count === 0) return;
    throw new ModuleRefused(this.#dropped === 0 ? this.#kept : [...this.#kept, `and ${this.#dropped} more reasons`]);
  }
}
