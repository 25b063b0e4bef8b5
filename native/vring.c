/*
 * The native part of vring: system calls, and no algorithm.
 *
 * Every function returns a value or -errno. Addresses, sizes, offsets and nanoseconds are doubles
 * (see syscall.h). The library is linked with -z nodelete: a thread of this process may still be
 * asleep inside it when the isolate that loaded it ends.
 *
 *   files.c     files, directories, FIFOs
 *   memory.c    mapped ranges, until their addresses are given back
 *   barrier.c   the barrier that a sleeper has in the stead of its wakers
 *   words.c     words, copies, whole messages of a lane in one call
 *   waits.c     the clock, the spin, the futexes
 *   locks.c     record locks, named semaphores
 *   signals.c   handlers above those of others: SIGINT and SIGBUS
 */
#include "syscall.h"

#include <asm/siginfo.h>
#include <asm/signal.h>
#include <asm/stat.h>
#include <asm/statfs.h>
#include <linux/falloc.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/mman.h>
#include <linux/time.h>

#define NANOSECONDS 1000000000.0
#define FOREVER 9.0e18 /* a deadline at or beyond this means none */
#define VECTOR_LIMIT 128 /* of futex_waitv */

/*
 * libc's clock reads the vDSO (25 ns); without libc, the system call (100 ns and more) replaces it.
 */
extern int clock_gettime(int clock, struct timespec *time) __attribute__((weak));

/* One unit: the parts share static state, and the compiler inlines across them. */
#include "files.c"
#include "memory.c"
#include "barrier.c"

extern int __cxa_atexit(void (*call)(void *), void *argument, void *library) __attribute__((weak));

static void process_exits(void *unused)
{
    (void)unused;
    __atomic_store_n(&exiting, 1, __ATOMIC_SEQ_CST);
}

static void begin_chains(void);

/* The C library calls process_exits before it finalises any library, sentinels included. */
__attribute__((constructor)) static void loaded(void)
{
    if (__cxa_atexit) __cxa_atexit(process_exits, NULL, NULL);
    begin_chains();
    begin_registering();
}

#include "words.c"
#include "waits.c"
#include "locks.c"
#include "signals.c"
