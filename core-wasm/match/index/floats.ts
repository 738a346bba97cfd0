/** Doubles between two neighbouring singles. */

/** The largest single that is not above a double. */
export function floatDown(value: f64): f32 {
  const nearest = <f32>value;
  return <f64>nearest > value ? neighbour(nearest, -1) : nearest;
}

/** The least single that is not below a double. */
export function floatUp(value: f64): f32 {
  const nearest = <f32>value;
  return <f64>nearest < value ? neighbour(nearest, 1) : nearest;
}

/** The next single above (1) or below (-1). Infinity leads to the largest that is finite. */
function neighbour(value: f32, direction: i32): f32 {
  // Either zero: beside it is the least single of that sign.
  if (value === 0) return direction > 0 ? reinterpret<f32>(1) : reinterpret<f32>(0x80000001);
  // Bits of a single grow with its distance from zero.
  const away = value > 0 === direction > 0 ? 1 : -1;
  return reinterpret<f32>(reinterpret<u32>(value) + away);
}
