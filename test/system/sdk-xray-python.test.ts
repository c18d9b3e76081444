// The unmodified X-Ray SDK for Python (Debian's python3-aws-xray-sdk).

import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { pointedAt, runClient } from '../support/client-program.ts';
import { Product } from '../support/product.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { documentOf, drawEdges, findTrace, search, traceAs } from '../support/trace-answers.ts';
import { until } from '../support/until.ts';

/** Debian's own: another Python may come first in PATH. */
const PYTHON = '/usr/bin/python3';

function hasModule(python: string, module: string): boolean {
  try {
    execFileSync(python, ['-c', `import ${module}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe('aws_xray_sdk', () => {
  const available = hasModule(PYTHON, 'aws_xray_sdk.core');
  let product: Product | undefined;
  let sent: Readonly<Record<'plain' | 'failed' | 'streamed', string>>;

  beforeAll(async () => {
    if (!available) return;
    product = await Product.start();
    sent = await runClient(PYTHON, ['segments.py'], pointedAt(product));
  });

  afterAll(async () => {
    if (!product) return;
    expect(await product.stop()).toBe(0);
    await product.dispose();
  });

  beforeEach((context) => requireOrSkip(context, available, 'no X-Ray SDK for Python; install it: apt-get install python3-aws-xray-sdk'));

  test('a segment with subsegments, annotations and calls', async () => {
    const trace = await traceAs(
      product!,
      sent.plain,
      `
      * depot 201
        - pick
          - walk
        - carrier.example throttle 429
          * carrier.example throttle 429 [carrier.example, remote]`,
    );
    expect(trace).toMatchObject({
      outcome: 'ok',
      partial: false,
      summary: { users: ['mira'], http: { method: 'POST', url: 'http://depot.example/parcels', status: 201 } },
    });
    expect(drawEdges(trace.graph)).toEqual(['client > depot', 'depot > carrier.example']);
    expect(await search(product!, 'annotation.shelf = 7 AND annotation.cold = true')).toEqual([sent.plain]);
    expect((await documentOf(product!, trace, 'depot')).document).toMatchObject({
      metadata: { depot: { parcel: { weight: 1.5 } } },
    });
  });

  test('an exception is told with its stack', async () => {
    const trace = await traceAs(product!, sent.failed, '* depot fault 500\n  - weigh fault');
    const { document } = await documentOf(product!, trace, 'weigh');
    expect(document).toMatchObject({
      cause: {
        exceptions: [
          {
            type: 'ValueError',
            message: 'the scale is not level',
            stack: expect.arrayContaining([expect.objectContaining({ label: 'failed', path: 'segments.py' })]),
          },
        ],
      },
    });
    expect(await search(product!, 'fault')).toEqual([sent.failed]);
  });

  test('80 subsegments, streamed as documents of their own, are one tree', async () => {
    const trace = await until(
      async () => findTrace(product!, sent.streamed),
      (found) => found?.rows.length === 81 && !found.partial,
    );
    expect(trace!.rows.slice(1).every((row) => row.depth === 1 && row.parent === 0 && !row.orphan)).toBe(true);
    expect(new Set(trace!.rows.slice(1).map((row) => row.name)).size).toBe(80);
  });

  // Debian 12's SDK (0.95) is older than central sampling: this is for machines that have a newer one.
  const python = [PYTHON, 'python3'].find((one) => hasModule(one, 'aws_xray_sdk.core.sampling.rule_poller'));
  if (python === undefined) return;
  test('it samples by the rules of the daemon port', async () => {
    const { sampled } = await runClient<{ sampled: string }>(python, ['segments.py', 'sampled'], pointedAt(product!));
    const trace = await traceAs(product!, sampled, '* sampled');
    expect((await documentOf(product!, trace, 'sampled')).document).toMatchObject({ aws: { xray: { sampling_rule_name: 'Default' } } });
  });
});
