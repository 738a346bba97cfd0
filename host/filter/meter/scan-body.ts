/** Reads the body of one function: what is in it, what it costs, and where it is paid. */
import { COSTS } from "./costs.ts";
import { type ModuleLimits, moduleLimits } from "./limits.ts";
import { bulkOpcodes, type Opcode, opcodes, PREFIX_BULK, PREFIX_VECTOR } from "./opcodes.ts";
import type { Reader } from "./reader.ts";
import { type Reasons, Unreadable } from "./refusal.ts";
import { frequencyAt, type Point, type Region, regionAt } from "./regions.ts";
import type { Declarations } from "./scan-module.ts";
import { type FunctionType, hex, isValueType, referenceType, valueType } from "./types.ts";
import { vectorOpcodes } from "./vector-opcodes.ts";
import { Weight } from "./weight.ts";

/** What is known of one function. */
export interface Body {
  /** Offset of the groups of locals, behind their number. */
  readonly localsAt: number;
  /** Offset of the first instruction. */
  readonly codeAt: number;
  readonly end: number;
  readonly localGroups: number;
  /** Parameters and locals: the index of one that is added. */
  readonly locals: number;
  /** In the order of their places. */
  readonly points: readonly Point[];
  readonly regions: readonly Region[];
  /** Direct calls, and the region that pays for what the function called costs. */
  readonly calls: readonly { readonly region: Region; readonly callee: number }[];
  readonly callFrequency: number;
  /** A leaf costs that at most, and whoever calls it pays; undefined of other functions. */
  readonly leafCost: number | undefined;
  readonly weight: number;
}

const OP = Object.freeze({ block: 0x02, loop: 0x03, if: 0x04, else: 0x05 });
const EMPTY_BLOCK = 0x40;
const EMPTY: FunctionType = Object.freeze({ params: Object.freeze([]), results: Object.freeze([]) });
/** Behind these nothing is reached. */
const ENDS_REACH = new Set(["unreachable", "br", "br_table", "return", "return_call", "return_call_indirect"]);
/** The largest alignment is a vector's; bits above it would name another memory. */
const ALIGNMENT_MAX = 4;
const LANES = 16;

/** A block that is open. */
interface Frame {
  readonly opcode: number;
  /** Height of the stack below its parameters. */
  readonly base: number;
  readonly type: FunctionType;
  /** The region in which it begins. */
  readonly region: Region;
  /** Something in it jumps further than to its end or head: what follows it is not always reached. */
  isLeft: boolean;
}

/**
 * Reads a body.
 *
 * @param reader At its groups of locals, and as long as it.
 * @param where What reasons call it.
 * @param indirectCost What the dearest function costs that an indirect call may reach and that does not pay for itself.
 * @throws {Unreadable}
 */
export function scanBody(
  reader: Reader,
  type: FunctionType,
  declared: Declarations,
  indirectCost: number,
  limits: ModuleLimits,
  reasons: Reasons,
  where: string,
): Body {
  const groupsAt = reader.at;
  const localGroups = reader.u32();
  const localsAt = reader.at;
  let locals = type.params.length;
  // Each group takes bytes, so that a count beyond the body ends there.
  for (let i = 0; i < localGroups; i++) {
    locals += reader.u32();
    valueType(reader);
  }
  reasons.limit(where, groupsAt, "locals", locals, limits.locals);
  return new BodyScan(reader, type, declared, indirectCost, limits, reasons, where, locals).run(localsAt, localGroups);
}

class BodyScan {
  readonly #reader: Reader;
  readonly #declared: Declarations;
  readonly #indirectCost: number;
  readonly #limits: ModuleLimits;
  readonly #reasons: Reasons;
  readonly #where: string;
  readonly #locals: number;
  readonly #frames: Frame[] = [];
  readonly #points: Point[] = [];
  readonly #regions: Region[] = [];
  readonly #calls: { region: Region; callee: number }[] = [];
  readonly #weight: Weight;
  /** Memory may be larger than usual. */
  readonly #isFar: boolean;
  #region: Region;
  #height = 0;
  #heightMax = 0;
  #depth = 0;
  #callFrequency = 0;
  /** Nothing in it costs more than its bytes say. */
  #isPlain = true;

  constructor(
    reader: Reader,
    type: FunctionType,
    declared: Declarations,
    indirectCost: number,
    limits: ModuleLimits,
    reasons: Reasons,
    where: string,
    locals: number,
  ) {
    this.#reader = reader;
    this.#declared = declared;
    this.#indirectCost = indirectCost;
    this.#limits = limits;
    this.#reasons = reasons;
    this.#where = where;
    this.#locals = locals;
    this.#weight = new Weight(locals);
    this.#isFar = (declared.memory?.max ?? 0) > moduleLimits.memoryPagesMax;
    this.#region = this.#begin(undefined);
    // Parameters are not zeroed.
    this.#region.cost = COSTS.entry + Math.floor((locals - type.params.length) / COSTS.localsPerFuel);
    this.#frames.push({
      opcode: OP.block,
      base: 0,
      type: { params: [], results: type.results },
      region: this.#region,
      isLeft: false,
    });
  }

  run(localsAt: number, localGroups: number): Body {
    const { end, at: codeAt } = this.#reader;
    while (this.#frames.length > 0) this.#instruction();
    this.#reader.finish();
    this.#reasons.limit(this.#where, codeAt, "operands on the stack", this.#heightMax, this.#limits.operands);
    this.#reasons.limit(this.#where, codeAt, "compile weight", this.#weight.total, this.#limits.functionWeight);
    const sum = this.#regions.reduce((cost, region) => cost + region.cost, 0);
    return {
      localsAt,
      codeAt,
      end,
      localGroups,
      locals: this.#locals,
      points: this.#points,
      regions: this.#regions,
      calls: this.#calls,
      callFrequency: this.#callFrequency,
      leafCost: this.#isPlain && sum <= COSTS.leafMax ? sum : undefined,
      weight: this.#weight.total,
    };
  }

  #instruction(): void {
    const { at } = this.#reader;
    const opcode = this.#opcode();
    const { name, net, cost, isLoad, charge } = opcode;
    this.#region.cost += cost + (isLoad && this.#isFar ? COSTS.farLoad : 0);
    if (charge !== undefined) {
      this.#called();
      this.#point(charge, at);
    }
    // Before its immediates are looked at: a branch carries the stack as it is without the condition.
    this.#height = Math.max(this.#base, this.#height + net);
    this.#immediate(opcode, at);
    this.#heightMax = Math.max(this.#heightMax, this.#height);
    if (name === "br_if") this.#region = this.#begin(this.#region);
    else if (name === "return") this.#leave(this.#frames.length - 1, at);
    else if (name === "else") this.#otherwise(at);
    else if (name === "end") this.#end(at);
    if (ENDS_REACH.has(name)) this.#height = this.#base;
  }

  #opcode(): Opcode {
    const { at } = this.#reader;
    const first = this.#reader.u8();
    const isPrefix = first === PREFIX_BULK || first === PREFIX_VECTOR;
    const code = isPrefix ? this.#reader.u32() : first;
    const table = first === PREFIX_BULK ? bulkOpcodes : first === PREFIX_VECTOR ? vectorOpcodes : opcodes;
    const opcode = table[code];
    if (opcode === undefined)
      throw new Unreadable(at, `instruction ${hex(first)}${isPrefix ? ` ${hex(code)}` : ""} is not allowed`);
    return opcode;
  }

  #immediate({ name, code, immediate }: Opcode, at: number): void {
    const reader = this.#reader;
    switch (immediate) {
      case "none":
        return;
      case "block":
        return this.#open(code);
      case "label": {
        this.#weight.branch(this.#height, 1);
        return this.#leave(this.#label(), at);
      }
      case "labels":
        return this.#labels(at);
      case "function":
      case "indirect":
        return this.#call(name, at);
      case "index":
        reader.u32();
        return;
      case "indexes":
        reader.u32();
        reader.u32();
        return;
      case "indexMemory":
        reader.u32();
        return this.#onlyMemory();
      case "memories":
        this.#onlyMemory();
        return this.#onlyMemory();
      case "memory":
        return this.#onlyMemory();
      case "address":
        return this.#address();
      case "addressLane":
        this.#address();
        return reader.skip(1);
      case "i32":
        reader.signed(32);
        return;
      case "i64":
        reader.signed(64);
        return;
      case "f32":
        return reader.skip(4);
      case "f64":
        return reader.skip(8);
      case "types":
        if (reader.u32() !== 1) throw new Unreadable(at, "select has more than one type");
        valueType(reader);
        return;
      case "reference":
        referenceType(reader);
        return;
      case "lane":
        return reader.skip(1);
      case "lanes":
      case "v128":
        return reader.skip(LANES);
    }
  }

  /** Opens a block. */
  #open(opcode: number): void {
    const type = this.#blockType();
    const at = this.#reader.at;
    this.#weight.branch(this.#height, 1);
    const base = Math.max(this.#base, this.#height - type.params.length);
    this.#frames.push({ opcode, base, type, region: this.#region, isLeft: false });
    if (this.#frames.length > this.#limits.nesting)
      throw new Unreadable(at, `more than ${this.#limits.nesting} blocks within one another, which is the limit`);
    this.#height = base + type.params.length;
    if (opcode === OP.loop) {
      this.#depth++;
      this.#isPlain = false;
      this.#region = this.#begin(this.#region, true);
    } else if (opcode === OP.if) this.#region = this.#begin(this.#region);
  }

  #otherwise(at: number): void {
    const frame = this.#frames.at(-1);
    if (frame?.opcode !== OP.if) throw new Unreadable(at, "else stands without an if");
    this.#frames[this.#frames.length - 1] = { ...frame, opcode: OP.else };
    this.#height = frame.base + frame.type.params.length;
    this.#region = this.#begin(frame.region);
  }

  #end(at: number): void {
    const frame = this.#frames.pop() as Frame;
    if (frame.opcode === OP.loop) this.#depth--;
    this.#height = frame.base + frame.type.results.length;
    if (this.#frames.length === 0) this.#point("spill", at);
    else this.#region = frame.isLeft ? this.#begin(frame.region) : frame.region;
  }

  #call(name: string, at: number): void {
    const reader = this.#reader;
    const isTail = name.startsWith("return_");
    let type: FunctionType | undefined;
    if (name.endsWith("indirect")) {
      type = this.#declared.types[reader.u32()];
      reader.u32();
      this.#region.cost += this.#indirectCost;
    } else {
      const callee = reader.u32();
      type = this.#declared.functions[callee];
      this.#calls.push({ region: this.#region, callee });
    }
    // A type or function that is not there is the engine's to refuse.
    const { params, results } = type ?? EMPTY;
    this.#called();
    this.#point("spill", at);
    if (isTail) return;
    this.#point("reload", reader.at);
    this.#height = Math.max(this.#base, this.#height - params.length) + results.length;
  }

  #labels(at: number): void {
    const reader = this.#reader;
    const count = reader.u32();
    if (count > this.#limits.branchTargets)
      throw new Unreadable(at, `${count} targets of br_table, limit is ${this.#limits.branchTargets}`);
    const targets = new Set<number>();
    for (let i = 0; i <= count; i++) targets.add(this.#label());
    this.#weight.branch(this.#height, 1 + targets.size);
    for (const target of targets) if (target === this.#frames.length - 1) this.#point("spill", at);
    this.#leaveBlocks(Math.max(...targets));
  }

  #label(): number {
    const { at } = this.#reader;
    const label = this.#reader.u32();
    if (label >= this.#frames.length) throw new Unreadable(at, `there is no block ${label} around it`);
    return label;
  }

  /** Notes a jump out of blocks; one out of the function leaves its fuel where the caller finds it. */
  #leave(label: number, at: number): void {
    if (label === this.#frames.length - 1) this.#point("spill", at);
    this.#leaveBlocks(label);
  }

  /** What follows the target itself is reached by the jump, too. */
  #leaveBlocks(label: number): void {
    for (let i = 0; i < label; i++) (this.#frames[this.#frames.length - 1 - i] as Frame).isLeft = true;
  }

  #blockType(): FunctionType {
    const reader = this.#reader;
    const { at } = reader;
    const byte = reader.u8();
    if (byte === EMPTY_BLOCK) return EMPTY;
    if (isValueType(byte)) return { params: [], results: [byte] };
    reader.at = at;
    const index = reader.signed(33);
    const type = this.#declared.types[index];
    if (type === undefined) throw new Unreadable(at, `a block has type ${index}, which there is not`);
    return type;
  }

  #address(): void {
    const { at } = this.#reader;
    const alignment = this.#reader.u32();
    if (alignment > ALIGNMENT_MAX)
      throw new Unreadable(at, `alignment ${alignment} is not allowed (nor another memory)`);
    this.#reader.u32();
  }

  #onlyMemory(): void {
    const { at } = this.#reader;
    if (this.#reader.u8() !== 0) throw new Unreadable(at, "another memory than the first is used");
  }

  #called(): void {
    this.#isPlain = false;
    this.#weight.call(this.#height);
    this.#callFrequency += frequencyAt(this.#depth);
  }

  #begin(parent: Region | undefined, isLoop = false): Region {
    const region = regionAt(this.#reader.at, parent, this.#depth, isLoop);
    this.#regions.push(region);
    this.#points.push(region);
    return region;
  }

  #point(kind: Exclude<Point["kind"], "check">, at: number): void {
    this.#points.push({ kind, at });
  }

  get #base(): number {
    return this.#frames.at(-1)?.base ?? 0;
  }
}
