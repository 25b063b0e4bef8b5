/*
 * Processes that hear nothing: each sleeps on a futex of its own, in slices.
 *
 *   sleepers <processes> <ms of a slice> <ms to settle> <parts> <ms of a part>
 *
 * Writes doubles to its output: the nanoseconds of processor time that all of them together took in
 * each part of the time.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void sleep_until(uint32_t *word, double end)
{
    struct timespec time = { .tv_sec = end };
    time.tv_nsec = (end - time.tv_sec) * 1e9;
    syscall(SYS_futex, word, FUTEX_WAIT_BITSET, *word, &time, NULL, FUTEX_BITSET_MATCH_ANY);
}

/* Sleeps until the end in slices; gives the nanoseconds that it has run since it was started. */
static double hear_nothing_until(uint32_t *word, double end, double slice)
{
    double now;
    while ((now = seconds(CLOCK_MONOTONIC)) < end) {
        sleep_until(word, now + slice < end ? now + slice : end);
    }
    return seconds(CLOCK_PROCESS_CPUTIME_ID) * 1e9;
}

int main(int count, char **arguments)
{
    if (count != 6) return 2;
    int processes = atoi(arguments[1]);
    double slice = atoi(arguments[2]) / 1e3, settle = atoi(arguments[3]) / 1e3;
    int parts = atoi(arguments[4]);
    double part = atoi(arguments[5]) / 1e3;
    size_t bytes = (processes + 1) * parts * sizeof(double);
    double *taken = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (taken == MAP_FAILED) return 1;

    for (int i = 1; i <= processes; i++) {
        if (fork() != 0) continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        uint32_t word = 0;
        double end = seconds(CLOCK_MONOTONIC) + settle + slice * i / processes;
        double before = hear_nothing_until(&word, end, slice);
        for (int k = 0; k < parts; k++) {
            double now = hear_nothing_until(&word, end += part, slice);
            taken[i * parts + k] = now - before;
            before = now;
        }
        _exit(0);
    }
    while (wait(NULL) > 0) {}
    for (int i = 1; i <= processes; i++) {
        for (int k = 0; k < parts; k++) taken[k] += taken[i * parts + k];
    }
    return fwrite(taken, sizeof(double), parts, stdout) == (size_t)parts ? 0 : 1;
}
