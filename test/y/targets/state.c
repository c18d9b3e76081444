/*
 * A program with known state, for looking into. It sets its data up, prints `ready`, and does one round of calls for each
 * line that it reads; then prints `done`. At the end of its input it ends.
 *
 * gcc -g -O1 -fno-inline -pthread state.c -o state
 */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef WITH_USDT
#include <sys/sdt.h>
#endif

enum color { RED, GREEN = 5, BLUE, NEGATIVE = -3 };
typedef enum { SMALL, LARGE } size_class;

struct point { int x, y; };

struct bits {
    unsigned low : 3;
    unsigned mid : 7;
    int negative : 4;
    unsigned long wide : 40;
    bool flag : 1;
};

union value { int32_t i; float f; uint8_t bytes[4]; };

struct node {
    int key;
    char name[12];
    struct node *next;
};

struct tree {
    long key;
    struct tree *left, *right;
};

typedef int (*operation)(int, int);

struct record {
    int8_t i8; uint8_t u8; int16_t i16; uint16_t u16; int32_t i32; uint32_t u32; int64_t i64; uint64_t u64;
    char letter;
    bool yes, no;
    float real;
    double precise;
    enum color color;
    size_class class;
    const char *title;
    char *none;
    struct point at;
    struct point corners[4];
    int grid[2][3];
    union value value;
    struct { int inner; union { int first; unsigned char second; }; };
    struct bits bits;
    operation op;
    struct node *list;
    void *opaque;
    const struct record *self;
};

struct flexible { int count; short items[]; };

int add(int a, int b) { return a + b; }
int subtract(int a, int b) { return a - b; }

static struct node nodes[5];
static struct flexible *flexible;
struct tree *root;
struct record record;
struct record *record_pointer = &record;
int numbers[10];
const char *words[] = { "zero", "one", "two", "three", NULL };
char long_text[300];
int counter = 41;
static volatile int hidden = 7;
unsigned long big = 0xfedcba9876543210ul;
double pi = 3.140625;
__thread int per_thread = 99;
struct node *cycle;
struct node *broken;

static struct tree *plant(long low, long high) {
    if (low > high) return NULL;
    struct tree *t = malloc(sizeof *t);
    t->key = (low + high) / 2;
    t->left = plant(low, t->key - 1);
    t->right = plant(t->key + 1, high);
    return t;
}

static void set_up(void) {
    record = (struct record){
        .i8 = -8, .u8 = 200, .i16 = -1600, .u16 = 60000, .i32 = -320000, .u32 = 4000000000u,
        .i64 = -64000000000, .u64 = 18000000000000000000ul,
        .letter = 'Q', .yes = true, .no = false, .real = 2.5f, .precise = -0.125,
        .color = BLUE, .class = LARGE, .title = "a title", .at = { 3, -4 },
        .corners = { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 } }, .grid = { { 1, 2, 3 }, { 4, 5, 6 } },
        .value = { .i = 0x40490fdb }, .inner = 11, .first = 0x01020304,
        .bits = { .low = 5, .mid = 100, .negative = -2, .wide = 0xabcdef1234, .flag = true },
        .op = subtract, .opaque = (void *)0x1234, .self = &record,
    };
    for (int i = 0; i < 5; i++) {
        nodes[i].key = i * 10;
        snprintf(nodes[i].name, sizeof nodes[i].name, "node-%d", i);
        nodes[i].next = i < 4 ? &nodes[i + 1] : NULL;
    }
    record.list = nodes;
    static struct node ring[3];
    for (int i = 0; i < 3; i++) { ring[i].key = i; ring[i].next = &ring[(i + 1) % 3]; }
    cycle = ring;
    static struct node bad = { .key = 1, .next = (struct node *)0x10 };
    broken = &bad;
    root = plant(1, 31);
    for (int i = 0; i < 10; i++) numbers[i] = i * i;
    memset(long_text, 'x', sizeof long_text - 1);
    flexible = malloc(sizeof *flexible + 4 * sizeof(short));
    flexible->count = 4;
    for (int i = 0; i < 4; i++) flexible->items[i] = (short)(i - 2);
}

/* Functions to put probes on: each is called a known number of times a round. */
#define SEEN __attribute__((noinline, noclone))

SEEN int one(int a) { counter++; return a * 2; }
SEEN long six(char a, short b, int c, long d, unsigned char e, void *f) { return a + b + c + d + e + (f != NULL); }
SEEN long eight(long a, long b, long c, long d, long e, long f, long g, long h) { return a + b + c + d + e + f + g + h; }
SEEN const char *text(const char *s) { return s + 1; }
SEEN void pass(struct node *n) { (void)n; __asm__ volatile(""); }
SEEN unsigned recurse(unsigned n) { return n == 0 ? 0 : 1 + recurse(n - 1); }
SEEN int8_t minus(void) { return -1; }
SEEN bool truth(int n) { return n & 1; }
SEEN struct point where(struct point p) { return (struct point){ p.y, p.x }; }
SEEN double half(double d) { return d / 2; }
SEEN void inner(int depth) { __asm__ volatile("" ::"r"(depth)); }
SEEN void middle(int depth) { inner(depth + 1); __asm__ volatile(""); }
SEEN void outer(int depth) { middle(depth + 1); __asm__ volatile(""); }
SEEN void finished(void) { __asm__ volatile(""); }

static long round_of_calls(void) {
    long sum = 0;
    for (int i = 0; i < 10; i++) sum += one(i);
    sum += six(-1, -2, -3, -4, 255, &sum);
    sum += eight(1, 2, 3, 4, 5, 6, 7, 8);
    for (int i = 0; words[i]; i++) sum += *text(words[i]);
    for (struct node *n = nodes; n; n = n->next) pass(n);
    sum += recurse(4);
    sum += minus();
    for (int i = 0; i < 6; i++) sum += truth(i);
    sum += where((struct point){ 1, 2 }).x;
    sum += (long)half(5.0);
    for (int i = 0; i < 3; i++) outer(i);
    pass(broken);
#ifdef WITH_USDT
    for (int i = 0; i < 4; i++) DTRACE_PROBE3(state, step, i, words[i], &nodes[i]);
#endif
    finished();
    return sum;
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    set_up();
    printf("ready %d\n", add(hidden, subtract(per_thread, flexible->count)));
    char line[64];
    while (fgets(line, sizeof line, stdin)) printf("done %ld\n", round_of_calls());
    return 0;
}
