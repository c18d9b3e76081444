import { STATE } from './layout.ts';
import { toUnwindStatus, type UnwindStatus } from './status.ts';

/** A stack as the unwinder left it. */
export interface UnwoundStack {
  /** Innermost first. The first is where the thread was; the others are return addresses, unless `exact` says otherwise. */
  readonly frames: readonly bigint[];
  /** Indexes of frames whose address is the next instruction itself (interrupted by a signal), rising; 0 is always one. */
  readonly exact: readonly number[];
  readonly status: UnwindStatus;
  /** The same for the same frames. */
  readonly hash: bigint;
}

/** Reads the state that a program copied (all of `STATE.bytes`, or up to its last frame). */
export function readUnwoundStack(state: Uint8Array): UnwoundStack {
  const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
  const room = Math.floor((state.byteLength - STATE.frames) / 8);
  const count = Math.min(Number(view.getBigUint64(STATE.count, true)), room);
  const frames = Array.from({ length: count }, (_, i) => view.getBigUint64(STATE.frames + i * 8, true));
  const exact = frames.flatMap((_, i) => {
    const word = view.getUint32(STATE.exact + (i >>> 5) * 4, true);
    return ((word >>> (i & 31)) & 1) === 1 ? [i] : [];
  });
  const status = toUnwindStatus(Number(view.getBigUint64(STATE.status, true)));
  return { frames, exact, status, hash: view.getBigUint64(STATE.hash, true) };
}
