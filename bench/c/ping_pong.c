/*
 * Two processes pass a number to and fro through two words on two cache lines: what the machine
 * itself takes, with nothing around it.
 *
 *   ping_pong <pause|tight|futex|think> <cpu> <cpu> <trips> <blocks> <trips of a block>
 *
 * think: futex, with a millisecond asleep before each trip that is timed by itself.
 *
 * Writes doubles to its output: the nanoseconds of each trip, timed one by one, and then of a trip
 * in each block, for which the clock is read only before and after. A cpu of -1 is any.
 */
#define _GNU_SOURCE
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

typedef _Atomic uint32_t word;

struct words {
    _Alignas(128) word ping;
    _Alignas(128) word pong;
};

enum mode { PAUSE, TIGHT, FUTEX };

static inline void relax(void)
{
#if defined(__x86_64__)
    __asm__ volatile("pause");
#else
    __asm__ volatile("yield");
#endif
}

/* Inlined with a constant mode, so no loop tests what it is. */
static inline __attribute__((always_inline)) void await(enum mode mode, word *word, uint32_t value)
{
    uint32_t seen;
    while ((seen = atomic_load(word)) != value) {
        if (mode == PAUSE) relax();
        if (mode == FUTEX) syscall(SYS_futex, word, FUTEX_WAIT, seen, NULL, NULL, 0);
    }
}

static inline __attribute__((always_inline)) void pass(enum mode mode, word *word, uint32_t value)
{
    atomic_store(word, value);
    if (mode == FUTEX) syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

static inline __attribute__((always_inline)) void trip(enum mode mode, struct words *words,
                                                       uint32_t value)
{
    pass(mode, &words->ping, value);
    await(mode, &words->pong, value);
}

struct plan {
    uint32_t trips, blocks, block_trips, think_us;
    double *samples;
};

static uint32_t warm_up(const struct plan *plan)
{
    return plan->trips / 10;
}

static inline __attribute__((always_inline)) void ping(enum mode mode, struct words *words,
                                                       const struct plan *plan)
{
    uint32_t value = 0;
    while (value < warm_up(plan)) trip(mode, words, ++value);

    double *sample = plan->samples;
    double before = now();
    for (uint32_t i = 0; i < plan->trips; i++) {
        if (plan->think_us > 0) {
            usleep(plan->think_us);
            before = now();
        }
        trip(mode, words, ++value);
        double after = now();
        *sample++ = after - before;
        before = after;
    }
    for (uint32_t block = 0; block < plan->blocks; block++) {
        before = now();
        for (uint32_t i = 0; i < plan->block_trips; i++) trip(mode, words, ++value);
        *sample++ = (now() - before) / plan->block_trips;
    }
}

static inline __attribute__((always_inline)) void pong(enum mode mode, struct words *words,
                                                       const struct plan *plan)
{
    uint32_t last = warm_up(plan) + plan->trips + plan->blocks * plan->block_trips;
    for (uint32_t value = 1; value <= last; value++) {
        await(mode, &words->ping, value);
        pass(mode, &words->pong, value);
    }
}

static void settle_on(int cpu)
{
    cpu_set_t set;
    if (cpu < 0) return;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

#define RUN(function, mode, ...) \
    (mode == PAUSE ? function(PAUSE, __VA_ARGS__) \
     : mode == TIGHT ? function(TIGHT, __VA_ARGS__) : function(FUTEX, __VA_ARGS__))

int main(int count, char **arguments)
{
    if (count != 7) return 2;
    enum mode mode = strcmp(arguments[1], "pause") == 0 ? PAUSE
        : strcmp(arguments[1], "tight") == 0 ? TIGHT : FUTEX;
    struct plan plan = { .trips = atoi(arguments[4]), .blocks = atoi(arguments[5]),
                         .block_trips = atoi(arguments[6]),
                         .think_us = strcmp(arguments[1], "think") == 0 ? 1000 : 0 };
    size_t samples = plan.trips + plan.blocks;
    plan.samples = malloc(samples * sizeof(double));
    memset(plan.samples, 0xff, samples * sizeof(double)); /* touched before it is measured */
    struct words *words = mmap(NULL, sizeof *words, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (plan.samples == NULL || words == MAP_FAILED) return 1;

    if (fork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        settle_on(atoi(arguments[3]));
        RUN(pong, mode, words, &plan);
        _exit(0);
    }
    settle_on(atoi(arguments[2]));
    RUN(ping, mode, words, &plan);
    wait(NULL);
    return fwrite(plan.samples, sizeof(double), samples, stdout) == samples ? 0 : 1;
}
