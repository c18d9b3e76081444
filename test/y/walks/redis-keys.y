// Counts a redis server's keys by database and type, and prints the first of them in order.
#include "redis-7.0.y"

extern struct redisServer server;

_option int databases = 16;  // as in the server's configuration
_option int shown = 12;      // keys to print of each database

long by_type[int, int];
long keys[int, _str] : 300000;
long found, chained, longest;

// A text of redis: its length stands before it, in as many bytes as the byte before it says.
_str key_text(char *sds) {
    unsigned flags = (unsigned char)sds[-1];
    switch (flags & 7) {
    case 0: return _ustr(sds, flags >> 3);
    case 1: return _ustr(sds, (unsigned char)sds[-3]);
    case 2: return _ustr(sds, *(unsigned short *)(sds - 5));
    default: return _ustr(sds, *(unsigned *)(sds - 9));
    }
}

void walk(int db, dict *d, int table) {
    if (d->ht_size_exp[table] < 0) return;
    unsigned long size = 1UL << d->ht_size_exp[table];
    dictEntry **buckets = d->ht_table[table];
    for (unsigned long i = 0; i < size; i++) {
        long length = 0;
        for (dictEntry *e = buckets[i]; e; e = e->next) {
            robj *value = (robj *)e->v.val;
            by_type[db, value->type]++;
            keys[db, key_text((char *)e->key)] = value->refcount;
            found++;
            length++;
        }
        if (length > 1) chained += length - 1;
        if (length > longest) longest = length;
    }
}

_str name_of(int type) {
    switch (type) {
    case OBJ_STRING: return "string";
    case OBJ_LIST: return "list";
    case OBJ_SET: return "set";
    case OBJ_ZSET: return "zset";
    case OBJ_HASH: return "hash";
    case OBJ_STREAM: return "stream";
    default: return "other";
    }
}

_probe _oneshot {
    for (int i = 0; i < databases; i++) {
        dict *d = server.db[i].dict;
        if (d->ht_used[0] + d->ht_used[1] == 0) continue;
        found = 0;
        chained = 0;
        longest = 0;
        walk(i, d, 0);
        walk(i, d, 1);
        printf("db%d: tables of 2^%d and 2^%d hold %lu + %lu, rehash %ld, %lu expire\n", server.db[i].id, d->ht_size_exp[0], d->ht_size_exp[1],
               d->ht_used[0], d->ht_used[1], d->rehashidx, server.db[i].expires->ht_used[0] + server.db[i].expires->ht_used[1]);
        printf("db%d: %ld keys, %ld of them not first in their chain, the longest of %ld\n", i, found, chained, longest);
    }
    _foreach (db, type, n in by_type)
        printf("db%d: %ld %s\n", db, n, name_of(type));
    int before = -1;
    int printed = 0;
    _foreach (db, key, n in keys) {
        if (db != before) { before = db; printed = 0; }
        if (printed++ < shown) printf("db%d %s\n", db, key);
    }
}
