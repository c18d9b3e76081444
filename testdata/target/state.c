/* Known state for tests that look into a process: prints its addresses, then waits. With argv[1] "threads": that many threads as well (argv[2]). */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct known {
  unsigned long magic;
  char text[32];
  struct known *next;
};

static struct known global = {0x1122334455667788ul, "global text", NULL};
static const char constant[] = "a constant of the read-only segment";

static void *wait_here(void *name) {
  pthread_setname_np(pthread_self(), name);
  for (;;) pause();
}

int main(int argc, char **argv) {
  struct known *heap = malloc(sizeof *heap);
  heap->magic = 42;
  strcpy(heap->text, "heap text");
  heap->next = &global;
  global.next = heap;
  char *large = malloc(1 << 20);
  for (int i = 0; i < 1 << 20; i++) large[i] = (char)(i >> 12);
  int threads = argc > 2 ? atoi(argv[2]) : 0;
  pthread_attr_t small;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  for (int i = 0; i < threads; i++) {
    pthread_t thread;
    char *name = malloc(16);
    snprintf(name, 16, "worker-%d", i);
    if (pthread_create(&thread, &small, wait_here, name)) return 3;
  }
  printf("%p %p %p %p %d ready\n", (void *)&global, (void *)heap, (void *)constant, (void *)large, threads);
  fflush(stdout);
  for (;;) pause();
}
