// Reads of the target: minimal, merged, through pointers, arrays, anonymous members and bit-fields.
_probe _oneshot {
    printf("%d %u %d %u\n", record.i8, record.u8, record.i16, record.u16);
    for (struct node *n = record.list; n; n = n->next)
        printf("%d %s\n", n->key, n->name);
    printf("%d %d\n", record_pointer->self->at.x, record.corners[counter].y);
    printf("%d %u %d\n", record.second, record.bits.mid, record.bits.negative);
    printf("%f %f %e %s\n", record.real, record.precise, record.color, _sym(record.op));
    struct point p = record.at;
    p.x += p.y;
    _try { printf("%d\n", broken->next->key); } _catch { printf("bad %d\n", p.x); }
    printf("%d %d\n", _valid(broken->next), words[2][0] == 't');
}
