import { describe, expect, it } from 'vitest';
import type { Knowledge } from '../knowledge.ts';
import { dumpAst, parse, renderDiagnostics, type Parsed } from './index.ts';

/** A target that has nothing. */
const NOTHING: Knowledge = {
  architecture: 'x86-64',
  findType: () => undefined,
  findVariables: () => [],
  findEnumerator: () => undefined,
  findFunctions: () => [],
  findLine: () => [],
  findUsdt: () => [],
  hasModule: () => false,
  findKernelFunction: () => undefined,
  findTracepoint: () => undefined,
  findSyscalls: () => [],
  findLiteral: () => undefined,
  similar: () => [],
};

function read(text: string): Parsed {
  return parse({ file: 'test.y', text, include: () => undefined, knowledge: NOTHING });
}

/** The dump of a program that must have no fault. */
function dump(text: string): string {
  const parsed = read(text);
  expect(renderDiagnostics(parsed.diagnostics, parsed.sources, { color: false })).toBe('');
  return dumpAst(parsed.unit);
}

/** `line:column code` of each diagnostic. */
function faults(text: string): readonly string[] {
  return read(text).diagnostics.map((one) => `${one.span?.line}:${one.span?.column} ${one.code}`);
}

const TOUR = `/** @analyzer malloc-size-by-stack
 *  @title    Heap requests by call path
 *  @category memory      @chart flame     @scope processes
 */
_option long min_bytes = 4096;        // requests smaller than this are ignored

_agg  bytes[_bt];                     // associative array: key is a backtrace, value an aggregate
long  calls[_str, int];               // two keys: command name, thread id

_probe malloc(size_t n) {             // entry of a function of the target, any module
    if (n < min_bytes) return;
    bytes[_ubt()] <<< n;
    calls[_comm(), _tid()]++;
}

_probe malloc() -> void *p {          // its return; p is the value returned
    if (!p) _warn("malloc failed in thread %d", _tid());
}

_probe _timer.s(10) { _exit(); }

_probe _end {
    _foreach (name, tid in calls; sort desc; limit 10) printf("%s/%d %ld\\n", name, tid, calls[name, tid]);
    _flame(bytes, _sum, "bytes");
}
`;

const WALK = `_probe _oneshot {
    ngx_cycle_t *cycle = ngx_cycle;                    // a global of the target, by its C name
    printf("%ld connections, %ld free\\n", cycle->connection_n, cycle->free_connection_n);
    for (ngx_uint_t i = 0; i < cycle->connection_n; i++) {
        ngx_connection_t *c = &cycle->connections[i];
        if (c->fd != -1) printf("fd %d sent %ld\\n", c->fd, c->sent);
    }
}
`;

describe('parse()', () => {
  it('reads the tour', () => {
    expect(dump(TOUR)).toContain('@title Heap requests by call path');
    expect(dump(WALK)).toContain('to: named ngx_cycle_t');
    expect(faults('_probe x {')).toEqual(['1:10 open-brace']);
  });
});
