/**
 * Goal: no text breaks the parser, no bytes break the machine. Method: valid expressions and programs are changed at random;
 * a text is read or refused at a place within it, a program is refused by the verifier or runs to its end.
 */
import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import * as abi from "../../core-wasm/abi.ts";
import * as code from "../../core-wasm/expression/code.ts";
import { isSluiceError } from "../../host/errors.ts";
import { compileExpression } from "../../host/expression/compile.ts";
import { dialects } from "../../host/expression/dialect.ts";
import { EventSchema } from "../../host/gen/sluice/v1/event_pb.ts";
import { Machine } from "../host/expression/machine.ts";
import { askedEventArbitrary, expressionArbitrary } from "./expression-arbitrary.ts";
import { propertyParameters, timeoutMs } from "./runs.ts";

const PIECES = [
  "(",
  ")",
  ",",
  "'",
  '"',
  "\\",
  "-",
  "+",
  ".",
  "=",
  "<",
  ">",
  "!",
  "%",
  "/",
  " ",
  "\n",
  "\t",
  "0",
  "9e",
  "1.",
  "_",
];
const WORDS = [
  "AND",
  "OR",
  "NOT",
  "LIKE",
  "IN",
  "IS",
  "NULL",
  "BETWEEN",
  "EXISTS",
  "TRUE",
  "sink.",
  "age(",
  "LEFT(",
  "'%'",
];
const valid = expressionArbitrary({ extended: true });
const piece = fc.oneof(
  fc.constantFrom(...PIECES, ...WORDS.map((word) => ` ${word} `)),
  fc.string({ unit: "binary", maxLength: 3 }),
  fc.constantFrom("\ud800", "\udc00", "\0", "\u2028", "\u00a0", "ſ", "K"),
);
/** Parts of a text replaced by other pieces. */
const changed = fc
  .tuple(valid, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 3 }), piece), { minLength: 1, maxLength: 4 }))
  .map(([source, changes]) =>
    changes.reduce((text, [place, count, by]) => {
      const at = place % (text.length + 1);
      return text.slice(0, at) + by + text.slice(at + count);
    }, source),
  );

test("any text is compiled, or refused at a place within it", { timeout: timeoutMs(60_000) }, () => {
  fc.assert(
    fc.property(
      fc.oneof(
        changed,
        fc.array(piece, { maxLength: 12 }).map((parts) => parts.join("")),
        fc.string(),
      ),
      (text) => {
        for (const dialect of dialects) {
          try {
            compileExpression(text, dialect);
          } catch (error) {
            if (!isSluiceError(error)) throw error;
            expect(["expression", "limit_reached"]).toContain(error.code);
            if (error.code === "limit_reached") continue;
            const line = text.split("\n")[(error.line ?? 0) - 1] ?? "";
            const rest = [...line].slice((error.column ?? 0) - 1).join("");
            // The value may go on in further lines, and is cut where it is long.
            expect(`${error.value}`.startsWith(rest) || rest.startsWith(`${error.value}`.replace(/…$/, ""))).toBe(true);
            expect(error.expected?.length).toBeGreaterThan(0);
          }
        }
      },
    ),
    propertyParameters(3_000),
  );
});

test("any bytes are refused by the verifier, or run to their end", { timeout: timeoutMs(60_000) }, () => {
  const machine = new Machine();
  machine.sink({ load: { kind: { case: "number", value: 0.1 } } });
  const untouched = create(EventSchema, { type: "t" });
  const { program: probe } = compileExpression("type = 't' AND priority = 4");
  let taken = 0;
  const change = fc.tuple(
    fc.nat(),
    fc.oneof(fc.nat({ max: 255 }), fc.constantFrom(...Object.values(code).filter((op) => op < 256))),
  );
  const arbitrary = fc.tuple(
    valid,
    fc.array(change, { minLength: 1, maxLength: 4 }),
    fc.nat(),
    askedEventArbitrary(false),
  );
  fc.assert(
    fc.property(arbitrary, ([source, changes, cut, event]) => {
      const program = compileExpression(source).program.slice();
      for (const [place, byte] of changes) program[place % program.length] = byte;
      const bytes = cut % 7 === 0 ? program.subarray(0, cut % (program.length + 1)) : program;
      const handle = machine.add(bytes);
      if (handle === 0) {
        expect([abi.STATUS_EXPRESSION, abi.STATUS_LIMIT]).toContain(machine.refusal.status);
      } else {
        taken++;
        // What it computes means nothing; that it ends, and within its memory, is all that is asked.
        machine.run(handle, event);
        machine.release(handle);
      }
      expect(machine.evaluate(probe, untouched)).toMatchObject({ value: true, errors: 0 });
    }),
    propertyParameters(3_000),
  );
  // Else only the verifier was tried.
  expect(taken).toBeGreaterThan(0);
});

test("programs of nothing but random bytes behind a valid head are refused or run to their end", {
  timeout: timeoutMs(60_000),
}, () => {
  const machine = new Machine();
  const operations = Object.entries(code).flatMap(([name, value]) => (name.startsWith("OP_") ? [value] : []));
  const body = fc.array(fc.oneof(fc.constantFrom(...operations), fc.nat({ max: 3 })), { maxLength: 40 });
  fc.assert(
    fc.property(body, fc.nat({ max: 80 }), (bytes, stack) => {
      const program = Uint8Array.from([...head(stack, bytes.length + 1), ...bytes, code.OP_END, 0x61]);
      const handle = machine.add(program);
      if (handle === 0) return;
      machine.run(handle, create(EventSchema, { type: "t" }));
      machine.release(handle);
    }),
    propertyParameters(3_000),
  );
});

/** A head with two constants (1 and 'a') and two names (`a`, `sink.a`), for that many bytes of code. */
function head(stack: number, codeBytes: number): number[] {
  const textAt = code.EXPRESSION_HEADER_BYTES + 2 * 16 + 2 * 8 + codeBytes;
  const word = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
  return [
    ...[code.EXPRESSION_VERSION, 0, stack, 0, 2, 0, 2, 0, ...word(codeBytes)],
    ...[code.TYPE_INTEGER, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
    ...[code.TYPE_TEXT, 0, 0, 0, 0, 0, 0, 0, ...word(textAt), ...word(1)],
    ...[code.SCOPE_EVENT, 0, 1, 0, ...word(textAt)],
    ...[code.SCOPE_SINK, 0, 1, 0, ...word(textAt)],
  ];
}
