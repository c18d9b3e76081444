export { StoreClient, type StoreAddress, type StoreError } from './client.ts';
export { DocumentDecoder, DocumentEncoder } from './document-codec.ts';
export { EmbeddedStore, type EmbeddedEvent, type EmbeddedOptions } from './embedded.ts';
export { ByteWriter } from './byte-writer.ts';
export { SpanBlock } from './native-block.ts';
export { type Layout } from './schema.ts';
export { SpanFlag, type SpanRow } from './span-row.ts';
export { connectStore, openStore, type Store } from './store.ts';
