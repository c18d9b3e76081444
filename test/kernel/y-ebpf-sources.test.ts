// Sources of the language, compiled as a user's are: the verifier takes what comes out, with and without optimisation.
import { expect, test } from 'vitest';
import { compile, renderDiagnostics } from '../../src/y/index.ts';
import type { Program } from '../../src/y/ir/program.ts';
import { fakeKnowledge } from '../support/y-knowledge.ts';
import { loadRun } from './support/y-run.ts';

const knowledge = fakeKnowledge({
  target: `
    typedef struct node { int value; char name[20]; struct node *next; unsigned flags : 3; } node_t;
    typedef unsigned long size_t;
    void *malloc(size_t n);
    int handle(node_t *node, const char *path, double ratio);
    int main(int argc, char **argv);
    extern node_t *head;
  `,
  syscalls: 'long read(int fd, char *buf, unsigned long count); long write(int fd, const char *buf, unsigned long count);',
});

function build(text: string, optimise: boolean): Program {
  const compiled = compile({ file: 'test.y', text, resolveInclude: () => undefined }, knowledge, { optimise });
  if (!compiled.ok) throw new Error(renderDiagnostics(compiled.error.diagnostics, compiled.error.sources, { color: false }));
  return compiled.value.program;
}

const SOURCES: readonly (readonly [string, string])[] = [
  [
    'the tour',
    `_option long min_bytes = 4096;
     _agg bytes[_bt];
     long calls[_str, int];
     _probe malloc(size_t n) { if (n < min_bytes) return; bytes[_ubt()] <<< n; calls[_comm(), _tid()]++; }
     _probe malloc() -> void *p { if (!p) _warn("malloc failed in thread %d", _tid()); }
     _probe _timer.s(10) { _exit(); }
     _probe _end { _foreach (name, tid in calls; sort desc; limit 10) printf("%s/%d %ld\\n", name, tid, calls[name, tid]); _flame(bytes, _sum, "bytes"); }`,
  ],
  [
    'a walk of lists with texts, in nested loops',
    `long seen[_str, int];
     _str longest;
     _probe handle(node_t *node, const char *path) {
       int depth = 0;
       for (node_t *n = node; n; n = n->next) {
         _str name = _ustr(n->name);
         for (int i = 0; i < _len(name); i++) if (name[i] == '-') depth += n->flags;
         if (_len(name) > _len(longest)) longest = name + "/" + _ustr(path);
         seen[_substr(name, 1, 4), n->value] += depth;
       }
       printf("%d %s %s\\n", depth, longest, path);
     }`,
  ],
  [
    'latency by thread variables, with every reader',
    `_thread long begun;
     _agg all; _agg by[int];
     _probe handle() { begun = _now_ns(); }
     _probe handle() -> int r { if (begun) { long d = _now_ns() - begun; all <<< d; by[r % 8] <<< d; begun = 0; } }
     _probe _end { printf("%ld %ld %ld %ld %f %f\\n", _count(all), _sum(all), _min(all), _max(all), _variance(all), _stddev(all));
       printf("%s\\n", _hist_log(all)); printf("%s\\n", _hist_linear(all, 0, 1000000, 10000));
       _foreach (k in by) printf("%d %ld\\n", k, _quantile(by[k], 0.99)); }`,
  ],
  [
    'functions that call each other, with loops and failures handled',
    `long sum;
     long length(node_t *n) { long count = 0; while (n && count < 1000) { count++; n = n->next; } return count; }
     long twice(node_t *n, long most) { long a = length(n); long b = 0; _try { b = length(n->next->next); } _catch { b = -1; } return a / (b % 7) + most; }
     _probe handle(node_t *node) { long i = 0; do { sum += twice(node, i); i++; } while (i < 5); if (sum > 100) sum = 0; }`,
  ],
  [
    'regular expressions in a loop',
    `long verbs[_str];
     _probe handle(node_t *node, const char *path) {
       _str p = _ustr(path);
       for (int i = 0; i < 3; i++) {
         if (p ~~ rx/^\\/(\\w+)\\/(\\d+)(\\?.*)?$/) verbs[$1]++;
         else if (p !~~ rx{[a-z]+\\.(html?|php)}) verbs["other"]++;
         p = _substr(p, 1, 100);
       }
     }`,
  ],
  [
    'a switch, shifts, conditions and long texts',
    `_str<512> all; long kinds[int] : 100000;
     _probe handle(node_t *node) {
       switch (node->value) { case 1: case 2: kinds[1]++; break; case 3: kinds[3] += node->flags << 2; default: kinds[-1]--; }
       long v = node->value > 3 && node->flags || !node->next ? 1 : -1;
       _str<512> s = all + _ustr(node->name);
       all = s == "x" ? "y" : s;
       kinds[v >> 2] = v ^ 0x7fffffffffff;
       if (all < "abc") _error("less: %s", all);
     }`,
  ],
  [
    'system calls, all probes about threads and processes',
    `long n[_str]; long bytes;
     _probe _syscall.read(int fd, char *buf, unsigned long count) { n["read"]++; if (fd > 2) bytes += count; }
     _probe _syscall.write() -> long r { if (r < 0) printf("failed %ld\\n", r); }
     _probe _process.fork { n["fork"]++; } _probe _process.exit { n["exit"]++; } _probe _thread.start { n["thread"]++; }
     _probe _cpu.off { n["off"]++; } _probe _profile.hz(97) { n[_comm()]++; }`,
  ],
  [
    'goes through every argument',
    `_probe main(int argc, char **argv) { for (int i = 0; i < argc; i++) printf("%s ", argv[i]); printf("%p %x\\n", argv, _hex); }`.replace(
      ', _hex',
      ', argc',
    ),
  ],
];

test.for(SOURCES)('%s', ([, source], context) => {
  for (const optimise of [false, true])
    for (const filter of [{ kind: 'pid', follow: false }, { kind: 'cgroup' }] as const) {
      const run = loadRun(context, build(source, optimise), { filter });
      expect(run.compiled.object.programs.length).toBeGreaterThan(0);
    }
});
