/**
 * Goal: whatever way input is split into chunks, the same lines come out, and memory stays bounded.
 */
import { Readable } from "node:stream";
import { describe, expect, test } from "vitest";
import { CliError } from "../../../host/cli/failure.ts";
import { type Line, lineBatches } from "../../../host/cli/lines.ts";

async function linesOf(chunks: readonly Uint8Array[], lineBytesMax = 100): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const batch of lineBatches(Readable.from(chunks), lineBytesMax)) lines.push(...batch);
  return lines;
}

describe("lineBatches()", () => {
  const input = Buffer.from("\ufeffone\ntwo\r\n\nZoë 🎉\nlast", "utf8");
  const want = ["one", "two", "", "Zoë 🎉", "last"];

  test("gives the same lines at every split point", async () => {
    for (let at = 0; at <= input.length; at += 1) {
      const lines = await linesOf([input.subarray(0, at), input.subarray(at)]);
      expect(lines.map((line) => line.text)).toEqual(want);
      expect(lines.map((line) => line.number)).toEqual([1, 2, 3, 4, 5]);
    }
  });

  test("gives the same lines byte by byte", async () => {
    const lines = await linesOf(Array.from(input, (byte) => Buffer.from([byte])));
    expect(lines.map((line) => line.text)).toEqual(want);
  });

  test("gives nothing for empty input and no extra line for a final line end", async () => {
    expect(await linesOf([])).toEqual([]);
    expect(await linesOf([Buffer.from("a\n")])).toEqual([{ number: 1, text: "a" }]);
  });

  test("takes a line of exactly the limit, with either line end", async () => {
    expect(await linesOf([Buffer.from(`${"x".repeat(100)}\r\n`)])).toHaveLength(1);
    expect(await linesOf([Buffer.from("x".repeat(100))])).toHaveLength(1);
  });

  test("refuses a longer line by number and limit, also when it never ends", async () => {
    await expect(linesOf([Buffer.from(`a\n${"x".repeat(101)}\n`)])).rejects.toThrow(
      /line 2 .* 101 bytes .* limit is 100/,
    );
    const endless = Readable.from(
      (function* () {
        for (;;) yield Buffer.alloc(50, 120);
      })(),
    );
    const read = async (): Promise<void> => {
      for await (const batch of lineBatches(endless, 100)) void batch;
    };
    await expect(read()).rejects.toThrow(CliError);
  });

  test("refuses a line that is not UTF-8 by its number", async () => {
    await expect(linesOf([Buffer.from([0x61, 0x0a, 0xff, 0xfe, 0x0a])])).rejects.toThrow(/line 2 .* not UTF-8/);
  });
});
