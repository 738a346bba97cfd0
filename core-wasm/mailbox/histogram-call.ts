/** What the host asks about histograms; index.ts exports it. Described in host/core/exports.ts. */
import { connectionFind } from "../session/connection";
import { histogramCopy } from "./histograms";

/** Copies a histogram of a connection's inbox, or, of 0, of all inboxes. */
export function histogramRead(number: u32, histogram: u32, out: u32): u32 {
  if (number === 0) return histogramCopy(0, histogram, out);
  const connection = connectionFind(number);
  return connection === null ? 0 : histogramCopy(connection.inbox, histogram, out);
}
