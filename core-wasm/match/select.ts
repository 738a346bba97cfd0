/** Whether a sink wants an event: its types, then its `where`. The event is the one of the view (expression/view.ts). */
import { Member } from "../channel/member";
import { typeSetTakes } from "../channel/types";
import { Program } from "../expression/program";
import { programHolds } from "../expression/run";
import { viewSink } from "../expression/view";

/** `type`: the number of the event's type, 0 where no filter names it. */
export function memberTakes(member: Member, type: u32): bool {
  return typeSetTakes(member.types, type) && (member.where === 0 || whereHolds(member.where, member));
}

function whereHolds(where: u32, member: Member): bool {
  viewSink(member);
  return programHolds(changetype<Program>(where));
}
