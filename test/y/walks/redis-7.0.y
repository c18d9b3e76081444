// Types of redis 7.0 for a binary without debug information (src/server.h, src/dict.h, src/sds.h). Also valid C.
#pragma once

typedef struct dictEntry {
    void *key;
    union { void *val; unsigned long u64; long s64; double d; } v;
    struct dictEntry *next;
} dictEntry;

typedef struct dict {
    void *type;
    dictEntry **ht_table[2];
    unsigned long ht_used[2];
    long rehashidx;
    short pauserehash;
    signed char ht_size_exp[2];
} dict;

typedef struct redisObject {
    unsigned type:4;
    unsigned encoding:4;
    unsigned lru:24;
    int refcount;
    void *ptr;
} robj;

typedef struct redisDb {
    dict *dict;
    dict *expires;
    dict *blocking_keys;
    dict *ready_keys;
    dict *watched_keys;
    int id;
    long long avg_ttl;
    unsigned long expires_cursor;
    void *defrag_later;
    void *slots_to_keys;
} redisDb;

struct redisServer {
    int pid;
    unsigned long main_thread_id;
    char *configfile;
    char *executable;
    char **exec_argv;
    int dynamic_hz;
    int config_hz;
    unsigned umask;
    int hz;
    int in_fork_child;
    redisDb *db;
    dict *commands;
};

enum { OBJ_STRING, OBJ_LIST, OBJ_SET, OBJ_ZSET, OBJ_HASH, OBJ_MODULE, OBJ_STREAM };
