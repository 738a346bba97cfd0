/** Whether a program is true of the view: by its tests where those say everything, else by the machine. */
import { Member } from "../channel/member";
import { Program } from "./program";
import { programRun } from "./run";
import { castBoolean, stackAt } from "./stack";
import { testsHold } from "./tests";
import { viewSink } from "./view";

/** What routes ask; `sink.NAME` is what viewSink() said last. */
export function programHolds(program: Program): bool {
  if (program.tests !== 0) {
    if (!testsHold(program.testsAt, program.tests)) return false;
    if (program.testsSuffice !== 0) return true;
  }
  programRun(program);
  return castBoolean(stackAt);
}

/** What subscription filters ask. */
export function programHoldsFor(program: Program, sink: Member): bool {
  if (program.tests !== 0) {
    if (!testsHold(program.testsAt, program.tests)) return false;
    if (program.testsSuffice !== 0) return true;
  }
  viewSink(sink);
  programRun(program);
  return castBoolean(stackAt);
}
