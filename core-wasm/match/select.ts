/** Whether a sink wants an event: its types, then its `where`. The event is the one of the view (expression/view.ts). */
import { Member } from "../channel/member";
import { typeSetTakes } from "../channel/types";
import { programHoldsFor } from "../expression/holds";
import { Program } from "../expression/program";

/** `type`: the number of the event's type, 0 where no filter names it. */
export function memberTakes(member: Member, type: u32): bool {
  if (member.types !== 0 && !typeSetTakes(member.types, type)) return false;
  return member.where === 0 || programHoldsFor(changetype<Program>(member.where), member);
}
