// Calls a function as often as it is told, at the bottom of ten calls, and says how long a call took.
#include <stdio.h>
#include <string.h>
#include <time.h>

__attribute__((noinline)) long work(long x) {
  __asm__ volatile("" : "+r"(x));
  return x + 1;
}

static long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000L + t.tv_nsec;
}

__attribute__((noinline)) static double run(long times) {
  long start = now(), sum = 0;
  for (long i = 0; i < times; i++) sum += work(i & 1023);
  __asm__ volatile("" : : "r"(sum));
  return (double)(now() - start) / (double)times;
}

__attribute__((noinline)) static double deeper(int depth, long times) {
  double result = depth > 0 ? deeper(depth - 1, times) : run(times);
  __asm__ volatile("");
  return result;
}

// Waits until a probe has changed the function's first bytes (or is gone from there), and says when.
static long wait_for_probe(int want) {
  static unsigned char plain[16];
  static int known;
  if (!known) memcpy(plain, (const void *)work, sizeof plain), known = 1;
  struct timespec pause = {0, 100000};
  while ((memcmp(plain, (const void *)work, sizeof plain) != 0) != want) nanosleep(&pause, 0);
  return now();
}

int main(void) {
  char word;
  long times;
  setvbuf(stdout, 0, _IOLBF, 0);
  wait_for_probe(0);
  printf("ready\n");
  while (scanf(" %c %ld", &word, &times) == 2) {
    if (word == 'c') printf("%.2f\n", deeper(8, times));
    else printf("%ld\n", wait_for_probe((int)times));
  }
  return 0;
}
