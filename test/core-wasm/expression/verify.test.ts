/** The verifier: what it refuses, and that whatever it lets through is harmless. */
import { describe, expect, test } from "vitest";
import * as abi from "../../../core-wasm/abi.ts";
import * as code from "../../../core-wasm/expression/code.ts";
import { casesOfRun, createRandom, seedOfRun } from "../../hostile/mutate.ts";
import { Harness } from "../harness.ts";
import { assemble } from "./assemble.ts";
import { Machine } from "./machine.ts";

const machine = new Machine();
const push = [code.OP_CONSTANT, 0n] as const;
const end = [code.OP_END] as const;
const valid = { constants: ["a", 1n, true, 1.5], names: ["x", "sink.y"] };

/** Offset of the code of a program with those constants and names. */
const codeOf = code.EXPRESSION_HEADER_BYTES + 4 * code.EXPRESSION_CONSTANT_BYTES + 2 * code.EXPRESSION_NAME_BYTES;

/** A valid program with one byte changed. */
function changed(at: number, value: number): Uint8Array {
  const program = assemble({ ...valid, code: [push, end] });
  program[at] = value;
  return program;
}

function refused(program: Uint8Array): boolean {
  const handle = machine.add(program);
  if (handle !== 0) machine.harness.core.expressionRelease(handle);
  else expect(machine.harness.result(abi.RESULT_STATUS)).toBe(abi.STATUS_EXPRESSION);
  return handle === 0;
}

describe("expressionAdd() refuses", () => {
  const program = (...operations: (readonly (number | bigint)[])[]) => assemble({ ...valid, code: operations });

  test.each<[string, Uint8Array]>([
    ["no bytes", new Uint8Array(0)],
    ["a head that is cut off", assemble({ ...valid, code: [push, end] }).subarray(0, 11)],
    ["another version", changed(0, 2)],
    ["an unknown flag", changed(1, 2)],
    ["no stack", changed(2, 0)],
    ["more stack than there is", changed(2, 65)],
    ["more constants than bytes", changed(5, 0xff)],
    ["more names than bytes", changed(7, 0xff)],
    ["more code than bytes", changed(10, 1)],
    ["a constant of no type", changed(code.EXPRESSION_HEADER_BYTES, 0)],
    ["a constant of an unknown type", changed(code.EXPRESSION_HEADER_BYTES, 5)],
    ["a text that lies outside", changed(code.EXPRESSION_HEADER_BYTES + 11, 0xff)],
    ["a text that reaches outside", changed(code.EXPRESSION_HEADER_BYTES + 13, 1)],
    ["a boolean of 2", changed(code.EXPRESSION_HEADER_BYTES + 2 * code.EXPRESSION_CONSTANT_BYTES + 8, 2)],
    ["a scope that is none", changed(codeOf - 16, 2)],
    ["a field that is none", changed(codeOf - 15, code.FIELDS)],
    ["a field of a sink", changed(codeOf - 7, code.FIELD_ID)],
    ["a name outside", changed(codeOf - 9, 0xff)],
    ["code without an end", program(push)],
    ["an end with nothing on the stack", program(end)],
    ["an end with two values", program(push, push, end)],
    ["an end in the middle", program(push, end, push, end)],
    ["an unknown operation", program([0], end)],
    ["an operand that is cut off", changed(8, 2)],
    ["a constant that is not there", program([code.OP_CONSTANT, 4n], end)],
    ["a name that is not there", program([code.OP_NAME, 2n], end)],
    ["an age of the event", program([code.OP_AGE, 0n], end)],
    ["a pattern that is no text", program(push, [code.OP_LIKE, 1n], end)],
    ["an empty stack", program([code.OP_NOT], end)],
    ["a stack of one for two", program(push, [code.OP_ADD], end)],
    ["a jump to nowhere", program(push, [code.OP_JUMP_TRUE, 100n], push, end)],
    ["a jump into an operation", program(push, [code.OP_JUMP_TRUE, 1n], push, end)],
    ["a jump that leaves another depth", program(push, [code.OP_JUMP_TRUE, 3n], push, push, end)],
    ["two jumps of different depth", program(push, push, [code.OP_JUMP_TRUE, 6n], [code.OP_JUMP_TRUE, 3n], push, end)],
    ["a function that is none", program(push, [code.OP_CALL, code.FUNCTIONS, 1], end)],
    ["a function of none", program([code.OP_CALL, 0, 0], end)],
    ["too few arguments", program(push, [code.OP_CALL, code.FUNCTION_LEFT, 1], end)],
    ["too many arguments", program(push, push, [code.OP_CALL, code.FUNCTION_LENGTH, 2], end)],
    ["arguments that are not there", program(push, [code.OP_CALL, code.FUNCTION_CONCAT, 2], end)],
  ])("%s", (_name, bytes) => expect(refused(bytes)).toBe(true));

  test("texts that are not UTF-8", () => {
    const bytes = assemble({ constants: ["é"], code: [push, end] });
    bytes[bytes.length - 1] = 0x20;
    expect(refused(bytes)).toBe(true);
  });

  test("more stack than the program says, more arguments than the machine takes, more bytes than are kept", () => {
    const pushes = Array.from({ length: 17 }, () => push);
    const ors = Array.from({ length: 16 }, () => [code.OP_XOR]);
    expect(refused(assemble({ constants: ["a"], stack: 16, code: [...pushes, ...ors, end] }))).toBe(true);
    expect(refused(assemble({ constants: ["a"], stack: 17, code: [...pushes, ...ors, end] }))).toBe(false);
    const many = Array.from({ length: 33 }, () => push);
    const call = [code.OP_CALL, code.FUNCTION_CONCAT, 33];
    expect(refused(assemble({ constants: ["a"], stack: 64, code: [...many, call, end] }))).toBe(true);
    const large = assemble({ constants: ["a".repeat(code.EXPRESSION_BYTES_MAX)], code: [push, end] });
    expect(machine.add(large)).toBe(0);
    expect(machine.harness.result(abi.RESULT_STATUS)).toBe(abi.STATUS_LIMIT);
    expect(machine.harness.result(abi.RESULT_LIMIT)).toBe(code.EXPRESSION_BYTES_MAX);
  });
});

describe("programs", () => {
  test("the same bytes are kept once; all memory and names come back", () => {
    const { core } = machine.harness;
    const bytes = assemble({ names: ["some_name"], code: [[code.OP_NAME, 0n], end] });
    const one = machine.add(bytes);
    expect(machine.add(bytes)).toBe(one);
    core.expressionRelease(one);
    expect(machine.run(one, { type: "t" }).value).toBeUndefined();
    core.expressionRelease(one);
    const round = (): number => {
      const handles = Array.from({ length: 2_000 }, (_, at) =>
        machine.add(assemble({ names: [`name_${at}`], constants: [BigInt(at)], code: [push, end] })),
      );
      expect(new Set(handles).size).toBe(2_000);
      for (const handle of handles) core.expressionRelease(handle);
      return core.statistic(abi.STATISTIC_PAGES_USED);
    };
    round();
    const pages = round();
    expect([round(), round()]).toEqual([pages, pages]);
  });

  test("where memory runs out the program is refused and the others go on", () => {
    const small = new Machine(Harness.create({ poolBytes: 6 * 1024 * 1024 }));
    const kept: number[] = [];
    for (let at = 0; ; at++) {
      const handle = small.add(
        assemble({
          names: [`n${at}`],
          constants: ["x".repeat(30_000), BigInt(at)],
          code: [[code.OP_CONSTANT, 1n], end],
        }),
      );
      if (handle === 0) break;
      kept.push(handle);
    }
    expect(small.harness.result(abi.RESULT_STATUS)).toBe(abi.STATUS_STORE_FULL);
    expect(kept.length).toBeGreaterThan(10);
    expect(small.run(kept[5] as number, { type: "t" }).value).toBe(5n);
    for (const handle of kept) small.harness.core.expressionRelease(handle);
    expect(small.evaluate(assemble({ constants: [7n], code: [push, end] }), { type: "t" }).value).toBe(7n);
  });
});

describe("whatever bytes come in", () => {
  const seed = seedOfRun();

  test(`is refused or harmless (seed ${seed})`, () => {
    const below = createRandom(seed);
    const models = [
      assemble({ ...valid, code: [[code.OP_NAME, 0n], [code.OP_LIKE, 0n], end] }),
      assemble({ ...valid, code: [push, [code.OP_JUMP_FALSE, 3n], [code.OP_NAME, 0n], [code.OP_TO_BOOLEAN], end] }),
      assemble({ ...valid, code: [push, push, push, [code.OP_BETWEEN], end] }),
      assemble({ ...valid, code: [push, push, [code.OP_CALL, code.FUNCTION_CONCAT, 2], end] }),
      assemble({
        ...valid,
        code: [[code.OP_NAME, 1n], push, [code.OP_IN_EQUAL], [code.OP_IN_NOT], [code.OP_NIP], end],
      }),
    ];
    const event = { type: "t", attributes: { x: { kind: { case: "text" as const, value: "abc" } } } };
    let ran = 0;
    for (let round = 0; round < casesOfRun(60_000); round++) {
      const model = models[below(models.length)] as Uint8Array;
      // Half of them keep a valid head and get random code: those reach the machine.
      const bytes = Uint8Array.from(model);
      if (round % 2 === 0)
        for (let change = below(4) + 1; change > 0; change--) bytes[below(bytes.length)] = below(256);
      else
        for (let at = codeOf; at < codeOf + (bytes[8] ?? 0) - 1; at++)
          bytes[at] = below(5) < 2 ? below(0x32) : (bytes[at] as number);
      const handle = machine.add(bytes);
      if (handle === 0) continue;
      machine.run(handle, event);
      machine.harness.core.expressionRelease(handle);
      ran++;
    }
    expect(ran).toBeGreaterThan(1_000);
    expect(machine.evaluate(models[0] as Uint8Array, event).value).toBe(false);
  });
});
