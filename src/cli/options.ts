/** The options of `up` and `server`: each is a flag, an environment variable `FLUORO_<NAME>` and a key of `fluoro.yaml`, in that order. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { err, ok, type Result } from '../base/index.ts';
import type { Address } from '../server/index.ts';

/** What the user asked for, checked. */
export interface Settings {
  readonly data: string;
  readonly listen: Address;
  readonly xray: Address | undefined;
  readonly otlpHttp: Address | undefined;
  readonly otlpGrpc: Address | undefined;
  /** ClickHouse servers instead of the embedded store. */
  readonly store: readonly { readonly url: string; readonly user: string; readonly password: string }[];
  readonly storeDatabase: string;
  readonly storeCluster: string | undefined;
  readonly storeReplicated: boolean;
  readonly storeMemoryBytes: number | undefined;
  readonly retainDays: number;
  readonly spoolBytes: number;
  readonly minFreeBytes: number;
  readonly logLevel: string;
}

interface OptionSpec {
  /** The flag without its dashes, as commander names its value. */
  readonly flag: string;
  readonly value: string;
  readonly help: string;
  readonly fallback: string;
}

/** For help texts and the reference. */
export const OPTIONS: readonly OptionSpec[] = [
  { flag: 'data', value: 'DIR', help: 'where traces and the spool are kept', fallback: defaultDataDir() },
  { flag: 'listen', value: 'HOST:PORT', help: 'page, API, X-Ray API, OTLP/HTTP (port 0: any free one)', fallback: '127.0.0.1:7070' },
  { flag: 'xray', value: 'HOST:PORT', help: 'X-Ray daemon port, UDP and TCP; "off": none', fallback: '127.0.0.1:2000' },
  { flag: 'otlp-grpc', value: 'HOST:PORT', help: 'OTLP over gRPC; "off": none', fallback: '127.0.0.1:4317' },
  { flag: 'otlp-http', value: 'HOST:PORT', help: 'OTLP over HTTP; "off": none', fallback: '127.0.0.1:4318' },
  {
    flag: 'store',
    value: 'URL[,URL]',
    help: 'ClickHouse servers instead of the embedded store (http://user:password@host:8123)',
    fallback: '',
  },
  { flag: 'store-database', value: 'NAME', help: 'database in the store', fallback: 'fluoroscope' },
  {
    flag: 'store-cluster',
    value: 'NAME',
    help: 'cluster of the ClickHouse configuration: distributed tables; give every node in --store',
    fallback: '',
  },
  { flag: 'store-replicated', value: 'yes|no', help: 'replicated tables (the servers need a Keeper)', fallback: 'no' },
  { flag: 'store-memory', value: 'SIZE', help: 'most memory for the embedded store (default: half, at most 4G)', fallback: '' },
  { flag: 'retain', value: 'TIME', help: 'how long traces are kept, in days', fallback: '30d' },
  { flag: 'spool-size', value: 'SIZE', help: 'most that may wait on disk while the store is away', fallback: '8G' },
  { flag: 'min-free', value: 'SIZE', help: 'free disk space below which nothing more is taken in', fallback: '64M' },
  { flag: 'log-level', value: 'LEVEL', help: 'trace, debug, info, warn, error or silent', fallback: 'info' },
];

function defaultDataDir(): string {
  if (process.getuid?.() === 0) return '/var/lib/fluoroscope';
  return join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'fluoroscope');
}

/** Where the settings come from: flags as commander gives them (camelCase), the environment, a file. */
export interface OptionSources {
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Given with `--config`; otherwise `fluoro.yaml` here when there is one. */
  readonly configPath: string | undefined;
}

/** Reads all sources; the error names the option, where its value came from, and what would fit. */
export function readSettings(sources: OptionSources): Result<Settings, string> {
  const file = readConfig(sources.configPath ?? sources.environment['FLUORO_CONFIG']);
  if (!file.ok) return file;
  const reader = new OptionReader(sources, file.value.values, file.value.path);
  try {
    return ok({
      data: resolve(reader.text('data')),
      listen: reader.address('listen') ?? reader.fail('listen', 'the page cannot be off'),
      xray: reader.address('xray'),
      otlpHttp: reader.address('otlp-http'),
      otlpGrpc: reader.address('otlp-grpc'),
      store: reader.stores('store'),
      storeDatabase: reader.matching('store-database', /^[A-Za-z_]\w{0,62}$/, 'a name of letters, digits and _'),
      storeCluster: reader.optional('store-cluster', /^[\w.-]{1,100}$/, 'a name of letters, digits, _ . -'),
      storeReplicated: reader.matching('store-replicated', /^(yes|no|true|false)$/, 'yes or no').match(/^(yes|true)$/) !== null,
      storeMemoryBytes: reader.size('store-memory'),
      retainDays: reader.days('retain'),
      spoolBytes: reader.size('spool-size') ?? 0,
      minFreeBytes: reader.size('min-free') ?? 0,
      logLevel: reader.matching('log-level', /^(trace|debug|info|warn|error|silent)$/, 'trace, debug, info, warn, error or silent'),
    });
  } catch (cause) {
    if (cause instanceof OptionError) return err(cause.message);
    throw cause;
  }
}

class OptionError extends Error {}

function readConfig(path: string | undefined): Result<{ values: Record<string, unknown>; path: string }, string> {
  const chosen = path ?? 'fluoro.yaml';
  if (path === undefined && !existsSync(chosen)) return ok({ values: {}, path: chosen });
  let values: unknown;
  try {
    values = parse(readFileSync(chosen, 'utf8')) ?? {};
  } catch (cause) {
    return err(`cannot read the configuration ${chosen}: ${(cause as Error).message.split('\n')[0]}`);
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) return err(`${chosen} must hold "option: value" lines`);
  const known = new Set(OPTIONS.map((option) => option.flag));
  const unknown = Object.keys(values).find((key) => !known.has(key));
  if (unknown !== undefined) return err(`${chosen}: there is no option ${unknown}; there are ${[...known].join(', ')}`);
  return ok({ values: values as Record<string, unknown>, path: chosen });
}

class OptionReader {
  readonly #sources: OptionSources;
  readonly #file: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(sources: OptionSources, file: Readonly<Record<string, unknown>>, path: string) {
    this.#sources = sources;
    this.#file = file;
    this.#path = path;
  }

  text(flag: string): string {
    return this.#find(flag).value;
  }

  fail(flag: string, expected: string): never {
    const { value, origin } = this.#find(flag);
    throw new OptionError(`${origin}: ${JSON.stringify(value)} does not fit: ${expected}`);
  }

  matching(flag: string, pattern: RegExp, expected: string): string {
    const value = this.text(flag);
    return pattern.test(value) ? value : this.fail(flag, `give ${expected}`);
  }

  optional(flag: string, pattern: RegExp, expected: string): string | undefined {
    return this.text(flag) === '' ? undefined : this.matching(flag, pattern, expected);
  }

  address(flag: string): Address | undefined {
    const value = this.text(flag);
    if (value === 'off') return undefined;
    const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]:|([^:\s]*):)?(\d{1,5})$/.exec(value) ?? [];
    if (port === undefined || Number(port) > 65_535) this.fail(flag, 'give HOST:PORT, PORT or off');
    return { host: bracketed ?? (plain || '127.0.0.1'), port: Number(port) };
  }

  stores(flag: string): Settings['store'] {
    const value = this.text(flag);
    if (value === '') return [];
    return value.split(',').map((one) => {
      try {
        const url = new URL(one.trim());
        if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error('not http');
        const { username, password } = url;
        url.username = '';
        url.password = '';
        return {
          url: url.href.replace(/\/$/, ''),
          user: decodeURIComponent(username) || 'default',
          password: decodeURIComponent(password),
        };
      } catch {
        return this.fail(flag, 'give http://user:password@host:8123, several separated by commas');
      }
    });
  }

  size(flag: string): number | undefined {
    const value = this.text(flag);
    if (value === '') return undefined;
    const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([kMGT]?)B?$/i.exec(value) ?? [];
    if (number === undefined) this.fail(flag, 'give a size such as 512M or 8G');
    const scale = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 }[(unit ?? '').toLowerCase()] ?? 1;
    return Math.floor(Number(number) * scale);
  }

  days(flag: string): number {
    const [, days] = /^(\d{1,4})d?$/.exec(this.text(flag)) ?? [];
    return days === undefined || Number(days) === 0 ? this.fail(flag, 'give a number of days such as 30d') : Number(days);
  }

  #find(flag: string): { readonly value: string; readonly origin: string } {
    const camel = flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
    const given = this.#sources.flags[camel];
    if (given !== undefined) return { value: String(given), origin: `--${flag}` };
    const name = `FLUORO_${flag.replaceAll('-', '_').toUpperCase()}`;
    const variable = this.#sources.environment[name];
    if (variable !== undefined && variable !== '') return { value: variable, origin: name };
    const inFile = this.#file[flag];
    if (inFile !== undefined && inFile !== null) return { value: String(inFile), origin: `${this.#path}: ${flag}` };
    return { value: OPTIONS.find((option) => option.flag === flag)!.fallback, origin: `--${flag}` };
  }
}
