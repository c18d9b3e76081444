/** Names that the language gives a meaning when called. */

export const BUILTIN_NAMES: ReadonlySet<string> = new Set(
  `
  _pid _tid _ppid _pgid _nspid _uid _gid _comm _exe _cpu _cgroup _container _trace_id _func
  _now_ns _now_us _now_ms _now_s _wall_ns
  _ubt _kbt _bt _lbt _mbt _sym_ubt _sym _src
  _arg _ret _reg _tls
  _ustr _user _kernel _read _valid _hex _len _substr
  printf _print _warn _error _exit _json
  _log2 _abs _min2 _max2 _rand
  _count _sum _min _max _avg _variance _stddev _quantile _hist_log _hist_linear
  _flame _histogram _table _pie _bar _line
`
    .trim()
    .split(/\s+/),
);
