/** What core and host agree on about contracts. Like `core-wasm/abi.ts`, it compiles as both languages and imports nothing. */

/** Regions of one contract, and how deep they nest. */
export const CONTRACT_REGIONS_MAX: u32 = 256;
export const CONTRACT_DEPTH_MAX: u32 = 32;
export const CONTRACT_TRANSITIONS_MAX: u32 = 1024;

// --- What contractAdd() takes, u32 words: a head; then conditions, regions, transitions and the path that it begins with ---

export const CONTRACT_CONDITIONS: u32 = 0;
/** The root included, which is region 0. */
export const CONTRACT_REGIONS: u32 = 1;
export const CONTRACT_TRANSITIONS: u32 = 2;
/** 1: handlers as the QuO paper lists them; 0: from the innermost region that is left to the innermost that is entered. */
export const CONTRACT_LISTED: u32 = 3;
/** Regions of the path; 0: there is none yet. */
export const CONTRACT_PATH: u32 = 4;
export const CONTRACT_HEAD_WORDS: u32 = 5;

/** A condition: its number, and whether a change of it marks the contract. */
export const CONTRACT_CONDITION_WORDS: u32 = 2;

/** A region: first child, next sibling (0: none), program of `when` (0: true), program of `exit` (0: none), SELECT_…. */
export const REGION_CHILD: u32 = 0;
export const REGION_NEXT: u32 = 1;
export const REGION_WHEN: u32 = 2;
export const REGION_EXIT: u32 = 3;
export const REGION_SELECT: u32 = 4;
export const REGION_WORDS: u32 = 5;

/** Which child is active: the first whose `when` holds, or that with the largest or smallest one. */
export const SELECT_FIRST: u32 = 0;
export const SELECT_MAX: u32 = 1;
export const SELECT_MIN: u32 = 2;

/** A transition: region that is left, region that is entered; 0: any. */
export const TRANSITION_WORDS: u32 = 2;

/** What contractsNext() tells in RECEIPTS: the path, then from this word on the transitions to carry out. */
export const PASS_HANDLERS: u32 = CONTRACT_DEPTH_MAX;

/** Counters of a contract; behind them, one for each region: evaluations in which it was active. */
export const CONTRACT_TRIGGERS: u32 = 0;
export const CONTRACT_EVALUATIONS: u32 = 1;
/** 1 while no region of some level holds: the path is that of before. */
export const CONTRACT_NO_REGION: u32 = 2;
export const CONTRACT_HITS: u32 = 3;
