import { expect, test } from 'vitest';
import { embedded, id, segment, TRACE } from '../../test/support/trace-documents.ts';
import { assembleTrace } from './assemble.ts';
import { findEntity, forEachEntity } from './walk.ts';

const { root } = assembleTrace(TRACE, [
  segment('a', {
    subsegments: [embedded('c', { start_time: 12 }), embedded('b', { subsegments: [embedded('d', { namespace: 'remote' })] })],
  }),
  segment('e', { parent_id: id('b') }),
]);

test('forEachEntity() visits a segment and its subsegments in display order, not its callees', () => {
  const names: string[] = [];
  if (root !== undefined) forEachEntity(root, ({ name }) => names.push(name));
  expect(names.join(' ')).toBe('a b d c');
});

test('findEntity() stops at the first that fits', () => {
  const seen: string[] = [];
  const found = root && findEntity(root, (entity) => seen.push(entity.name) > 0 && entity.parent?.name === 'b');
  expect(found?.name).toBe('d');
  expect(seen.join(' ')).toBe('a b d');
  expect(root && findEntity(root, ({ name }) => name === 'e')).toBeUndefined();
});
