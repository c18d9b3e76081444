/** Settings without a store, for tests of what is made of them. */
import { err, ok } from '../../src/base/index.ts';
import type { Setting, StoredSettings } from '../../src/store/index.ts';

type SettingsStore = Pick<StoredSettings, 'list' | 'find' | 'lastDeletedSeconds' | 'read' | 'put' | 'delete'>;

/** `down`: the store does not answer; what was read before is known still. */
export function memorySettings(down = false): SettingsStore {
  const known = new Map<string, Setting>();
  const deleted = new Map<string, number>();
  const nameOf = ({ kind, id }: { kind: string; id: string }): string => `${kind}\n${id}`;
  const unavailable = err({ kind: 'unavailable' as const, message: 'the store is down' });
  const conflict = err({ kind: 'conflict' as const, message: 'changed' });
  return {
    list: (kind) => [...known.values()].filter((one) => one.kind === kind).toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    find: (key) => known.get(nameOf(key)),
    lastDeletedSeconds: (kind) => deleted.get(kind) ?? 0,
    read: async (key) => (down ? unavailable : ok(known.get(nameOf(key)))),
    async put(key, value, expected) {
      if (down) return unavailable;
      const version = known.get(nameOf(key))?.version ?? 0;
      if (expected !== 'any' && expected !== version) return conflict;
      const setting = { ...key, version: version + 1, value, changedSeconds: 1 };
      known.set(nameOf(key), setting);
      return ok(setting);
    },
    async delete(key, expected) {
      if (down) return unavailable;
      if (expected !== 'any' && expected !== (known.get(nameOf(key))?.version ?? 0)) return conflict;
      known.delete(nameOf(key));
      deleted.set(key.kind, Date.now() / 1000);
      return ok(undefined);
    },
  };
}
