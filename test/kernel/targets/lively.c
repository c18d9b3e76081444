/*
 * A program that works, forks, starts threads, loads libraries and executes itself on command. Its work has a known sum. Commands, a line
 * each; it answers each with a line:
 *
 *   work N        N steps, a pause of 1 ms after each 64                  the sum of the work
 *   burst N       N steps without a pause                                 the sum
 *   forks N       N children, one after the other; each takes 10 steps    how many ended well
 *   threads N     N threads at once; each takes 10 steps                  the sum
 *   load N PATH   loads and unloads a library N times, calling it         the sum
 *   keep PATH     loads a library and calls it                            its answer
 *   exec          executes itself                                         ready …
 *   leave         leaves the main thread and lets another go on           the sum
 *
 * gcc -g -O1 -pthread lively.c -o lively -ldl
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

unsigned short lively_mark_semaphore __attribute__((section(".probes"))) = 0;

long rounds;

__attribute__((noinline)) unsigned long step(unsigned long sum, unsigned long i) {
    STAP_PROBE1(lively, mark, i);
    return sum * 6364136223846793005UL + i;
}

__attribute__((noinline)) unsigned long outer(unsigned long sum, unsigned long i) {
    unsigned long next = step(sum, i);
    __asm__ volatile("" : "+r"(next));
    return next;
}

static unsigned long work(unsigned long n, int pauses) {
    unsigned long sum = 1;
    for (unsigned long i = 0; i < n; i++) {
        sum = outer(sum, i);
        if (pauses && i % 64 == 63) nanosleep(&(struct timespec){0, 1000000}, NULL);
    }
    return sum;
}

static void *thread_main(void *sums) {
    __atomic_fetch_add((unsigned long *)sums, work(10, 0), __ATOMIC_RELAXED);
    nanosleep(&(struct timespec){0, 50000000}, NULL);
    return NULL;
}

static unsigned long threads(int n) {
    pthread_t *ids = calloc(n, sizeof *ids);
    unsigned long sum = 0;
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 65536);
    for (int i = 0; i < n; i++)
        if (pthread_create(&ids[i], &small, thread_main, &sum) != 0) return 0;
    for (int i = 0; i < n; i++) pthread_join(ids[i], NULL);
    free(ids);
    return sum;
}

static int forks(int n) {
    int good = 0;
    unsigned long expected = work(10, 0);
    for (int i = 0; i < n; i++) {
        pid_t child = fork();
        if (child == 0) _exit(work(10, 0) == expected ? 0 : 1);
        int status = 1;
        if (waitpid(child, &status, 0) == child && status == 0) good++;
    }
    return good;
}

typedef unsigned long (*plugin)(unsigned long);

static unsigned long load(int n, const char *path) {
    unsigned long sum = 0;
    for (int i = 0; i < n; i++) {
        void *library = dlopen(path, RTLD_NOW);
        if (library == NULL) return 0;
        sum += ((plugin)dlsym(library, "plugin_step"))(i);
        dlclose(library);
    }
    return sum;
}

static unsigned long keep(const char *path) {
    void *library = dlopen(path, RTLD_NOW);
    return library == NULL ? 0 : ((plugin)dlsym(library, "plugin_step"))(1);
}

static void *serve(void *unused) {
    char line[4096], path[4000];
    int n;
    (void)unused;
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (sscanf(line, "work %d", &n) == 1) printf("%lu\n", work(n, 1));
        else if (sscanf(line, "burst %d", &n) == 1) printf("%lu\n", work(n, 0));
        else if (sscanf(line, "forks %d", &n) == 1) printf("%d\n", forks(n));
        else if (sscanf(line, "threads %d", &n) == 1) printf("%lu\n", threads(n));
        else if (sscanf(line, "load %d %3999s", &n, path) == 2) printf("%lu\n", load(n, path));
        else if (sscanf(line, "keep %3999s", path) == 1) printf("%lu\n", keep(path));
        else if (strcmp(line, "exec\n") == 0) execl("/proc/self/exe", "lively", NULL);
        else if (strcmp(line, "leave\n") == 0) {
            pthread_t other;
            pthread_create(&other, NULL, serve, NULL);
            printf("%lu\n", work(10, 0));
            fflush(stdout);
            pthread_exit(NULL);
        }
        fflush(stdout);
    }
    exit(0);
}

int main(void) {
    printf("ready %p %p\n", (void *)step, (void *)&lively_mark_semaphore);
    fflush(stdout);
    serve(NULL);
}
