_probe _oneshot { _print(_ubt()); }
