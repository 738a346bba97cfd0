/** Whether a program is true of the view: by its tests where those say everything, else by the machine. */
import { Member } from "../channel/member";
import { CASES_ASK, CASES_HOLD, casesSay } from "./cases";
import { inputCount } from "./inputs";
import { Program } from "./program";
import { programRun } from "./run";
import { castBoolean, stackAt } from "./stack";
import { testsHold } from "./tests";
import { viewSink } from "./view";

/** What routes ask; `sink.NAME` is what viewSink() said last. */
export function programHolds(program: Program): bool {
  return testsPass(program) && (program.testsSuffice !== 0 || machineHolds(program));
}

/** What subscription filters ask. */
export function programHoldsFor(program: Program, sink: Member): bool {
  return testsPass(program) && (program.testsSuffice !== 0 || machineHoldsFor(program, sink));
}

/** What contracts ask, of the inputs (inputs.ts). */
export function programHoldsOfInputs(program: Program): bool {
  if (program.casesAt === 0 || program.casesInputs > inputCount()) return machineHolds(program);
  const said = casesSay(program.casesAt, program.casesEnd);
  return said === CASES_ASK ? machineHolds(program) : said === CASES_HOLD;
}

function testsPass(program: Program): bool {
  return program.tests === 0 || testsHold(program.testsAt, program.tests);
}

function machineHolds(program: Program): bool {
  programRun(program);
  return castBoolean(stackAt);
}

function machineHoldsFor(program: Program, sink: Member): bool {
  viewSink(sink);
  return machineHolds(program);
}
