/** Writes instrumented code: the bodies of the module with checks between their instructions, and the functions that are added. */
import { COSTS, type Rate } from "./costs.ts";
import type { Charge } from "./opcodes.ts";
import { isLocalBetter } from "./regions.ts";
import type { Body } from "./scan-body.ts";
import { TYPE_I32 } from "./types.ts";
import type { Writer } from "./writer.ts";

/** Opcodes that added code is made of. */
const OP = Object.freeze({
  unreachable: 0x00,
  if: 0x04,
  end: 0x0b,
  call: 0x10,
  select: 0x1b,
  localGet: 0x20,
  localSet: 0x21,
  localTee: 0x22,
  globalGet: 0x23,
  globalSet: 0x24,
  i32Const: 0x41,
  i32LtS: 0x48,
  i32LtU: 0x49,
  i32Add: 0x6a,
  i32Sub: 0x6b,
  i32Mul: 0x6c,
  i32ShrU: 0x76,
});
const NO_RESULT = 0x40;

/** Where added code finds what was added. */
export interface Added {
  /** Index of the global that holds the fuel. */
  readonly fuel: number;
  /** Index of the function that takes the price of a length and hands it back. */
  readonly helpers: Readonly<Record<Charge, number>>;
}

/** Writes a body, without its size. `bytes`: the upload. */
export function writeBody(writer: Writer, bytes: Uint8Array, body: Body, { fuel, helpers }: Added): void {
  const { localsAt, codeAt, end, localGroups, locals, points, regions } = body;
  const isLocal = body.leafCost === undefined && isLocalBetter(regions, body.callFrequency);
  writer.u32(localGroups + (isLocal ? 1 : 0)).raw(bytes, localsAt, codeAt);
  if (isLocal) writer.u32(1).u8(TYPE_I32);
  if (body.leafCost !== undefined) {
    writer.raw(bytes, codeAt, end);
    return;
  }
  const spill = (): Writer => writer.u8(OP.localGet).u32(locals).u8(OP.globalSet).u32(fuel);
  const reload = (): Writer => writer.u8(OP.globalGet).u32(fuel).u8(OP.localSet).u32(locals);
  if (isLocal) reload();
  let copied = codeAt;
  for (const point of points) {
    writer.raw(bytes, copied, point.at);
    copied = point.at;
    if (point.kind === "check") {
      if (point.isFolded) continue;
      if (!isLocal) writeCheck(writer, fuel, point.cost);
      else {
        writer.u8(OP.localGet).u32(locals).u8(OP.i32Const).s32(point.cost).u8(OP.i32Sub).u8(OP.localTee).u32(locals);
        // The global is spilled so that who asks can tell this end from any other trap.
        writer.u8(OP.i32Const, 0, OP.i32LtS, OP.if, NO_RESULT);
        spill().u8(OP.unreachable, OP.end);
      }
    } else if (point.kind === "spill" || point.kind === "reload") {
      if (isLocal) point.kind === "spill" ? spill() : reload();
    } else {
      if (isLocal) spill();
      writer.u8(OP.call).u32(helpers[point.kind]);
      if (isLocal) reload();
    }
  }
  writer.raw(bytes, copied, end);
}

/**
 * Writes a function `(length) → length` that takes the price of it. Lengths beyond `most` cost as much as that and fail by themselves: no
 * memory and no table is longer.
 */
export function writeHelper(writer: Writer, fuel: number, { fixed, per, shift }: Rate, most: number): void {
  const units = (): void => {
    writer.u8(OP.localGet, 0, OP.i32Const).s32(shift).u8(OP.i32ShrU);
  };
  const unitsMax = most >>> shift;
  writer.u32(0).u8(OP.globalGet).u32(fuel);
  units();
  writer.u8(OP.i32Const).s32(unitsMax);
  units();
  writer.u8(OP.i32Const).s32(unitsMax).u8(OP.i32LtU, OP.select);
  writer.u8(OP.i32Const).s32(per).u8(OP.i32Mul, OP.i32Const).s32(fixed).u8(OP.i32Add, OP.i32Sub);
  writer.u8(OP.globalSet).u32(fuel);
  writeTest(writer, fuel);
  writer.u8(OP.localGet, 0, OP.end);
}

/** Writes a function that sets the fuel to its first argument and calls another one with the rest. */
export function writeWrapper(writer: Writer, fuel: number, callee: number, params: number, calleeCost: number): void {
  writer.u32(0).u8(OP.localGet, 0, OP.globalSet).u32(fuel);
  writeCheck(writer, fuel, calleeCost);
  for (let i = 1; i <= params; i++) writer.u8(OP.localGet).u32(i);
  writer.u8(OP.call).u32(callee).u8(OP.end);
}

/** Writes a function that tells the fuel. */
export function writeGetter(writer: Writer, fuel: number): void {
  writer.u32(0).u8(OP.globalGet).u32(fuel).u8(OP.end);
}

function writeCheck(writer: Writer, fuel: number, cost: number): void {
  writer.u8(OP.globalGet).u32(fuel).u8(OP.i32Const).s32(cost).u8(OP.i32Sub, OP.globalSet).u32(fuel);
  writeTest(writer, fuel);
}

function writeTest(writer: Writer, fuel: number): void {
  writer.u8(OP.globalGet).u32(fuel).u8(OP.i32Const, 0, OP.i32LtS, OP.if, NO_RESULT, OP.unreachable, OP.end);
}

/** Rates by what their operand counts. */
export const RATES: Readonly<Record<Charge, Rate>> = Object.freeze({
  bytes: COSTS.bytes,
  elements: COSTS.elements,
  pages: COSTS.pages,
});
