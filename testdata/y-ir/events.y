/** @analyzer x
 *  @title T
 *  @category cpu @chart flame @scope process
 */
_option long min_bytes = 4096;        // requests smaller than this are ignored
_agg  bytes[_bt];
long  calls[_str, int] : 100;
_thread long began; _percpu long hits; _lru long recent[int] : 5; _percpu long pc[int];
_str last; _agg h;
struct pt { int x; long y; };
struct pt pts[int];
_thread struct pt cur;
_probe malloc(size_t n) { if (n < min_bytes) return; bytes[_ubt()] <<< n; calls[_comm(), _tid()]++; began = _now_ns(); cur.x = 5; }
_probe malloc() -> void *p { if (!p) _warn("malloc failed in thread %d", _tid()); recent[_pid()] = _now_ns() - began; hits++; last = _comm() + "!"; pc[1]++; pts[1] = cur; }
_probe _timer.s(10), _timer.ms(500) { _exit(); }
_probe _profile.hz(99) { bytes[_bt()] <<< 1; }
_probe _pmu("cycles", 100000) { bytes[_kbt()] <<< 1; }
_probe one+0x1c { printf("%lx %s", _reg("ip"), _func()); }
_probe "fake.c":123 { printf("%s", _sym(_reg("ip"))); }
_probe _syscall.* { calls["s", _arg(0)]++; }
_probe _syscall.openat(dfd, name) / dfd == -100 / { printf("%s %d", name, dfd); }
_probe _syscall.read() -> long r { if (r > 0) hits += r; }
_probe _kfunc.vfs_fsync(f, d) { printf("%u %p %s", f->f_flags, f, _hex(f, 8)); }
_probe _kfunc.vfs_fsync() -> int r { printf("%d %d", r, _ret()); }
_probe _cpu.on { hits++; } _probe _cpu.off { hits++; }
_probe _process.exec { printf("%s %s %s %d %d %d %d %u %lu", _exe(), _container(), _trace_id(), _ppid(), _pgid(), _nspid(), _uid(), _gid(), _cgroup()); }
_probe _process.fork, _process.exit, _thread.start, _thread.exit { hits++; }
_probe _page_fault(void *addr) { printf("%p", addr); }
_probe _global _tracepoint.sched.sched_switch { if (_args->prev_comm == "x" || _args->prev_pid in recent) calls[_args->prev_comm, 1] += _rand(5); }
_probe six(a, b) { printf("%d %d %ld %ld", a, b, _arg(3), _arg(5)); }
_probe where() -> r { printf("%d", r.x); }
_probe _end {
    _foreach (name, tid in calls; sort desc; limit 10) printf("%s/%d %ld\n", name, tid, calls[name, tid]);
    _flame(bytes, _sum, "bytes"); _table(calls, "t"); _pie(calls); _bar(calls); _line(recent); _histogram(bytes, "b");
    printf("%s %s", _hist_log(h), last);
}
