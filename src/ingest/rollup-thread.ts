/** The rollup's own thread: counting a busy minute takes seconds, and nobody else should wait for it. */
import { parentPort, workerData } from 'node:worker_threads';
import { assert } from '../base/index.ts';
import { connectStore, type Layout, type StoreAddress } from '../store/index.ts';
import { Rollup } from './rollup.ts';

export interface RollupThreadData {
  readonly stores: readonly StoreAddress[];
  readonly layout: Layout;
  readonly path: string;
}

export type ToRollup = { readonly kind: 'mark'; readonly id: number; readonly minutes: readonly number[] } | { readonly kind: 'stop' };

export type FromRollup =
  | { readonly kind: 'noted'; readonly id: number; readonly owed: number }
  | { readonly kind: 'updated'; readonly minutes: readonly number[]; readonly owed: number }
  | { readonly kind: 'failed'; readonly message: string };

assert(parentPort !== null, 'the rollup runs as a thread of the server');
const port = parentPort;
const data = workerData as RollupThreadData;

function say(message: FromRollup): void {
  port.postMessage(message);
}

const rollup = new Rollup(connectStore(data.stores, data.layout), data.path, {
  updated: (minutes) => say({ kind: 'updated', minutes, owed: rollup.owed }),
  failed: (message) => say({ kind: 'failed', message }),
});
rollup.start();

port.on('message', (message: ToRollup) => {
  if (message.kind === 'mark') {
    rollup.mark(message.minutes);
    say({ kind: 'noted', id: message.id, owed: rollup.owed });
    return;
  }
  void rollup.stop().then(() => process.exit(0));
});
