/** A real store of its own for a test, and documents put into it without a server. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RowsOfDocuments, type SpanRow } from '../../src/record/index.ts';
import { ByteWriter, EmbeddedStore, openStore, SpanBlock, type Store } from '../../src/store/index.ts';
import type { SegmentDocument, TraceId } from '../../src/trace/index.ts';

export interface TestStore {
  readonly store: Store;
  /** Stores the documents of one or more traces as one batch. */
  insert(traces: readonly { readonly id: TraceId; readonly documents: readonly SegmentDocument[] }[]): Promise<void>;
  stop(): Promise<void>;
}

/** Starts an embedded store in a directory that is removed again. */
export async function startTestStore(): Promise<TestStore> {
  const dir = mkdtempSync(join(tmpdir(), 'fluoro-store-'));
  const embedded = await EmbeddedStore.start({ dir });
  const opened = await openStore([embedded.address], { database: 'test', retainDays: 30, fsync: false });
  if (!opened.ok) throw new Error(opened.error.message);
  const store = opened.value;
  const encoder = new RowsOfDocuments();
  let batches = 0;
  return {
    store,
    async insert(traces) {
      const rows: SpanRow[] = [];
      for (const { id, documents } of traces) for (const document of documents) encoder.append(structuredClone(document), id, rows);
      const block = new SpanBlock();
      for (const row of rows) block.push(row, Math.floor(Date.now() / 1000));
      const out = new ByteWriter();
      block.takeBlock(out);
      const inserted = await store.client.insertBlocks('test.spans', [out.bytes()], `test-${++batches}`);
      if (!inserted.ok) throw new Error(inserted.error.message);
    },
    async stop() {
      await store.client.close();
      await embedded.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
