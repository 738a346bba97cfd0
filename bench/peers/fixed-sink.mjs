// A sink of a protocol whose deliveries have one size.
import { FixedStepper } from "../driver/fixed-stepper.mjs";

/**
 * @param {import('../driver/wire.mjs').Wire} wire Set up and subscribed.
 * @param {ConstructorParameters<typeof FixedStepper>[0]} frame
 * @returns {import('./peer.mjs').Sink}
 */
export function fixedSink(wire, frame) {
  const consumer = new FixedStepper(frame);
  wire.stream(consumer);
  return { wire, consumer, count: () => consumer.count, dropped: () => 0 };
}

/** For connections whose answers carry nothing: the acknowledgements of Redis, say. */
export const discard = { consume() {} };
