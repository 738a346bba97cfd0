/** What a hostile module is to this suite: bytes that a stranger uploads, and what has to come of it. */
import { type FunctionPart, filterOf, type ModuleParts } from "../../host/filter/meter/assemble.ts";

/** One module. */
export interface Attack {
  readonly name: string;
  /** Made when it is needed: some are large. */
  readonly bytes: () => Uint8Array<ArrayBuffer>;
  /** Refused at upload: what the reasons must have said, each by one of them. Absent: taken, and contained when it runs. */
  readonly reasons?: readonly RegExp[];
  /** How a call of its hook ends: its fuel is spent, it traps in another way, or nothing happens. */
  readonly ends?: "fuel" | "trap" | "well";
}

/** Items by index. */
export function many<Item>(count: number, item: (index: number) => Item): Item[] {
  return Array.from({ length: count }, (_, index) => item(index));
}

/** A filter that is refused. */
export function refused(name: string, parts: ModuleParts, ...reasons: RegExp[]): Attack {
  return { name, bytes: () => filterOf(parts), reasons };
}

/** Bytes that are refused. */
export function refusedBytes(name: string, bytes: () => ArrayLike<number>, ...reasons: RegExp[]): Attack {
  return { name, bytes: () => Uint8Array.from(bytes()), reasons };
}

/** A filter that is taken: its hook does something. */
export function contained(name: string, ends: "fuel" | "trap" | "well", code: string, parts: ModuleParts = {}): Attack {
  return { name, ends, bytes: () => filterOf({ ...parts, functions: withHook(code, parts) }) };
}

/** The functions of some parts, and an IN hook with that code behind them. */
export function withHook(code: string, { functions = [] }: ModuleParts): readonly FunctionPart[] {
  return [...functions, { type: "iiii:i", locals: "iild", code, exports: ["sluice_in"] }];
}
