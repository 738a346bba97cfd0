/** The core's machine as a function: program and event in, value and errors out. */
import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import * as abi from "../../../core-wasm/abi.ts";
import * as code from "../../../core-wasm/expression/code.ts";
import type { Evaluation } from "../../../host/expression/evaluate.ts";
import type { Value } from "../../../host/expression/value.ts";
import type { ValueSchema } from "../../../host/gen/sluice/v1/event_pb.ts";
import { UpdateSchema } from "../../../host/gen/sluice/v1/frame_pb.ts";
import { type EventInit, encodeEvent } from "../../core-wasm/frames.ts";
import { Harness } from "../../core-wasm/harness.ts";

/** Live attributes of the one sink. */
export type SinkAttributes = { readonly [name: string]: MessageInitShape<typeof ValueSchema> };

/** One core with one channel and one sink. */
export class Machine {
  readonly #harness: Harness;
  readonly #connection: number;
  readonly #member: number;

  constructor() {
    this.#harness = Harness.create();
    const channel = this.#harness.channel("c");
    const connection = this.#harness.open();
    this.#connection = connection.id;
    this.#member = this.#harness.member(connection, channel, abi.ROLE_SINK);
  }

  /** Replaces the sink's attributes. */
  sink(attributes: SinkAttributes, remove: readonly string[] = []): void {
    const update = create(UpdateSchema, { member: this.#member, attributes, remove: [...remove] });
    const bytes = this.#harness.stage(toBinary(UpdateSchema, update));
    const status = this.#harness.core.memberUpdate(this.#connection, abi.STAGE_OFFSET, bytes, 0);
    if (status !== abi.STATUS_OK) throw new Error(`memberUpdate() gave ${status}`);
  }

  /** Handle of a program; 0 where the verifier refuses it, with what is wrong in `refusal`. */
  add(program: Uint8Array): number {
    return this.#harness.core.expressionAdd(abi.STAGE_OFFSET, this.#harness.stage(program));
  }

  /** Why the last add() gave 0. */
  get refusal(): { readonly status: number; readonly value: number } {
    return { status: this.#harness.result(abi.RESULT_STATUS), value: this.#harness.result(abi.RESULT_VALUE) };
  }

  release(handle: number): void {
    this.#harness.core.expressionRelease(handle);
  }

  /** Runs a program that add() took. */
  run(handle: number, event: EventInit): Evaluation & { readonly holds: boolean } {
    const bytes = this.#harness.stage(encodeEvent(event));
    const holds = this.#harness.core.expressionTest(handle, abi.STAGE_OFFSET, bytes, this.#member) === 1;
    return { holds, value: this.#value(), errors: this.#harness.result(abi.RESULT_ERRORS) };
  }

  /** Adds, runs and releases. */
  evaluate(program: Uint8Array, event: EventInit): Evaluation & { readonly holds: boolean } {
    const handle = this.add(program);
    if (handle === 0) throw new Error(`expressionAdd() refused the program: ${JSON.stringify(this.refusal)}`);
    const found = this.run(handle, event);
    this.release(handle);
    return found;
  }

  #value(): Value {
    const word = (index: number): number => this.#harness.result(index);
    const payload = new DataView(new ArrayBuffer(8));
    payload.setUint32(0, word(abi.RESULT_NUMBER_LOW), true);
    payload.setUint32(4, word(abi.RESULT_NUMBER_HIGH), true);
    switch (word(abi.RESULT_TYPE)) {
      case code.TYPE_BOOLEAN:
        return payload.getUint8(0) !== 0;
      case code.TYPE_INTEGER:
        return payload.getBigInt64(0, true);
      case code.TYPE_NUMBER:
        return payload.getFloat64(0, true);
      case code.TYPE_TEXT: {
        const at = word(abi.RESULT_AT);
        return new TextDecoder("utf-8", { fatal: true }).decode(
          this.#harness.memory.slice(at, at + word(abi.RESULT_BYTES_AT)),
        );
      }
      default:
        return undefined;
    }
  }
}
