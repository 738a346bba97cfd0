// Kernel level: the service inside this very process. No socket is on the path; calls into the core are counted.
import { openEmbedded } from "./embedded-service.mjs";
import { CHANNEL, SLICE, timedUs } from "./timing.mjs";

/** @param {import('./subject.mjs').Order} order @returns {Promise<import('./subject.mjs').Work>} */
export async function prepare({ operation, sinks, payloadBytes }) {
  const { service, eventOf, defaultDefinition } = await openEmbedded();
  const crossings = service.countCrossings();
  const wasmCalls = () => crossings.read().total;
  const payload = Buffer.alloc(payloadBytes, "x");
  const rest = { socketWrites: () => 0, wasmCalls };
  if (operation === "create") {
    return { ...rest, step: (index) => timedUs(() => service.channels.put(`kecho-${index}`, defaultDefinition)) };
  }
  let taken = 0;
  const member = () =>
    service.subscribe(CHANNEL, {
      onEvents: (/** @type {readonly unknown[]} */ deliveries) => (taken += deliveries.length),
    });
  const members = Array.from({ length: sinks }, member);
  if (operation === "open") {
    return {
      ...rest,
      step: () => timedUs(() => members.push(member())),
      // The number of members stays what the row says.
      settle: async () => members.pop()?.close(),
    };
  }
  const publish = () => service.publish(CHANNEL, [eventOf(payload)]);
  if (operation === "submit") {
    return { ...rest, step: () => timedUs(publish), settle: async () => service.flush() };
  }
  return { ...rest, step: receive };

  /** Receiving is what flush() does: from the core to the handlers. One event at a time, as the others get theirs. */
  function receive() {
    const from = taken;
    let us = 0;
    for (let i = 0; i < SLICE; i++) {
      publish();
      us += timedUs(() => service.flush());
    }
    return us / (taken - from);
  }
}
