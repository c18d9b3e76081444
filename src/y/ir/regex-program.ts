/** Regular expressions as the engines get them. */

/**
 * A regular expression over bytes as a minimal deterministic automaton: `next[state * classes + classOf[byte]]`; state 0 is dead, 1
 * the start. Tells whether the subject has a match anywhere; where it is, `capturing` tells.
 */
export interface RegexProgram {
  readonly source: string;
  readonly flags: string;
  readonly states: number;
  readonly classes: number;
  /** 256 entries. */
  readonly classOf: Uint8Array;
  /** `states * classes` entries. */
  readonly next: Uint16Array;
  /** 1 for an accepting state. Unanchored search is in the automaton already; the first accepting state decides. */
  readonly accepting: Uint8Array;
  /** 1 for a state that accepts if the subject ends here (`$`). */
  readonly acceptingAtEnd: Uint8Array;
  /** Number of capture groups that the program reads, `$0` included; 0 when none is read. */
  readonly captures: number;
  /** Set when `captures` is not 0: used in place of the automaton above when groups are wanted. */
  readonly capturing: CaptureProgram | undefined;
}

/**
 * A deterministic automaton with registers (Laurikari's tagged automaton): one pass over the subject finds the match and its groups.
 *
 * Registers hold positions in the subject, or -1; all are -1 at first. Group n is from register 2n to register 2n + 1 (exclusive)
 * for n < `captures`; the others are scratch. At position p, before the byte there is consumed, the list of actions
 * `actionOf[state * classes + class]` runs with p, then `next` is taken. When the state is 0, stop; when the subject ends, run
 * `actionAtEnd[state]` with its length. It has matched when register 1 is not -1; a group whose end is -1 took no part.
 *
 * List n is `actions[actionStart[n] … actionStart[n + 1])`, pairs of bytes `to, from` done in order: register `to` gets register
 * `from`, or p when `from` is 254, or -1 when it is 255. List 0 is empty.
 */
export interface CaptureProgram {
  readonly states: number;
  readonly classes: number;
  /** 256 entries. */
  readonly classOf: Uint8Array;
  /** `states * classes` entries. */
  readonly next: Uint16Array;
  /** `states * classes` entries. */
  readonly actionOf: Uint16Array;
  /** `states` entries. */
  readonly actionAtEnd: Uint16Array;
  readonly actions: Uint8Array;
  /** Offsets in `actions`, one more than there are lists. */
  readonly actionStart: Uint32Array;
  /** The longest list, in pairs: a bound for a verified loop. */
  readonly longestAction: number;
  /** At most 64. */
  readonly registers: number;
}
