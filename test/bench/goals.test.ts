import { expect, test } from "vitest";
import { judge, type Row } from "../../bench/goals.mjs";

const row = (cell: string, peer: string, repetition: number, measures: Record<string, number>): Row => ({
  cell,
  peer,
  repetition,
  ...measures,
});

test("judge() takes the median of ratios within a repetition and tells aim, floor, missed and not run", () => {
  const rows = [
    row("tput-100-f1", "sluice", 0, { cpuPerMillion: 0.1, lost: 0 }),
    row("tput-100-f1", "nats", 0, { cpuPerMillion: 1 }),
    row("tput-100-f1", "sluice", 1, { cpuPerMillion: 0.4, lost: 0 }),
    row("tput-100-f1", "nats", 1, { cpuPerMillion: 2 }),
    row("tput-100-f1", "sluice", 2, { cpuPerMillion: 0.9, lost: 0 }),
    row("tput-100-f1", "nats", 2, { cpuPerMillion: 1 }),
    row("tput-100-f8", "sluice", 0, { cpuPerMillion: 3 }),
    row("tput-100-f8", "nats", 0, { cpuPerMillion: 1 }),
  ];
  const verdicts = new Map(judge(rows).map((verdict) => [verdict.id, verdict]));
  expect(verdicts.get("tput-f1-nats")).toMatchObject({ value: 0.2, low: 0.1, high: 0.9, verdict: "floor" });
  expect(verdicts.get("tput-f8-nats")).toMatchObject({ value: 3, verdict: "missed" });
  expect(verdicts.get("conc-f8-nats")).toMatchObject({ value: null, verdict: "not run" });
  expect(verdicts.get("lost")).toMatchObject({ value: 0, verdict: "aim" });
});

test("judge() sums what was lost or doubled, so that the two do not cancel", () => {
  const rows = [
    row("a", "sluice", 0, { lost: 3 }),
    row("b", "sluice-ws", 0, { lost: -3 }),
    row("c", "nats", 0, { lost: 5 }),
  ];
  expect(judge(rows).find(({ id }) => id === "lost")).toMatchObject({ value: 6, verdict: "missed" });
});
