/** The cluster of KECho, section 5.4: 8 nodes, about 38 ms per request, a time-out of 5 s, forwarded after 2.5 s. */
export const NODES = 8;
export const WORK_MS = 38;
export const TIMEOUT_MS = 5000;
export const FORWARD_AFTER_MS = 2500;
