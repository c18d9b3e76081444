/** How functions of the kernel are probed on this machine, and what to use where they cannot be. */
import { findKernelFunctionWay, openTracingFiles, type TracingFiles } from '../kernel/index.ts';
import type { KernelFeatures } from '../y/index.ts';

const MOST_SUGGESTIONS = 3;

/** Tries it: tens of milliseconds. `hasResults`: the kernel has bpf_get_func_ret (5.17), without which hooks do not tell results. */
export function examineKernelFunctions(
  hasResults: boolean,
  tracing: () => TracingFiles = openTracingFiles,
): KernelFeatures['kernelFunctions'] {
  const way = findKernelFunctionWay(hasResults ? 'any' : 'kprobe');
  if (way.ok) return way.value;
  const wayOut = (name: string): string => {
    const similar = suggestTracepoints(name, listTracepoints(tracing()));
    return similar.length === 0 ? 'use a tracepoint: _tracepoint.CATEGORY.NAME' : `use a tracepoint: ${similar.join(' or ')}`;
  };
  return { why: way.error.message, wayOut };
}

function listTracepoints(tracing: TracingFiles): string[] {
  return tracing.list('.').flatMap((category) => tracing.list(category).map((name) => `${category}.${name}`));
}

/** Those that share the most words with the function's name, and have the fewest others; as a program writes them. */
export function suggestTracepoints(name: string, tracepoints: readonly string[]): readonly string[] {
  const wanted = wordsOf(name);
  const scored = tracepoints.flatMap((tracepoint) => {
    const words = wordsOf(tracepoint.slice(tracepoint.indexOf('.') + 1));
    const shared = words.filter((word) => wanted.includes(word)).length;
    return shared === 0 ? [] : [{ tracepoint, shared, others: words.length - shared }];
  });
  const best = Math.max(...scored.map(({ shared }) => shared));
  return scored
    .filter(({ shared }) => shared === best)
    .toSorted((a, b) => a.others - b.others || (a.tracepoint < b.tracepoint ? -1 : 1))
    .slice(0, MOST_SUGGESTIONS)
    .map(({ tracepoint }) => `_tracepoint.${tracepoint}`);
}

/** Words of names say what is done; those of one or two letters, and these, say nothing. */
const EMPTY_WORDS = new Set(['sys', 'enter', 'exit', 'do', 'get', 'the', 'for']);

function wordsOf(name: string): readonly string[] {
  return name.split('_').filter((word) => word.length > 2 && !EMPTY_WORDS.has(word));
}
