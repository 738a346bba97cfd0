import { describe, expect, test } from "vitest";
import { type Client, carriers, connectTo } from "../support/client.ts";
import { startHost } from "../support/host.ts";
import { until } from "../support/until.ts";

/** The service clock is the machine's here: short, and long enough for a busy machine to tell once from twice. */
const REDELIVER_MS = 50;

/** What was delivered: `attempt type`, and the number where it was told. */
function delivered(client: Client): string[] {
  return client.told
    .filter(({ kind }) => kind === "deliver")
    .flatMap(({ value }) => value.events)
    .map(({ attempt, event }) => `${attempt ?? 1} ${event.type}`);
}

const types = (...names: string[]): object[] => names.map((type) => ({ type }));

describe.each(carriers)("ack: explicit over %s", (carrier) => {
  test("delivers again until it is acknowledged", async () => {
    const host = await startHost();
    const [sink, source] = await Promise.all([connectTo(host, carrier), connectTo(host, "tcp")]);
    sink.send({ hello: { inbox: { ack: "explicit", redeliverMs: REDELIVER_MS, attempts: 100 } } });
    await sink.take("welcome");
    await sink.join("c");
    await source.publish("c", ...types("a", "b"));
    await until(
      () => delivered(sink).includes("3 b"),
      () => `a third delivery of b; there were ${delivered(sink)}`,
    );
    expect(delivered(sink).slice(0, 4)).toEqual(["1 a", "1 b", "2 a", "2 b"]);
    const numbers = sink.told
      .filter(({ kind }) => kind === "deliver")
      .flatMap(({ value }) => value.events)
      .filter(({ attempt }) => attempt === 2)
      .map(({ number }) => Number(number));
    expect(numbers).toEqual([1, 2]);
    sink.send({ ref: 1, ack: { numbers: [1] } });
    await sink.take("receipt", 1);
    sink.send({ ref: 2, ack: { through: 2 } });
    await sink.take("receipt", 2);
    const before = delivered(sink).length;
    await source.publish("c", ...types("c"));
    await until(
      () => delivered(sink).includes("2 c"),
      () => "a second delivery of c",
    );
    expect(
      delivered(sink)
        .slice(before)
        .filter((entry) => !entry.endsWith(" c")),
    ).toEqual([]);
    sink.send({ ref: 3, ack: { numbers: [9] } });
    expect(await sink.take("problem", 3)).toMatchObject({ code: "ack_unknown", value: 9 });
  });

  test("tells what was delivered too often, where there is no dead-letter channel", async () => {
    const host = await startHost();
    const [sink, source, dead] = await Promise.all([
      connectTo(host, carrier),
      connectTo(host, "tcp"),
      connectTo(host, "ws-json"),
    ]);
    sink.send({ inbox: { ack: "explicit", redeliverMs: 10, attempts: 2 } });
    await sink.join("c");
    await source.publish("c", ...types("a"));
    expect(await sink.take("dropped")).toMatchObject({ reason: "attempts" });
    expect(delivered(sink)).toEqual(["1 a", "2 a"]);
    await dead.join("dead");
    sink.send({ inbox: { deadLetter: "dead" } });
    await source.publish("c", ...types("b"));
    await dead.received(1);
    expect(dead.told.find(({ kind }) => kind === "deliver")?.value.events[0].event).toMatchObject({
      type: "b",
      attributes: { dead_reason: "attempts", dead_channel: "c", dead_attempts: 2 },
    });
  });
});

test("JSON numbers go on behind what was delivered again", async () => {
  const host = await startHost();
  const [sink, source] = await Promise.all([connectTo(host, "ws-json"), connectTo(host, "tcp")]);
  sink.send({ inbox: { ack: "explicit", redeliverMs: REDELIVER_MS, attempts: 100 } });
  await sink.join("c");
  await source.publish("c", ...types("a", "b"));
  await until(
    () => delivered(sink).includes("2 b"),
    () => "a second delivery",
  );
  await source.publish("c", ...types("c"));
  const third = () =>
    sink.told
      .filter(({ kind }) => kind === "deliver")
      .flatMap(({ value }) => value.events)
      .find(({ event }) => event.type === "c");
  await until(
    () => third() !== undefined,
    () => "the third event",
  );
  expect(third()).toMatchObject({ number: 3, attempt: 1 });
});
