/** The two languages that an expression can be written in. */

/**
 * `sluice` is what applies where nobody says: CloudEvents SQL and what this project adds to it. `cesql` is the pure language
 * of CloudEvents SQL 1.0, for expressions that other products shall read too.
 */
export type Dialect = "sluice" | "cesql";

/** The names as they stand in `dialect`, the default first. */
export const dialects: readonly Dialect[] = Object.freeze(["sluice", "cesql"]);
