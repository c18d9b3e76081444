// Waits below functions that are inlined into each other. gcc -g -O2
#include <stdio.h>

volatile int depth;

static inline __attribute__((always_inline)) int innermost(int x) {
    depth += x;
    int c = getchar();
    depth -= c;
    return c + depth;
}

static inline __attribute__((always_inline)) int middle(int x) {
    int sum = depth;
    sum += innermost(x + 1);
    return sum * 2;
}

__attribute__((noinline)) int outer(int x) {
    int sum = x;
    for (int i = 0; i < 3; i++)
        sum += middle(i);
    return sum + depth;
}

int main(void) {
    int sum = 1;
    puts("ready");
    fflush(stdout);
    sum += outer(3);
    return sum;
}
