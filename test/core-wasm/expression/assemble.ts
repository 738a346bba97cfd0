/** A small assembler of programs, for tests that must not lean on the compiler. */
import * as code from "../../../core-wasm/expression/code.ts";
import { utf8 } from "../wire.ts";

/** A constant: booleans, whole numbers as bigint, numbers, texts. */
export type Constant = boolean | bigint | number | string;

/** A name: `load`, `sink.load`, or a field as `[name, FIELD_…]`. */
export type NameUse = string | readonly [name: string, field: number];

/** What a program is made of. Operations are lists of [opcode, …operands]; 16-bit operands are bigint. */
export interface Parts {
  readonly flags?: number;
  readonly stack?: number;
  readonly constants?: readonly Constant[];
  readonly names?: readonly NameUse[];
  readonly code: readonly (readonly (number | bigint)[])[];
}

/** The bytes of a program. */
export function assemble({ flags = 0, stack = 16, constants = [], names = [], code: operations }: Parts): Uint8Array {
  const body = operations.flatMap((operation) =>
    operation.flatMap((part) => (typeof part === "bigint" ? [Number(part) & 0xff, Number(part) >> 8] : [part])),
  );
  const textsAt =
    code.EXPRESSION_HEADER_BYTES +
    constants.length * code.EXPRESSION_CONSTANT_BYTES +
    names.length * code.EXPRESSION_NAME_BYTES +
    body.length;
  const texts: number[] = [];
  const place = (text: string): readonly [number, number] => {
    const bytes = utf8(text);
    const at = textsAt + texts.length;
    texts.push(...bytes);
    return [at, bytes.length];
  };
  const head = new DataView(new ArrayBuffer(textsAt - body.length));
  head.setUint8(0, code.EXPRESSION_VERSION);
  head.setUint8(1, flags);
  head.setUint8(2, stack);
  head.setUint16(4, constants.length, true);
  head.setUint16(6, names.length, true);
  head.setUint32(8, body.length, true);
  let at: number = code.EXPRESSION_HEADER_BYTES;
  for (const constant of constants) {
    if (typeof constant === "boolean") {
      head.setUint8(at, code.TYPE_BOOLEAN);
      head.setUint8(at + 8, constant ? 1 : 0);
    } else if (typeof constant === "bigint") {
      head.setUint8(at, code.TYPE_INTEGER);
      head.setBigInt64(at + 8, constant, true);
    } else if (typeof constant === "number") {
      head.setUint8(at, code.TYPE_NUMBER);
      head.setFloat64(at + 8, constant, true);
    } else {
      head.setUint8(at, code.TYPE_TEXT);
      const [offset, bytes] = place(constant);
      head.setUint32(at + 8, offset, true);
      head.setUint32(at + 12, bytes, true);
    }
    at += code.EXPRESSION_CONSTANT_BYTES;
  }
  for (const use of names) {
    const [full, field] = typeof use === "string" ? [use, 0] : use;
    const sink = full.startsWith("sink.");
    head.setUint8(at, sink ? code.SCOPE_SINK : code.SCOPE_EVENT);
    head.setUint8(at + 1, field);
    const [offset, bytes] = place(sink ? full.slice(5) : full);
    head.setUint16(at + 2, bytes, true);
    head.setUint32(at + 4, offset, true);
    at += code.EXPRESSION_NAME_BYTES;
  }
  return Uint8Array.from([...new Uint8Array(head.buffer), ...body, ...texts]);
}
