// Goals of conditions and contracts: what an evaluation costs, and what it does not.
import { ratio } from "./kinds.mjs";

/** @type {readonly import('./kinds.mjs').Goal[]} */
export const contractGoals = Object.freeze([
  ratio(
    "contract-evaluate",
    "12 regions over 16 conditions: the core ÷ closures in JavaScript",
    "contract/core",
    "contract/closures",
    0.5,
    0.3,
    "ns",
  ),
  ratio(
    "contract-pass",
    "pass over 10,000 contracts of which 100 are marked ÷ over those 100",
    "contract/pass-10000",
    "contract/pass-100",
    2,
    1.3,
    "ns",
  ),
  ratio(
    "condition-set",
    "setting an observed condition ÷ storing a number across the boundary",
    "contract/set",
    "contract/store",
    3,
    2,
    "ns",
  ),
  ratio(
    "contract-idle",
    "an event to 8 sinks of a channel that 100 idle contracts govern ÷ of one without",
    "contract/idle-100",
    "contract/idle-none",
    1.02,
    1.01,
    "ns",
  ),
]);
