/**
 * What one revision of a filter hands to the next, or to itself after a fault. Values are read in the order in which they were
 * written; a reader that has come to the end gives zeros and says so.
 */

/** Takes what `save` writes. */
export class StateWriter {
  /** Whether all of it found room: at most 64 KiB. */
  fits: bool = true;
  /** Bytes written. */
  bytes: i32 = 0;
  constructor(
    private at: usize,
    private room: i32,
  ) {}

  integer(value: i64): void {
    if (this.take(8)) store<i64>(this.at + this.bytes - 8, value);
  }

  number(value: f64): void {
    if (this.take(8)) store<f64>(this.at + this.bytes - 8, value);
  }

  text(value: string): void {
    const bytes = String.UTF8.encode(value);
    const length = bytes.byteLength;
    this.integer(length);
    if (this.take(length)) memory.copy(this.at + this.bytes - length, changetype<usize>(bytes), length);
  }

  private take(bytes: i32): bool {
    if (this.fits && bytes <= this.room - this.bytes) this.bytes += bytes;
    else this.fits = false;
    return this.fits;
  }
}

/** Gives what `restore` reads. */
export class StateReader {
  /** Whether everything so far was there. */
  isComplete: bool = true;
  private read: i32 = 0;
  constructor(
    private at: usize,
    private bytes: i32,
  ) {}

  /** Whether there is more. */
  get hasMore(): bool {
    return this.isComplete && this.read < this.bytes;
  }

  integer(): i64 {
    return this.take(8) ? load<i64>(this.at + this.read - 8) : 0;
  }

  number(): f64 {
    return this.take(8) ? load<f64>(this.at + this.read - 8) : 0;
  }

  text(): string {
    const bytes = this.integer();
    // What another revision wrote need not make sense to this one.
    if (bytes < 0 || bytes > i32.MAX_VALUE) this.isComplete = false;
    return this.take(<i32>bytes) ? String.UTF8.decodeUnsafe(this.at + this.read - <usize>bytes, <usize>bytes) : "";
  }

  private take(bytes: i32): bool {
    if (this.isComplete && bytes <= this.bytes - this.read) this.read += bytes;
    else this.isComplete = false;
    return this.isComplete;
  }
}
