/** Looks into the store itself, past the product. */
import { EmbeddedStore, StoreClient, type StoreAddress } from '../../src/store/index.ts';
import type { HonestLoad } from './honest-load.ts';

/** Rows per span id. */
export async function countStoredSpans(address: StoreAddress, database = 'fluoroscope'): Promise<Map<string, number>> {
  const client = new StoreClient([address]);
  const rows = await client.rows<{ id: string; n: string }>(
    `SELECT lower(hex(span_id)) AS id, count() AS n FROM ${database}.spans GROUP BY id`,
  );
  await client.close();
  if (!rows.ok) throw new Error(rows.error.message);
  return new Map(rows.value.map(({ id, n }) => [id, Number(n)]));
}

/** As `countStoredSpans`, of a stopped product's own store. */
export async function countSpansOfData(data: string): Promise<Map<string, number>> {
  const store = await EmbeddedStore.start({ dir: `${data}/store` });
  try {
    return await countStoredSpans(store.address);
  } finally {
    await store.stop();
  }
}

/** What the store must not say about a load: ids that it acknowledged and lost, or has more than once. */
export function faultsOf(load: HonestLoad, counts: ReadonlyMap<string, number>): { readonly lost: string[]; readonly doubled: string[] } {
  return {
    lost: [...load.acknowledged].filter((id) => !counts.has(id)),
    doubled: [...load.sent].filter((id) => (counts.get(id) ?? 0) > 1),
  };
}
