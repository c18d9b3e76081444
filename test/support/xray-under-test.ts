/** A server with the shop's traces, and AWS's client for it. */
import * as sdk from '@aws-sdk/client-xray';
import { expect } from 'vitest';
import { type FluoroProcess, startFluoro } from './fluoro-process.ts';
import { until } from './until.ts';
import { from, id, now, REQUESTS, requestDocuments, to, traceId } from './xray-shop.ts';

export const RANGE = { StartTime: from, EndTime: to };

export interface XRayUnderTest {
  readonly fluoro: FluoroProcess;
  /** Tries once. */
  readonly client: sdk.XRayClient;
  stop(): Promise<void>;
}

/** Beside the shop's traces there are 900, which is linked to the first, and 901, of 130 segments. Resolved when all can be found. */
export async function startXRay(): Promise<XRayUnderTest> {
  const fluoro = await startFluoro();
  const client = new sdk.XRayClient({
    endpoint: `http://${fluoro.page}`,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'x' },
    maxAttempts: 1,
  });
  const linked = { trace_id: traceId(900), id: id(900), name: 'worker', start_time: now - 250, end_time: now - 249 };
  const many = { trace_id: traceId(901), name: 'many', start_time: now - 250, end_time: now - 249 };
  const documents = [
    ...REQUESTS.flatMap(([number, status]) => requestDocuments(number, status)),
    JSON.stringify({ ...linked, links: [{ trace_id: traceId(1), id: id(1) }] }),
    ...Array.from({ length: 130 }, (_, index) => JSON.stringify({ ...many, id: id(2_000 + index) })),
  ];
  const answer = await client.send(new sdk.PutTraceSegmentsCommand({ TraceSegmentDocuments: documents }));
  expect(answer.UnprocessedTraceSegments).toEqual([]);
  const found = async (): Promise<number> => (await client.send(new sdk.GetTraceSummariesCommand(RANGE))).TraceSummaries!.length;
  await until(found, (count) => count === REQUESTS.length + 2);
  return {
    fluoro,
    client,
    async stop() {
      client.destroy();
      expect(await fluoro.stop()).toBe(0);
    },
  };
}

/** The exception that a call ends with, and what it says. */
export async function failure(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => expect.fail('it should have failed'),
    (cause: unknown) => `${(cause as Error).name}: ${(cause as Error).message}`,
  );
}

/** The items of all pages. */
export async function all<P, T>(pages: AsyncIterable<P>, listOf: (page: P) => readonly T[] | undefined): Promise<T[]> {
  const items: T[] = [];
  for await (const page of pages) items.push(...(listOf(page) ?? []));
  return items;
}
