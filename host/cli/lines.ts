/**
 * Standard input as lines, with bounded memory: a source that never ends a line is refused, not buffered.
 */
import type { Readable } from "node:stream";
import { CliError } from "./failure.ts";

/** One line without its line end, and its number from 1. */
export interface Line {
  readonly number: number;
  readonly text: string;
}

/**
 * Splits a byte stream at LF or CRLF and gives all lines of one chunk at a time, so that callers can batch.
 *
 * Reading stops while the caller works on a batch: a fast producer waits in the pipe, not in our memory.
 *
 * @param lineBytesMax Longest line, line end excluded.
 * @throws {CliError} naming line, length so far and limit, or that the line is not UTF-8.
 */
export async function* lineBatches(input: Readable, lineBytesMax: number): AsyncGenerator<Line[]> {
  let number = 0;
  let rest: Buffer[] = [];
  let restBytes = 0;
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  const finish = (last: Buffer): Line => {
    const bytes = rest.length === 0 ? last : Buffer.concat([...rest, last]);
    rest = [];
    restBytes = 0;
    number += 1;
    const end = bytes.length > 0 && bytes[bytes.length - 1] === 13 ? bytes.length - 1 : bytes.length;
    if (end > lineBytesMax) throw tooLong(number, end, lineBytesMax);
    try {
      // A byte order mark belongs to the file, not to the first event.
      const from = number === 1 && end >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
      return { number, text: decoder.decode(bytes.subarray(from, end)) };
    } catch (cause) {
      throw new CliError(`line ${number} of the input is not UTF-8; send such data with --file`, { cause });
    }
  };

  for await (const piece of input) {
    const chunk: Buffer = typeof piece === "string" ? Buffer.from(piece) : (piece as Buffer);
    const lines: Line[] = [];
    let from = 0;
    for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, from)) {
      lines.push(finish(chunk.subarray(from, at)));
      from = at + 1;
    }
    if (from < chunk.length) {
      rest.push(chunk.subarray(from));
      restBytes += chunk.length - from;
      if (restBytes > lineBytesMax + 1) throw tooLong(number + 1, restBytes, lineBytesMax);
    }
    if (lines.length > 0) yield lines;
  }
  if (restBytes > 0) yield [finish(Buffer.alloc(0))];
}

function tooLong(number: number, bytes: number, bytesMax: number): CliError {
  return new CliError(`line ${number} of the input has ${bytes} bytes or more, the limit is ${bytesMax}`);
}
