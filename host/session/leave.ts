/**
 * Ending memberships, whichever way that is asked for.
 */
import { STATUS_OK } from "../../core-wasm/abi.ts";
import { errorFromStatus } from "../core/status.ts";
import { SluiceError } from "../errors.ts";
import type { Session } from "./session.ts";

/**
 * Ends a membership, or a subscription to a pattern with all of its memberships; what waits for them is discarded and counted.
 *
 * @param member As told in `joined`.
 * @throws {SluiceError} `member_unknown`; `invalid_value` for a single member of a pattern, which would only come back.
 */
export function leave(session: Session, member: number): void {
  const { memberships, engine } = session;
  if (memberships?.patterns.has(member)) return engine.patterns.leave(session, member);
  const membership = memberships?.get(member);
  if (membership === undefined)
    throw new SluiceError("member_unknown", `This session has no member m${member}`, { value: `m${member}` });
  if (membership.pattern !== undefined) {
    const whole = `m${membership.pattern.member}`;
    throw new SluiceError(
      "invalid_value",
      `Cannot leave m${member} alone, it follows "${membership.channel}" for the pattern "${membership.pattern.pattern}": leave ${whole}`,
      { value: `m${member}`, limit: whole },
    );
  }
  // What it published before is decided by the filters that it brought.
  if (engine.deciding) engine.decide(engine.clocks.service.now());
  const status = engine.core.exports.memberRemove(session.id, member);
  if (status !== STATUS_OK) throw errorFromStatus(status, member, 0);
  memberships?.delete(member);
}
