/*
 * A program that does what the kernel notices: system calls, threads, children, page faults, work and sleep. It prints
 * `ready`, does all of it once for each line that it reads, then prints `done`. At the end of its input it ends.
 *
 * gcc -g -O1 -pthread -no-pie -Wl,--section-start=.fixed=0x10000000 life.c -o life
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SEEN __attribute__((noinline, noclone))

__thread long in_thread;
volatile long shared;
char *fresh;

SEEN long step(long amount) { in_thread += amount; return in_thread; }
SEEN void finished(void) { __asm__ volatile(""); }

static void *work(void *argument) {
    for (long i = 1; i <= 5; i++) shared += step((long)argument * i);
    return NULL;
}

SEEN void run_threads(void) {
    for (long i = 1; i <= 3; i++) {
        pthread_t thread;
        pthread_create(&thread, NULL, work, (void *)i);
        pthread_join(thread, NULL);
    }
}

SEEN void run_children(void) {
    pid_t child = fork();
    if (child == 0) _exit(3);
    waitpid(child, NULL, 0);
    child = fork();
    if (child == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(127);
    }
    waitpid(child, NULL, 0);
}

SEEN void call_kernel(void) {
    char buffer[8];
    syscall(SYS_getppid);                                      /* no argument */
    syscall(SYS_close, 987);                                   /* one */
    syscall(SYS_kill, 0x7ffffff0, 0);                          /* two */
    syscall(SYS_read, 987, buffer, 7);                         /* three */
    syscall(SYS_pread64, 987, buffer, 6, 5);                   /* four */
    syscall(SYS_pwritev, 987, NULL, 1, 2, 3);                  /* five */
    syscall(SYS_copy_file_range, 987, NULL, 986, NULL, 44, 0); /* six */
    int file = open("/dev/null", O_WRONLY);
    dprintf(file, "nothing");
    close(file);
}

SEEN void touch_pages(void) {
    long page = sysconf(_SC_PAGESIZE);
    fresh = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    madvise(fresh, 4 * page, MADV_NOHUGEPAGE);
    for (int i = 0; i < 4; i++) fresh[i * page] = 1;
    munmap(fresh, 4 * page);
}

SEEN void spin(long ms) {
    struct timespec begin, now;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    do clock_gettime(CLOCK_MONOTONIC, &now);
    while ((now.tv_sec - begin.tv_sec) * 1000 + (now.tv_nsec - begin.tv_nsec) / 1000000 < ms);
}

/* At 0x10000000, as the linker is told. */
SEEN __attribute__((section(".fixed"))) void rest(long ms) {
    struct timespec time = { 0, ms * 1000000 };
    nanosleep(&time, NULL);
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    puts("ready");
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        run_threads();
        run_children();
        call_kernel();
        touch_pages();
        spin(60);
        rest(3);
        finished();
        puts("done");
    }
}
