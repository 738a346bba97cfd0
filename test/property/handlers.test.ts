/**
 * Goal: handlers that share a service manager get what they would get with an inbox of their own, and the manager gets nothing
 * that none of them wants. Method: random wants and events, each want also as a subscription of its own.
 */

import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { EventSchema, ValueSchema } from "../../host/gen/sluice/v1/event_pb.ts";
import { createManager } from "../../host/runtime/embedded/manager.ts";
import { createTestService } from "../host/support/service.ts";
import { propertyParameters, timeoutMs } from "./runs.ts";

/** The last ones cannot be written within quotes. */
const types = ["a", "b", "it's", "back\\"];
const wheres = ["n > 1", "n <= 1 OR m = 2", "EXISTS n", "NOT (m > n)", "1 / n > 0", "type = 'a'", "sink.k > n"];

const want = fc.record({
  types: fc.option(fc.uniqueArray(fc.constantFrom(...types), { minLength: 1, maxLength: 3 }), { nil: undefined }),
  where: fc.option(fc.constantFrom(...wheres), { nil: undefined }),
  cesql: fc.boolean(),
});
const event = fc.record({
  type: fc.constantFrom(...types),
  n: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
  m: fc.option(fc.integer({ min: 0, max: 3 }), { nil: undefined }),
});

test("handlers of one manager get what subscriptions of their own would", { timeout: timeoutMs(60_000) }, async () => {
  const { service, settle } = createTestService();
  let channels = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(want, { minLength: 1, maxLength: 5 }),
      fc.array(event, { maxLength: 20 }),
      async (wants, events) => {
        const channel = `c${channels++}`;
        const attributes = { k: 2 };
        const manager = createManager(service, channel, { attributes }, setImmediate);
        const got: number[][] = wants.map(() => []);
        const expected: number[][] = wants.map(() => []);
        const subscriptions = wants.map(({ types: list, where, cesql }, index) => {
          // The pure dialect has neither `EXISTS` on its own nor sinks; both have these.
          const isPure = cesql && where !== undefined && !/EXISTS|sink|\//.test(where);
          const options = {
            ...(list === undefined ? {} : { types: list }),
            ...(where === undefined ? {} : { where }),
            ...(isPure ? { dialect: "cesql" as const } : {}),
          };
          manager.handler(channel, (_event, { sequence }) => got[index]?.push(sequence), options);
          return service.subscribe(channel, {
            ...options,
            attributes,
            onEvents: (deliveries) => expected[index]?.push(...deliveries.map(({ sequence }) => sequence)),
          });
        });
        for (const { type, n, m } of events) {
          const numbers = Object.entries({ n, m }).filter(([, value]) => value !== undefined);
          const values = numbers.map(([name, value]) => [
            name,
            create(ValueSchema, { kind: { case: "integer", value: BigInt(value ?? 0) } }),
          ]);
          service.publish(channel, [create(EventSchema, { type, attributes: Object.fromEntries(values) })]);
        }
        settle();
        await manager.settled();
        expect(got).toEqual(expected);
        const wanted = new Set(expected.flat()).size;
        const { events: handed, unhandled, errors } = manager.status();
        expect({ handled: handed - unhandled, errors }).toEqual({ handled: wanted, errors: 0 });
        // More than anybody wants comes only where that cannot be said in one expression.
        const quotable = wants.every(({ types: list }) => list?.some((type) => /['\\]/.test(type)) !== true);
        if (quotable && wants.every(({ cesql }) => !cesql)) expect(unhandled).toBe(0);
        manager.leave();
        for (const subscription of subscriptions) subscription.close();
      },
    ),
    propertyParameters(150),
  );
});
