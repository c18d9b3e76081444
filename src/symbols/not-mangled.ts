/** Thrown by the demanglers inside, for names that they cannot read. */
export class NotMangled extends Error {}
