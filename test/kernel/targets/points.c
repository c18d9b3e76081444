/*
 * A program that does, on command, what the kernel counts: sleeps, page faults, children, threads, signals. Commands, a line each; it answers
 * each with a line:
 *
 *   sleep N       N pauses of 1 ms                                        N
 *   fault N       writes to each of N new pages, and gives them back      address of the first
 *   forks N       N children, one after the other                         their process ids
 *   run N         N children that execute /bin/true                       how many ended well
 *   threads N     N threads, one after the other                          their thread ids
 *   leaders N     N children whose first thread leaves before the other   how many ended well
 *   spin N MS     N threads that compute for MS ms                        nanoseconds of CPU time of each
 *   signal N      N times SIGUSR1 to itself                               N
 *   open PATH N   opens and closes a file N times                         N
 *
 * gcc -g -O1 -pthread points.c -o points
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long now(clockid_t clock) {
    struct timespec at;
    clock_gettime(clock, &at);
    return at.tv_sec * 1000000000L + at.tv_nsec;
}

static void pause_ms(long ms) {
    struct timespec length = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&length, 0);
}

static void fault(long pages) {
    char *memory = mmap(0, pages * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(memory, pages * 4096, MADV_NOHUGEPAGE);
    for (long page = 0; page < pages; page++) ((volatile char *)memory)[page * 4096 + 5] = 1;
    munmap(memory, pages * 4096);
    printf("%ld\n", (long)memory);
}

static void forks(long count) {
    for (long i = 0; i < count; i++) {
        pid_t child = fork();
        if (child == 0) _exit(0);
        waitpid(child, 0, 0);
        printf("%d ", child);
    }
    printf("\n");
}

static void run(long count) {
    long well = 0;
    for (long i = 0; i < count; i++) {
        int status = 1;
        pid_t child = fork();
        if (child == 0) {
            execl("/bin/true", "true", (char *)0);
            _exit(1);
        }
        waitpid(child, &status, 0);
        well += status == 0;
    }
    printf("%ld\n", well);
}

static void *say_id(void *id) {
    *(int *)id = gettid();
    return 0;
}

static void threads(long count) {
    for (long i = 0; i < count; i++) {
        pthread_t thread;
        int id;
        pthread_create(&thread, 0, say_id, &id);
        pthread_join(thread, 0);
        printf("%d ", id);
    }
    printf("\n");
}

static void *leave_last(void *unused) {
    pause_ms(20);
    _exit(7);
    return unused;
}

static void leaders(long count) {
    long well = 0;
    for (long i = 0; i < count; i++) {
        int status = 0;
        pid_t child = fork();
        if (child == 0) {
            pthread_t thread;
            pthread_create(&thread, 0, leave_last, 0);
            pthread_exit(0);
        }
        waitpid(child, &status, 0);
        well += WIFEXITED(status) && WEXITSTATUS(status) == 7;
    }
    printf("%ld\n", well);
}

static long spin_until;

static void *spin(void *used) {
    long begun = now(CLOCK_THREAD_CPUTIME_ID);
    while (now(CLOCK_MONOTONIC) < spin_until) {}
    *(long *)used = now(CLOCK_THREAD_CPUTIME_ID) - begun;
    return 0;
}

static void spin_all(long count, long ms) {
    pthread_t threads[16];
    long used[16];
    spin_until = now(CLOCK_MONOTONIC) + ms * 1000000;
    for (long i = 0; i < count; i++) pthread_create(&threads[i], 0, spin, &used[i]);
    for (long i = 0; i < count; i++) pthread_join(threads[i], 0);
    for (long i = 0; i < count; i++) printf("%ld ", used[i]);
    printf("\n");
}

int main(void) {
    char line[256], path[200];
    long a, b;
    signal(SIGUSR1, SIG_IGN);
    setvbuf(stdout, 0, _IOLBF, 4096);
    printf("ready\n");
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "sleep %ld", &a) == 1) {
            for (long i = 0; i < a; i++) pause_ms(1);
            printf("%ld\n", a);
        } else if (sscanf(line, "fault %ld", &a) == 1) fault(a);
        else if (sscanf(line, "forks %ld", &a) == 1) forks(a);
        else if (sscanf(line, "run %ld", &a) == 1) run(a);
        else if (sscanf(line, "threads %ld", &a) == 1) threads(a);
        else if (sscanf(line, "leaders %ld", &a) == 1) leaders(a);
        else if (sscanf(line, "spin %ld %ld", &a, &b) == 2) spin_all(a, b);
        else if (sscanf(line, "signal %ld", &a) == 1) {
            for (long i = 0; i < a; i++) kill(getpid(), SIGUSR1);
            printf("%ld\n", a);
        } else if (sscanf(line, "open %199s %ld", path, &a) == 2) {
            for (long i = 0; i < a; i++) close(open(path, O_RDONLY));
            printf("%ld\n", a);
        } else printf("?\n");
    }
    return 0;
}
