/** Whether the frame just looked at was left where it is, because parked events must be decided first. */
export let frameAgain: bool = false;

/** The frame is to be given again. */
export function frameAgainSet(): void {
  frameAgain = true;
}

/** A frame is looked at. */
export function frameAgainClear(): void {
  frameAgain = false;
}
