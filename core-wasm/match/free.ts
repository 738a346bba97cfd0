/** The end of a member's record. */
import { liveFree } from "../channel/live";
import { Member, memberTable } from "../channel/member";
import { filtersDrop } from "../filter/comings";
import { tableGive } from "../memory/table";
import { outboxFree } from "./outbox";

/** Frees a member that is tied to nothing any more, with what it carried. */
export function memberFree(member: Member): void {
  outboxFree(member);
  filtersDrop(member);
  liveFree(member);
  tableGive(memberTable(), member.number);
}
