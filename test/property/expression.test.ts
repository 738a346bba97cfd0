/**
 * Goal: the machine says of every expression and event what the evaluator says, value and errors. Method: random expressions
 * over few names and values, each on several events.
 */

import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compileExpression } from "../../host/expression/compile.ts";
import type { Dialect } from "../../host/expression/dialect.ts";
import { disassemble } from "../../host/expression/disassemble.ts";
import { evaluate } from "../../host/expression/evaluate.ts";
import { viewOf } from "../../host/expression/view.ts";
import { UpdateSchema } from "../../host/gen/sluice/v1/frame_pb.ts";
import { Machine, type SinkAttributes } from "../host/expression/machine.ts";
import { askedEventArbitrary, expressionArbitrary, sinkArbitrary } from "./expression-arbitrary.ts";
import { propertyParameters, timeoutMs } from "./runs.ts";

const SINK_NAMES = ["load", "zone", "urgent"];

function agree(dialect: Dialect, runs: number): void {
  const extended = dialect === "sluice";
  const machine = new Machine();
  const arbitrary = fc.tuple(
    expressionArbitrary({ extended }),
    fc.array(askedEventArbitrary(false), { minLength: 1, maxLength: 4 }),
    sinkArbitrary,
  );
  fc.assert(
    fc.property(arbitrary, ([source, events, sink]) => {
      const { tree, program } = compileExpression(source, dialect);
      machine.sink(
        sink,
        SINK_NAMES.filter((name) => !Object.hasOwn(sink, name)),
      );
      const { attributes } = create(UpdateSchema, { attributes: sink as SinkAttributes });
      // All is set, and asked, at the moment 0.
      const ageMs = (name: string) => (Object.hasOwn(attributes, name) ? 0 : undefined);
      for (const event of events) {
        const { value, errors } = machine.evaluate(program, event);
        const wanted = evaluate(tree, viewOf(event, { attributes, ageMs }), dialect);
        expect({ value, errors }, `${source}\n${disassemble(program)}`).toEqual(wanted);
      }
    }),
    propertyParameters(runs),
  );
}

test("expressions of the default dialect mean the same to machine and evaluator", { timeout: timeoutMs(60_000) }, () =>
  agree("sluice", 2_000),
);

test("expressions of the pure dialect mean the same to machine and evaluator", { timeout: timeoutMs(60_000) }, () =>
  agree("cesql", 2_000),
);
