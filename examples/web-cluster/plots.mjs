/** The figures as SVG, made from the rows that the experiments give. */
import { lineChart } from "../lib/chart.mjs";
import { FORWARD_AFTER_MS, TIMEOUT_MS } from "./paper.mjs";
import { isOverloaded } from "./tables.mjs";

/**
 * @typedef {object} Results
 * @property {Awaited<ReturnType<import("./figures.mjs").figure8>>} figure8
 * @property {Awaited<ReturnType<import("./figures.mjs").figure9a>>} figure9a
 * @property {Awaited<ReturnType<import("./figures.mjs").figure9b>>} figure9b
 * @property {Awaited<ReturnType<import("./figures.mjs").staleLoad>>[]} staleLoad One list per utilisation.
 */

/**
 * @param {Results} results
 * @returns {Record<string, string>} By file name.
 */
export function plotsOf({ figure8, figure9a, figure9b, staleLoad }) {
  /** @template Row @param {readonly Row[]} rows @param {(row: Row) => number} x @param {(row: Row) => number} y */
  const points = (rows, x, y) => rows.map((row) => /** @type {const} */ ([x(row), y(row)]));
  const tasks = /** @type {const} */ ({
    handle: "tell and take in loads",
    submit: "say one's load",
    forward: "forward (OUT)",
    respond: "respond (IN)",
  });
  const taskNames = /** @type {(keyof typeof tasks)[]} */ (Object.keys(tasks));
  return {
    "figure-8a.svg": lineChart({
      title: "Response times of an overloaded server (KECho, Fig. 8a)",
      x: { label: "requests per second" },
      y: { label: "mean response time, ms", to: 6000 },
      series: [
        {
          name: "no balancing",
          points: points(
            figure8,
            (row) => row.rate,
            (row) => row.withoutMs,
          ),
        },
        {
          name: "balanced: remote",
          points: points(
            figure8,
            (row) => row.rate,
            (row) => row.remoteMs,
          ),
        },
        {
          name: "balanced: local",
          points: points(
            figure8,
            (row) => row.rate,
            (row) => row.localMs,
          ),
        },
      ],
      marks: [
        { at: TIMEOUT_MS, label: "time-out" },
        { at: FORWARD_AFTER_MS, label: "forwarded after" },
      ],
    }),
    "figure-8b.svg": lineChart({
      title: "What the load balancer costs (KECho, Fig. 8b)",
      x: { label: "requests per second" },
      y: { label: "time of host and servers, ms per second" },
      series: taskNames.map((task) => ({
        name: tasks[task],
        points: points(
          figure8,
          (row) => row.rate,
          (row) => row.overhead[task],
        ),
      })),
    }),
    "figure-9a.svg": lineChart({
      title: "Cost of saying one's load, by how often (KECho, Fig. 9a)",
      x: { label: "updates per second and server", isLog: true },
      y: { label: "time of host and servers, ms per second", isLog: true },
      series: [
        ...taskNames.map((task) => ({
          name: tasks[task],
          points: points(
            figure9a,
            (row) => row.perSecond,
            (row) => row.events.overhead[task],
          ),
        })),
        {
          name: "attributes: say",
          isDashed: true,
          points: points(
            figure9a,
            (row) => row.perSecond,
            (row) => row.attributes.overhead.submit,
          ),
        },
      ],
    }),
    "figure-9b.svg": lineChart({
      title: "Forwarding to n servers at once (KECho, Fig. 9b)",
      x: { label: "servers per forwarded request" },
      y: { label: "time of host and servers, ms per second" },
      series: [
        ...taskNames.map((task) => ({
          name: tasks[task],
          points: points(
            figure9b,
            (row) => row.copies,
            (row) => row.overhead[task],
          ),
        })),
        {
          name: "respond, cancel",
          isDashed: true,
          points: points(
            figure9b,
            (row) => row.copies,
            (row) => row.withCancel.overhead.respond,
          ),
        },
      ],
    }),
    ...Object.fromEntries(
      staleLoad.map((rows) => {
        const utilisation = rows[0]?.utilisation ?? 0;
        const agesMs = [...new Set(rows.flatMap(({ runs }) => runs.flatMap(({ ageMs }) => ageMs ?? [])))];
        const chart = lineChart({
          title: `Response times by the age of loads, servers busy ${Math.round(utilisation * 100)} % of the time`,
          x: { label: "time between two updates of the loads, s", isLog: true },
          y: { label: "mean response time, ms", isLog: true },
          // What is overloaded has no response time to compare.
          series: rows
            .filter(({ runs }) => !runs.some(isOverloaded))
            .map(({ policy, runs }) => ({
              name: policy,
              isDashed: runs[0]?.ageMs === null,
              points: agesMs.map((ageMs) => [
                ageMs / 1000,
                (runs.find((run) => run.ageMs === ageMs) ?? runs[0])?.meanMs ?? Number.NaN,
              ]),
            })),
        });
        return [`stale-load-${Math.round(utilisation * 100)}.svg`, chart];
      }),
    ),
  };
}
