export { ByteWriter } from './byte-writer.ts';
export { StoreClient, type StoreAddress, type StoreError } from './client.ts';
export { EmbeddedStore, type EmbeddedEvent, type EmbeddedOptions } from './embedded.ts';
export { type GraphSums, type NodePattern, readGraph, readSeries, writeGraphMinute } from './graph-minutes.ts';
export { countSpans, readGraphRows, readGraphRowsOfTraces } from './graph-rows.ts';
export { SpanBlock } from './native-block.ts';
export { type Layout } from './schema.ts';
export { connectStore, openStore, type Store } from './store.ts';
