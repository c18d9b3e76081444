// Control flow and functions: short circuits, switches, loops, handlers.
long total;
int weight(struct tree *t) { return t ? 1 + weight(t->left) + weight(t->right) : 0; }
_str name(int n, _str fallback) { if (n > 3) return "many"; return fallback; }
_probe _oneshot {
    int i = 7;
    i += 3; i *= 2; i--;
    do { if (i % 2 || i > 12 && counter) continue; total += i; } while (i-- > 0);
    switch (counter) { case 1: case 3 ... 5: total++; break; default: total -= 2; case 9: i = 4; }
    printf("%d %s %ld %d\n", weight(root), name(i, "few"), total, _max2(i, counter));
    if (_ustr(record.title) ~~ rx/^(\w+) (t.*)$/i) printf("%s, %s\n", $1, $2);
    _str s = "a" + _ustr(record.title);
    s += _substr(s, 1, 2);
    printf("%s %d %d\n", s, _len(s), s < "b" && s[0] == 'a');
}
