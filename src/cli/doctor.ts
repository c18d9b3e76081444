/** `fluoro doctor`: what works here, what does not, why, and the way out. Changes nothing but for a file it writes and removes. */
import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { findCallTrouble, probeFeatures, readSystemFacts, type SystemFacts } from '../kernel/index.ts';
import { findPortTrouble } from '../server/index.ts';
import { findHolder } from './data-lock.ts';
import type { Settings } from './options.ts';

/** `limited`: it works, but less well. `off`: it does not. */
export interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'limited' | 'off';
  /** What was found. */
  readonly detail: string;
  /** What to do about it; absent when all is well. */
  readonly remedy?: string;
  /** `looking`: needed to look into programs alone; `fluoro up` serves traces without it. Absent: needed by `fluoro up`. */
  readonly wing?: 'looking';
}

const LEAST_MEMORY_BYTES = 1e9;
const GOOD_RECEIVE_BUFFER_BYTES = 4_000_000;
const RMEM_MAX = '/proc/sys/net/core/rmem_max';

/** Looks at everything that `fluoro up` with these settings needs. */
export async function examine(settings: Settings): Promise<Finding[]> {
  return [
    checkNode(),
    settings.store.length > 0 ? await checkStore(settings) : checkEmbeddedStore(),
    ...checkData(settings),
    checkMemory(),
    ...(await checkPorts(settings)),
    checkReceiveBuffer(),
    ...checkLooking(),
  ];
}

/** Whether `fluoro up` can do its work. */
export function canServe(findings: readonly Finding[]): boolean {
  return findings.every(({ state, wing }) => state !== 'off' || wing === 'looking');
}

/** The findings as a table for people. */
export function formatFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ what }) => what.length));
  const lines = findings.flatMap(({ what, state, detail, remedy }) => [
    `${state.padEnd(8)} ${what.padEnd(width)}  ${detail}`,
    ...(remedy === undefined ? [] : [`${' '.repeat(width + 11)}→ ${remedy}`]),
  ]);
  return `${lines.join('\n')}\n`;
}

/** What is needed to look into programs, each thing tried. */
function checkLooking(): Finding[] {
  const wing = 'looking' as const;
  const trouble = findCallTrouble();
  if (trouble !== undefined) {
    const remedy = 'on Linux, x64 or arm64, install Fluoroscope again, with its optional packages';
    return [{ what: 'looking into programs', state: 'off', detail: trouble, remedy, wing }];
  }
  const facts = describeKernel(readSystemFacts());
  return [
    { what: 'kernel', state: 'ok', detail: facts, wing },
    ...probeFeatures().map(({ name, works, why, wayOut, essential }): Finding => {
      const state = works ? 'ok' : essential ? 'off' : 'limited';
      return { what: name, state, detail: why, ...(wayOut === undefined ? {} : { remedy: wayOut }), wing };
    }),
  ];
}

function describeKernel(facts: SystemFacts): string {
  const settings = [
    ['lockdown', facts.lockdown],
    ['perf_event_paranoid', facts.perfEventParanoid],
    ['unprivileged_bpf_disabled', facts.unprivilegedBpfDisabled],
    ['kptr_restrict', facts.kptrRestrict],
    ['ptrace_scope', facts.ptraceScope],
  ].filter(([, value]) => value !== undefined);
  return [
    `Linux ${facts.kernel}`,
    facts.hasTypes ? 'with types' : 'without types',
    ...settings.map(([name, value]) => `${name} ${value}`),
  ].join(', ');
}

function checkNode(): Finding {
  const { glibcVersionRuntime } = (process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }).header;
  const libc = process.platform === 'linux' ? (glibcVersionRuntime === undefined ? ', no glibc' : `, glibc ${glibcVersionRuntime}`) : '';
  return { what: 'Node.js', state: 'ok', detail: `${process.version} on ${process.platform} ${process.arch}${libc}` };
}

function checkEmbeddedStore(): Finding {
  const what = 'embedded store';
  const remedy = 'give a ClickHouse server with --store http://user:password@host:8123';
  try {
    const require = createRequire(import.meta.url);
    const path = (require('chdb/libchdb') as { libchdbPath(): string }).libchdbPath();
    require.resolve('ffi-rs');
    return { what, state: 'ok', detail: `the library is there (${Math.round(statSync(path).size / 1e6)} MB)` };
  } catch (cause) {
    const reason = (cause as Error).message.split('\n')[0] ?? '';
    return { what, state: 'off', detail: `its library is missing: it is made for Linux with glibc, and macOS (${reason})`, remedy };
  }
}

async function checkStore(settings: Settings): Promise<Finding> {
  const what = 'ClickHouse store';
  for (const { url, user, password } of settings.store) {
    try {
      const answer = await fetch(`${url}/?query=SELECT+version()`, {
        headers: { 'X-ClickHouse-User': user, 'X-ClickHouse-Key': password },
        signal: AbortSignal.timeout(3_000),
      });
      const text = (await answer.text()).trim().split('\n')[0]?.slice(0, 120);
      if (!answer.ok)
        return { what, state: 'off', detail: `${url} answers ${answer.status}: ${text}`, remedy: 'check the user and password in --store' };
    } catch (cause) {
      const reason = ((cause as Error).cause as Error | undefined)?.message ?? (cause as Error).message;
      return {
        what,
        state: 'off',
        detail: `${url} does not answer: ${reason}`,
        remedy: 'check the address in --store, and that the server runs',
      };
    }
  }
  return { what, state: 'ok', detail: settings.store.map((store) => store.url).join(', ') };
}

function checkData(settings: Settings): Finding[] {
  const { data, minFreeBytes } = settings;
  const what = 'data directory';
  const holder = findHolder(data);
  if (holder !== undefined)
    return [
      {
        what,
        state: 'limited',
        detail: `${data} is in use by process ${holder.pid}, started ${holder.since}`,
        remedy: 'that is well if it is the Fluoroscope you mean',
      },
    ];
  const place = nearestExisting(data);
  try {
    rmSync(mkdtempSync(join(place, '.fluoro-doctor-')), { recursive: true });
  } catch (cause) {
    return [
      {
        what,
        state: 'off',
        detail: `${data}: ${(cause as Error).message}`,
        remedy: 'give another with --data DIR, or the right to write there',
      },
    ];
  }
  const stat = statfsSync(place);
  const free = stat.bavail * stat.bsize;
  const detail = `${data}, ${(free / 1e9).toFixed(1)} GB free`;
  if (free < minFreeBytes * 4)
    return [
      {
        what,
        state: 'limited',
        detail,
        remedy: `free some space: below ${Math.round(minFreeBytes / 1e6)} MB (--min-free) nothing more is taken in`,
      },
    ];
  return [{ what, state: 'ok', detail }];
}

function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path));
}

function checkMemory(): Finding {
  const detail = `${(totalmem() / 1e9).toFixed(1)} GB`;
  if (totalmem() >= LEAST_MEMORY_BYTES) return { what: 'memory', state: 'ok', detail };
  return { what: 'memory', state: 'limited', detail, remedy: 'the store wants some 500 MB for itself; set its bound with --store-memory' };
}

async function checkPorts(settings: Settings): Promise<Finding[]> {
  const wanted = [
    ['page', settings.listen, '--listen', 'tcp'],
    ['X-Ray, UDP', settings.xray, '--xray', 'udp'],
    ['X-Ray, TCP', settings.xray, '--xray', 'tcp'],
    ['OTLP gRPC', settings.otlpGrpc, '--otlp-grpc', 'tcp'],
    ['OTLP HTTP', settings.otlpHttp, '--otlp-http', 'tcp'],
  ] as const;
  const findings: Finding[] = [];
  for (const [what, address, option, protocol] of wanted) {
    if (!address) findings.push({ what, state: 'off', detail: 'not asked for', remedy: `give ${option} HOST:PORT` });
    else {
      const trouble = await findPortTrouble(address, what, option, protocol);
      const [detail, remedy] = trouble?.split('; ', 2) ?? [`${address.host}:${address.port} is free`];
      findings.push({ what, state: trouble === undefined ? 'ok' : 'off', detail: detail!, ...(remedy === undefined ? {} : { remedy }) });
    }
  }
  return findings;
}

function checkReceiveBuffer(): Finding {
  const what = 'UDP buffer';
  if (!existsSync(RMEM_MAX)) return { what, state: 'ok', detail: "the system's own limit" };
  const bytes = Number(readFileSync(RMEM_MAX, 'utf8'));
  const detail = `the kernel gives up to ${(bytes / 1e6).toFixed(1)} MB`;
  if (bytes >= GOOD_RECEIVE_BUFFER_BYTES) return { what, state: 'ok', detail };
  return {
    what,
    state: 'limited',
    detail: `${detail}: bursts of datagrams may be lost (they are counted)`,
    remedy: 'sysctl -w net.core.rmem_max=16777216',
  };
}
