/** Input of a connection, whatever its kind: the resumable way in (docs/ARCHITECTURE.md). */
import { CONNECTION_LOCAL, CONNECTION_STREAM, REASON_DECIDE, REASON_DONE, RESULT_COUNT, RESULT_REASON } from "../abi";
import { parkedEvents } from "../filter/parked";
import { rangeFlush } from "../match/fan-out";
import { resultSet } from "../result";
import { Connection } from "./connection";
import { frameTake } from "./frames";
import { publishContinue } from "./publish-frame";
import { carryFree, streamFeed, streamReason } from "./stream";
import { websocketFeed, websocketReason } from "./websocket";

/** See CoreExports.ingest(). */
export function connectionIngest(connection: Connection, at: u32, bytes: u32): u32 {
  let consumed: u32 = 0;
  let reason = REASON_DONE;
  if (connection.closing !== 0) {
    consumed = bytes;
  } else {
    if (connection.resumeAt !== 0) reason = publishContinue(connection);
    if (reason === REASON_DONE) {
      if (connection.kind === CONNECTION_STREAM || connection.kind === CONNECTION_LOCAL) {
        consumed = streamFeed(connection, at, bytes);
        reason = streamReason;
      } else {
        consumed = websocketFeed(connection, at, bytes);
        reason = websocketReason;
      }
    }
  }
  finish(reason);
  if (reason === REASON_DONE && connection.carryBytes === 0 && connection.resumeAt === 0) carryFree(connection);
  return consumed;
}

/** See CoreExports.ingestFrame(). */
export function connectionIngestFrame(connection: Connection, at: u32, bytes: u32): void {
  finish(frameTake(connection, at, bytes));
}

/** What is parked is decided before the flush; ranges are fanned out before anybody looks. */
function finish(reason: u32): void {
  rangeFlush();
  if (reason === REASON_DONE && parkedEvents() !== 0) reason = REASON_DECIDE;
  if (reason === REASON_DECIDE) resultSet(RESULT_COUNT, parkedEvents());
  resultSet(RESULT_REASON, reason);
}
