/* Stacks of known shape. argv[1]: which; argv[2]: depth. Prints "ready" with the stack built, then waits (or, with argv[3] "spin", works). */
#define _GNU_SOURCE
#include <alloca.h>
#include <dlfcn.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int spin;
volatile unsigned long work;

__attribute__((noinline)) void rest(void) {
  static int said;
  if (!said) {
    said = 1;
    puts("ready");
    fflush(stdout);
  }
  do
    if (spin)
      for (int i = 0; i < 100000; i++) work += i;
    else
      pause();
  while (1);
}

__attribute__((noinline)) int recurse(int depth) {
  volatile char room[40];
  room[0] = (char)depth;
  if (depth == 0) rest();
  return recurse(depth - 1) + room[0];
}

__attribute__((noinline)) int with_alloca(int depth) {
  char *room = alloca(16 * depth + 8);
  memset(room, depth, 16 * depth);
  if (depth == 0) rest();
  return with_alloca(depth - 1) + room[0];
}

/* Overaligned locals make the compiler realign the stack: the frame's address is then found through memory. */
__attribute__((noinline)) int realigned(int depth) {
  volatile char room[64] __attribute__((aligned(64)));
  room[depth & 63] = (char)depth;
  char *more = alloca(depth + 1);
  more[0] = room[0];
  if (depth == 0) rest();
  return realigned(depth - 1) + room[1] + more[0];
}

static int keep_sorting;

__attribute__((noinline)) static int compare(const void *left, const void *right) {
  if (!keep_sorting) rest();
  return *(const int *)left - *(const int *)right;
}

static void on_signal(int number) {
  (void)number;
  rest();
}

static void *on_thread(void *depth) {
  recurse(*(int *)depth);
  return NULL;
}

int main(int argc, char **argv) {
  const char *which = argc > 1 ? argv[1] : "recurse";
  int depth = argc > 2 ? atoi(argv[2]) : 10;
  spin = argc > 3 && !strcmp(argv[3], "spin");
  if (!strcmp(which, "recurse")) recurse(depth);
  if (!strcmp(which, "alloca")) with_alloca(depth);
  if (!strcmp(which, "realigned")) realigned(depth);
  if (!strcmp(which, "qsort")) {
    int numbers[8] = {5, 3, 8, 1, 2, 9, 4, 7};
    qsort(numbers, 8, sizeof(int), compare);
  }
  if (!strcmp(which, "sort")) {
    keep_sorting = 1;
    puts("ready");
    fflush(stdout);
    for (;;) {
      int numbers[4] = {5, 3, 8, 1};
      qsort(numbers, 4, sizeof(int), compare);
      usleep(2000);
    }
  }
  if (!strcmp(which, "signal")) {
    signal(SIGUSR1, on_signal);
    raise(SIGUSR1);
  }
  if (!strcmp(which, "altstack")) {
    stack_t stack = {.ss_sp = malloc(1 << 16), .ss_size = 1 << 16};
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR2, &action, NULL);
    raise(SIGUSR2);
  }
  if (!strcmp(which, "dlopen")) {
    void *library = dlopen(argv[4], RTLD_NOW);
    if (!library) return 2;
    ((void (*)(void (*)(void), int))dlsym(library, "call_back"))(rest, depth);
  }
  if (!strcmp(which, "vfork")) {
    if (vfork() == 0) {
      puts("ready");
      fflush(stdout);
      pause();
      _exit(0);
    }
  }
  if (!strcmp(which, "threads")) {
    pthread_t thread;
    for (int i = 0; i < depth; i++)
      if (pthread_create(&thread, NULL, on_thread, &(int){3})) return 3;
    recurse(5);
  }
  if (!strcmp(which, "mappings")) {
    /* Many executable mappings: anonymous pages with other rights in between. */
    for (int i = 0; i < depth; i++) {
      char *pages = mmap(NULL, 8192, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      mprotect(pages, 4096, PROT_READ);
    }
    recurse(5);
  }
  return 1;
}
