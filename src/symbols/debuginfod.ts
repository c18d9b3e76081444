/** Fetches debug files from debuginfod servers. Source: debuginfod(8), "WEBAPI". */
import { err, ok, type Result } from '../base/index.ts';
import { findBuildId, parseElf, type ElfFile } from '../elf/index.ts';
import { isBuildId } from './table-cache.ts';

export interface DebuginfodOptions {
  /** Base URLs, asked in order; none: nothing is ever asked. */
  readonly urls: readonly string[];
  /** For one file from one server, with its body. */
  readonly timeoutMs: number;
  readonly maxSizeBytes: number;
}

export type DebuginfodError =
  | { readonly kind: 'not-found'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };

/** The servers that the environment names: `DEBUGINFOD_URLS`, separated by blanks. */
export function debuginfodUrls(environment: Readonly<Record<string, string | undefined>>): string[] {
  return (environment.DEBUGINFOD_URLS ?? '').split(/\s+/).filter((url) => /^https?:\/\//.test(url));
}

/** Fetches the debug file of that build-id from the first server that has it; it counts only when its own build-id is the same. */
export async function fetchDebugFile(buildId: string, options: DebuginfodOptions): Promise<Result<ElfFile, DebuginfodError>> {
  if (!isBuildId(buildId)) return err({ kind: 'failed', message: `${JSON.stringify(buildId)} is no build-id` });
  const failures: string[] = [];
  for (const url of options.urls) {
    const fetched = await fetchFrom(`${url.replace(/\/+$/, '')}/buildid/${buildId}/debuginfo`, options);
    const elf = fetched.ok ? parseElf(fetched.value) : fetched;
    if (elf.ok && findBuildId(elf.value) === buildId) return ok(elf.value);
    if (elf.ok) failures.push(`${url}: its file has another build-id`);
    else if (elf.error.kind !== 'not-found') failures.push(`${url}: ${elf.error.message}`);
  }
  if (failures.length > 0) return err({ kind: 'failed', message: failures.join('; ') });
  return err({ kind: 'not-found', message: `no server has build-id ${buildId}` });
}

async function fetchFrom(url: string, { timeoutMs, maxSizeBytes }: DebuginfodOptions): Promise<Result<Uint8Array, DebuginfodError>> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      const kind = response.status === 404 ? 'not-found' : 'failed';
      return err({ kind, message: `status ${response.status}` });
    }
    const parts: Uint8Array[] = [];
    let size = 0;
    for await (const part of response.body) {
      size += part.length;
      if (size > maxSizeBytes) return err({ kind: 'failed', message: `larger than ${maxSizeBytes} bytes` });
      parts.push(part);
    }
    return ok(Buffer.concat(parts));
  } catch (error) {
    return err({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
}
