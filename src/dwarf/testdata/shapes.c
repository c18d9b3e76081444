#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
enum color { RED, GREEN = 5, BLUE = -3 };
typedef struct list { struct list *next; int value; } list_t;
struct opaque;
union u { int i; double d; char c[8]; };
struct big { char a; unsigned b : 3; unsigned c : 9; uint64_t w : 40; union { int x; struct { short y, z; }; }; enum color col; int grid[2][3]; int (*cb)(struct big *, const char *, ...); struct opaque *o; list_t l; _Bool ok; long double ld; char tail[]; };
struct packed { char a; int b; short c : 5; } __attribute__((packed));
static __thread int tls_counter = 3;
__thread long tls_other;
int counter = 7;
static struct big *table[4];
const char *const names[] = {"a", "b"};
static inline __attribute__((always_inline)) int inner(int v) { counter += v;
  return v * 3; }
static inline __attribute__((always_inline)) int outer(int v) {
  int r = inner(v + 1);
  r += counter;
  return r; }
__attribute__((noinline)) int work(list_t *l, double factor, struct big *b) {
  int sum = 0;
  for (; l; l = l->next) {
    sum += outer(l->value);
    tls_counter++; tls_other += 2; static volatile long rounds = 4; rounds++;
  }
  return (int)(sum * factor) + (b ? b->b : 0);
}
int main(int argc, char **argv) {
  list_t n = {0, argc}; struct packed p = {1,2,3}; union u q = {argc};
  table[argc & 3] = calloc(1, sizeof **table);
  enum color c = argc > 2 ? GREEN : RED;
  printf("%d %s %d %d\n", work(&n, 2.0, table[0]), names[argc & 1], p.b + q.i, c);
  return 0;
}
