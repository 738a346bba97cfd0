/** What the host gives to modules: the imports of `sluice-filter/1`. Decorators of functions are no TypeScript, so this file is not formatted. */

@external("sluice", "log")
export declare function hostLog(level: i32, at: usize, bytes: i32): void;

@external("sluice", "now")
export declare function hostNow(): f64;

@external("sluice", "rand")
export declare function hostRand(): i32;

@external("sluice", "intern")
export declare function hostIntern(at: usize, bytes: i32): i32;
