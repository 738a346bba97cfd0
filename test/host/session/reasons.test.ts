import { readFileSync } from "node:fs";
import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import * as abi from "../../../core-wasm/abi.ts";
import { defaultDefinition } from "../../../host/channel/definition.ts";
import { EventSchema } from "../../../host/gen/sluice/v1/event_pb.ts";
import { losses, lossTotal, reasonNamed, reasonOf, reasons, stages } from "../../../host/session/reasons.ts";
import { TestCarrier } from "../support/carrier.ts";
import { createTestService } from "../support/service.ts";

/** Names of the constants that the core has for reasons; EXPLAINED_NONE is none, EXPLAINED_IN an offset. */
const explained = Object.entries(abi).filter(
  ([name]) => name.startsWith("EXPLAINED_") && name !== "EXPLAINED_NONE" && name !== "EXPLAINED_IN",
);

describe("reasons", () => {
  test.each(explained)("has a row for %s", (_name, code) => {
    expect(reasonOf(code as number)).toMatchObject({ explained: code });
  });

  test.each(explained.filter(([name]) => name.startsWith("EXPLAINED_ROUTE_")))(
    "has the same words for %s on both stages",
    (_name, code) => {
      const out = reasonOf(code as number);
      expect(out?.stage).toBe("out");
      expect(reasonOf((code as number) + abi.EXPLAINED_IN)).toMatchObject({ stage: "in", reason: out?.reason });
    },
  );

  test("gives no code of the core and no word of a stage to two rows", () => {
    const codes = reasons.flatMap(({ explained: code }) => (code === undefined ? [] : [code]));
    expect(new Set(codes).size).toBe(codes.length);
    const words = reasons.map(({ stage, reason }) => `${stage} ${reason}`);
    expect(new Set(words).size).toBe(words.length);
  });

  test("has the words that the surface promises", () => {
    for (const word of ["type", "where", "missing", "route.where", "route.limit", "route.unique", "route.reply"])
      expect(reasonNamed(word).reason).toBe(word);
    for (const word of ["module", "capacity", "late", "echo"]) expect(reasonNamed(word).reason).toBe(word);
    expect(() => reasonNamed("whim")).toThrow(RangeError);
  });

  test("is in the order of the stages", () => {
    const order = reasons.map(({ stage }) => stages.indexOf(stage));
    expect(order).toEqual([...order].sort((one, other) => one - other));
  });

  test("is the table of docs/explain.md", () => {
    const page = readFileSync(new URL("../../../docs/explain.md", import.meta.url), "utf8");
    const rows = [...page.matchAll(/^\| `(?<stage>[a-z]+)` \| `(?<reason>[a-z.]+)` \|/gm)].map(({ groups }) => ({
      ...groups,
    }));
    expect(rows).toEqual(reasons.map(({ stage, reason }) => ({ stage, reason })));
  });
});

describe("losses", () => {
  test("has a row for each reason that the core drops for, under its own counter", () => {
    const dropped = losses.map((loss) => loss.dropped).sort();
    expect(dropped).toEqual(Array.from({ length: abi.DROPPED_REASONS }, (_, index) => index));
    expect(new Set(losses.map(({ statistic }) => statistic)).size).toBe(losses.length);
  });

  test("has the words of `dropped` notices, and every statistic its name", () => {
    expect(losses.map(({ word }) => word)).toEqual([
      "overflow",
      "late",
      "cancelled",
      "left",
      "attempts",
      "drained",
      "conflated",
    ]);
    const { service } = createTestService();
    expect(service.statistics()).toMatchObject(Object.fromEntries(losses.map((loss) => [lossTotal(loss), 0])));
  });

  test("are counted by channel as they are told", () => {
    const { service } = createTestService();
    const carrier = new TestCarrier(service);
    carrier.send({ kind: { case: "inbox", value: { capacityEvents: 2n } } });
    carrier.join("full");
    service.channels.put("idle", defaultDefinition);
    service.publish(
      "full",
      Array.from({ length: 5 }, () => create(EventSchema, { type: "t" })),
    );
    const lost = (name: string) => losses.map((loss) => service.channels.get(name)?.lost(loss.dropped));
    expect(lost("full")).toEqual([3, 0, 0, 0, 0, 0, 0]);
    expect(lost("idle")).toEqual([0, 0, 0, 0, 0, 0, 0]);
    expect(service.statistics()["droppedOverflowTotal"]).toBe(3);
  });
});
