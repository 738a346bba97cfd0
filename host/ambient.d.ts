/**
 * Names of AssemblyScript that `core-wasm/abi.ts` uses and TypeScript lacks, so that each constant stands once for both.
 */
type u8 = number;
type u32 = number;
