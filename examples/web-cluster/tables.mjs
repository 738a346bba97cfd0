/** The experiments as tables of text, for a terminal and for pages. */

import { n, percent, table } from "../lib/table.mjs";

/** @param {import("./plots.mjs").Results["figure8"]} rows */
export function tableOfFigure8(rows) {
  return table(
    [
      "requests/s",
      "alone ms",
      "timed out",
      "local ms",
      "remote ms",
      "forwarded",
      "lost",
      "overhead ms/s",
      "of it: take in loads",
    ],
    rows.map(({ rate, withoutMs, timedOut, localMs, remoteMs, forwarded, lost, overhead }) => [
      n(rate),
      n(withoutMs),
      percent(timedOut),
      n(localMs),
      n(remoteMs),
      percent(forwarded),
      percent(lost),
      n(sum(overhead), 2),
      percent(overhead.handle / sum(overhead)),
    ]),
  );
}

/** @param {import("./plots.mjs").Results["figure9a"]} rows */
export function tableOfFigure9a(rows) {
  return table(
    [
      "updates/s",
      "loads said/s",
      "taken in/s",
      "say ms/s",
      "tell and take in ms/s",
      "forward ms/s",
      "respond ms/s",
      "by attributes: all ms/s",
    ],
    rows.map(({ perSecond, events: { overhead, loadEvents, loadsHeard }, attributes }) => [
      n(perSecond, 1),
      n(loadEvents),
      n(loadsHeard),
      n(overhead.submit, 2),
      n(overhead.handle, 2),
      n(overhead.forward, 2),
      n(overhead.respond, 2),
      n(sum(attributes.overhead), 2),
    ]),
  );
}

/** @param {import("./plots.mjs").Results["figure9b"]} rows */
export function tableOfFigure9b(rows) {
  return table(
    [
      "copies",
      "forwarded",
      "responses",
      "used",
      "forward ms/s",
      "respond ms/s",
      "all ms/s",
      "work",
      "with cancel: responses",
      "work",
      "cancels each",
    ],
    rows.map(({ copies, overhead, forwarded, responsesSent, responsesUsed, work, withCancel }) => [
      n(copies),
      n(forwarded),
      n(responsesSent),
      n(responsesUsed),
      n(overhead.forward, 2),
      n(overhead.respond, 2),
      n(sum(overhead), 2),
      n(work / (rows[0]?.work ?? work), 2),
      n(withCancel.responsesSent),
      n(withCancel.work / (rows[0]?.work ?? work), 2),
      n(withCancel.cancels / withCancel.forwarded, 2),
    ]),
  );
}

/** @param {import("./plots.mjs").Results["staleLoad"][number]} rows */
export function tableOfStaleLoad(rows) {
  const agesMs = [...new Set(rows.flatMap(({ runs }) => runs.flatMap(({ ageMs }) => ageMs ?? [])))];
  return table(
    ["mean / p99 ms", ...agesMs.map((ageMs) => `loads ${ageMs / 1000} s old`), "work", "cancels"],
    rows.map(({ policy, runs }) => [
      policy,
      ...agesMs.map((ageMs) => {
        const run = runs.find((one) => one.ageMs === ageMs) ?? runs[0];
        if (run === undefined) return "–";
        return isOverloaded(run) ? "ever longer" : `${n(run.meanMs)} / ${n(run.p99Ms)}`;
      }),
      n(runs[0]?.work ?? Number.NaN, 2),
      n(runs[0]?.cancels ?? Number.NaN, 2),
    ]),
  );
}

/** Whether requests waited for so long that many were given up: then the mean says how long the run was. @param {{ timedOut: number }} run */
export function isOverloaded({ timedOut }) {
  return timedOut > 0.1;
}

/** @param {Record<string, number>} parts */
function sum(parts) {
  return Object.values(parts).reduce((all, part) => all + part, 0);
}
