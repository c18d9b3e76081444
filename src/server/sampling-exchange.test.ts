import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestStore, type TestStore } from '../../test/support/store.ts';
import { CentralSampler, DEFAULT_RULE } from '../sampling/index.ts';
import { StoredSettings } from '../store/index.ts';
import type { Wire } from '../xray/index.ts';
import { SamplingExchange } from './sampling-exchange.ts';
import { SamplingService } from './sampling-service.ts';

let store: TestStore;
const open: { close(): void }[] = [];

beforeAll(async () => {
  store = await startTestStore();
}, 60_000);

afterAll(async () => {
  for (const one of open) one.close();
  await store?.stop();
});

interface TestServer {
  readonly settings: StoredSettings;
  readonly sampler: CentralSampler;
  readonly service: SamplingService;
  readonly exchange: SamplingExchange;
}

/** The sampling half of a server, whose polls happen when the test says so. */
async function startSampling(): Promise<TestServer> {
  const settings = await StoredSettings.open(store.store, 60_000);
  if (!settings.ok) throw new Error(settings.error.message);
  open.push(settings.value);
  const sampler = new CentralSampler();
  const exchange = new SamplingExchange(store.store, sampler, ({ message }) => expect.fail(message));
  return { settings: settings.value, sampler, exchange, service: new SamplingService(settings.value, sampler, () => Date.now() / 1000) };
}

async function report(server: TestServer, client: number, rule: string): Promise<{ quota: number; modified: number }> {
  const document = { RuleName: rule, ClientID: String(client).padStart(24, '0'), Timestamp: 1, RequestCount: 1_000, SampledCount: 0 };
  const answer = await server.service.operations.GetSamplingTargets({ SamplingStatisticsDocuments: [document] }, { userAgent: 'test' });
  if (!answer.ok) throw new Error(answer.error.message);
  const [target] = answer.value['SamplingTargetDocuments'] as Wire[];
  return { quota: Number(target?.['ReservoirQuota'] ?? -1), modified: Number(answer.value['LastRuleModification']) };
}

const rule = (members: object): Record<string, unknown> => ({
  SamplingRule: {
    RuleName: 'shared',
    ResourceARN: '*',
    Priority: 1,
    FixedRate: 0,
    ReservoirSize: 20,
    Version: 1,
    ServiceName: '*',
    ServiceType: '*',
    Host: '*',
    HTTPMethod: '*',
    URLPath: '*',
    ...members,
  },
});

describe('two servers on one store', () => {
  test('share rules, reservoirs, statistics and boosts', async () => {
    const [one, two] = [await startSampling(), await startSampling()];
    const boosted = { SamplingRateBoost: { MaxRate: 1, CooldownWindowMinutes: 5 } };
    expect(await one.service.operations.CreateSamplingRule(rule(boosted), { userAgent: undefined })).toMatchObject({ ok: true });
    expect(await report(two, 1, 'shared')).toMatchObject({ quota: -1 });
    await two.settings.refresh();
    expect(await report(one, 1, 'shared')).toMatchObject({ quota: 20 });
    await one.exchange.exchange();
    await two.exchange.exchange();
    const elsewhere = await report(two, 2, 'shared');
    expect(elsewhere.quota).toBeLessThanOrEqual(2);
    expect(elsewhere.modified).toBe((await report(one, 1, 'shared')).modified);

    const boost = { ...DEFAULT_RULE, name: 'shared', reservoirSize: 20, fixedRate: 0, boost: { maxRate: 1, cooldownMinutes: 5 } };
    const counts = { rule: 'shared', service: 's', total: 100, anomalies: 100, sampledAnomalies: 0 };
    one.sampler.reportAnomalies(boost, counts, Date.now() / 1000);
    await one.exchange.exchange();
    await two.exchange.exchange();
    await one.exchange.exchange();
    await two.exchange.exchange(); // the same reports, read again, count once
    const now = Date.now() / 1000;
    expect(two.sampler.windows(now)).toEqual(one.sampler.windows(now));
    const target = two.sampler.report(boost, { rule: 'shared', client: 'x', requests: 1, sampled: 0, borrowed: 0 }, now);
    expect(target.boost?.rate).toBe(0.2);

    const three = await startSampling();
    await three.exchange.start();
    expect(three.sampler.windows(now)).toEqual(one.sampler.windows(now));
    await three.exchange.stop();
  });

  test('do not both take the same new rule', async () => {
    const [one, two] = [await startSampling(), await startSampling()];
    const create = async (server: TestServer, size: number): Promise<boolean> =>
      (await server.service.operations.CreateSamplingRule(rule({ RuleName: 'race', ReservoirSize: size }), { userAgent: undefined })).ok;
    const made = await Promise.all([create(one, 1), create(two, 2), create(one, 3), create(two, 4)]);
    expect(made.filter(Boolean)).toHaveLength(1);
    await Promise.all([one.settings.refresh(), two.settings.refresh()]);
    expect(one.service.records()).toEqual(two.service.records());
  });
});
