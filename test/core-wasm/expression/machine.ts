/** Runs programs in a core of their own. */
import { create, toBinary } from "@bufbuild/protobuf";
import * as abi from "../../../core-wasm/abi.ts";
import * as code from "../../../core-wasm/expression/code.ts";
import { EventSchema } from "../../../host/gen/sluice/v1/event_pb.ts";
import type { EventInit } from "../frames.ts";
import { Harness } from "../harness.ts";

/** A value of the machine; undefined: missing. */
export type MachineValue = boolean | bigint | number | string | undefined;

/** What a run gave. */
export interface Ran {
  readonly value: MachineValue;
  /** ERROR_… bits. */
  readonly errors: number;
  readonly holds: boolean;
}

/** A core that runs programs. */
export class Machine {
  readonly harness: Harness;

  constructor(harness: Harness = Harness.create()) {
    this.harness = harness;
  }

  /** expressionAdd(): the handle, 0 where it is refused. */
  add(program: Uint8Array): number {
    return this.harness.core.expressionAdd(abi.STAGE_OFFSET, this.harness.stage(program));
  }

  /** Runs a kept program. */
  run(handle: number, event: EventInit, member = 0): Ran {
    return this.runBytes(handle, toBinary(EventSchema, create(EventSchema, event)), member);
  }

  /** Runs a kept program on an encoded event. */
  runBytes(handle: number, event: Uint8Array, member = 0): Ran {
    const { harness } = this;
    const holds = harness.core.expressionTest(handle, abi.STAGE_OFFSET, harness.stage(event), member) === 1;
    const low = harness.result(abi.RESULT_NUMBER_LOW);
    const high = harness.result(abi.RESULT_NUMBER_HIGH);
    const payload = new DataView(new ArrayBuffer(8));
    payload.setUint32(0, low, true);
    payload.setUint32(4, high, true);
    return { value: this.#value(payload), errors: harness.result(abi.RESULT_ERRORS), holds };
  }

  /** Adds, runs and releases; throws where the program is refused. */
  evaluate(program: Uint8Array, event: EventInit, member = 0): Ran {
    const handle = this.add(program);
    if (handle === 0)
      throw new Error(
        `refused: status ${this.harness.result(abi.RESULT_STATUS)}, ${this.harness.result(abi.RESULT_VALUE)}`,
      );
    const ran = this.run(handle, event, member);
    this.harness.core.expressionRelease(handle);
    return ran;
  }

  #value(payload: DataView): MachineValue {
    const { harness } = this;
    switch (harness.result(abi.RESULT_TYPE)) {
      case code.TYPE_MISSING:
        return undefined;
      case code.TYPE_BOOLEAN:
        return payload.getUint32(0, true) === 1;
      case code.TYPE_INTEGER:
        return payload.getBigInt64(0, true);
      case code.TYPE_NUMBER:
        return payload.getFloat64(0, true);
      default: {
        const at = harness.result(abi.RESULT_AT);
        return new TextDecoder("utf-8", { fatal: true }).decode(
          harness.memory.slice(at, at + harness.result(abi.RESULT_BYTES_AT)),
        );
      }
    }
  }
}
