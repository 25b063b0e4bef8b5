/*
 * The native part of vring: system calls, and no algorithm.
 *
 * Every function returns a value or -errno. Addresses, sizes, offsets and nanoseconds are doubles
 * (see syscall.h). The library is linked with -z nodelete: a thread of this process may still be
 * asleep inside it when the isolate that loaded it ends.
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

/* ---- files ---- */

EXPORT int32_t vring_open(const char *path, uint32_t flags, uint32_t mode)
{
    return open_file(path, flags, mode);
}

EXPORT int32_t vring_close(int32_t fd)
{
    return call1(__NR_close, fd);
}

EXPORT int32_t vring_read(int32_t fd, void *buffer, uint32_t length, double offset)
{
    return call4(__NR_pread64, fd, buffer, length, offset);
}

/* Writes one byte to a FIFO; -EAGAIN if it is full. The runtime ignores SIGPIPE. */
EXPORT int32_t vring_post(int32_t fd)
{
    return call3(__NR_write, fd, "", 1);
}

EXPORT int32_t vring_truncate(int32_t fd, double length)
{
    return call2(__NR_ftruncate, fd, length);
}

EXPORT int32_t vring_allocate(int32_t fd, double offset, double length)
{
    return call4(__NR_fallocate, fd, 0, offset, length);
}

/* Allocates memory for a range, and leaves the length of the file as it is. */
EXPORT int32_t vring_fill(int32_t fd, double offset, double length)
{
    return call4(__NR_fallocate, fd, FALLOC_FL_KEEP_SIZE, offset, length);
}

EXPORT int32_t vring_chmod(int32_t fd, uint32_t mode)
{
    return call2(__NR_fchmod, fd, mode);
}

EXPORT int32_t vring_set_group(int32_t fd, uint32_t group)
{
    return call3(__NR_fchown, fd, -1, group);
}

/* Gives an unnamed file its name; returns -EEXIST if the name is taken. */
EXPORT int32_t vring_link(const char *proc_path, const char *path)
{
    return call5(__NR_linkat, AT_FDCWD, proc_path, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

EXPORT int32_t vring_unlink(const char *path)
{
    return call3(__NR_unlinkat, AT_FDCWD, path, 0);
}

static int32_t stat_out(long result, const struct stat *stat, double *out)
{
    if (result == 0) {
        out[0] = stat->st_dev;
        out[1] = stat->st_ino;
        out[2] = stat->st_size;
        out[3] = stat->st_mode;
        out[4] = stat->st_uid;
        out[5] = stat->st_nlink;
        out[6] = stat->st_blocks * 512.0;
    }
    return result;
}

EXPORT int32_t vring_stat(int32_t fd, double *out)
{
    struct stat stat;
    return stat_out(call2(__NR_fstat, fd, &stat), &stat, out);
}

EXPORT int32_t vring_stat_path(const char *path, double *out)
{
    struct stat stat;
    long result = call4(__NR_newfstatat, AT_FDCWD, path, &stat, AT_SYMLINK_NOFOLLOW);
    return stat_out(result, &stat, out);
}

EXPORT int32_t vring_space(const char *path, double *out)
{
    struct statfs statfs;
    long result = call2(__NR_statfs, path, &statfs);
    if (result == 0) {
        out[0] = (double)statfs.f_bavail * statfs.f_bsize;
        out[1] = (double)statfs.f_blocks * statfs.f_bsize;
    }
    return result;
}

EXPORT int32_t vring_list(int32_t directory, void *buffer, uint32_t length)
{
    return call3(__NR_getdents64, directory, buffer, length);
}

EXPORT int32_t vring_uid(void)
{
    return call0(__NR_geteuid);
}

/* ---- memory ---- */

/*
 * The call that maps a range records it under its owner, the isolate. A Worker can be terminated
 * between any two JavaScript statements, and its sentinel then retires its ranges.
 *
 * Retiring a range gives its memory back to the system and keeps its addresses: private zeros
 * replace it. Nobody can know whether a range is still in use. Its buffer may have been transferred
 * away. The runtime may be in the middle of a call with a view of it. A thread of this library may
 * be asleep on a word of it. All of them find zeros, and their stores reach nobody.
 *
 * A retired range costs addresses and one of the kernel's mappings, of which a process can have
 * 65,530 by default. The kernel maps downwards, so ranges that are closed one after the other are
 * often neighbours; they merge into one, here and in the kernel. The oldest range is unmapped in
 * three cases: RETIRED of them exist, they take more than an eighth of all addresses, or the kernel
 * has no addresses left for a new one. A use that is older than all those closes is then a SIGSEGV.
 *
 * States of a range: recorded; taken by the call that retires it; retired; unmapped. Calls of several
 * isolates share only the two lists, which `busy` guards. No call is cut short: Deno ends an
 * isolate in JavaScript, never in native code.
 *
 * The handler of SIGBUS (below) finds the range of an address without a lock. So a recorded range
 * stays at its place in the table, its start is stored last, and it leaves only after its memory.
 */
#define RANGES 65536
#define RETIRED 16384

struct range {
    uintptr_t start;
    size_t length;
    double owner;
};

static struct range recorded[RANGES]; /* in a free place the start is 0 */
static int32_t faults[RANGES];         /* by the same places: not 0 once a range is unusable */
static uint32_t recorded_count;
static uint32_t recorded_end;          /* all places from here on are free .. */
static uint32_t recorded_free;         /* .. and none before here is */
static struct range retired[RETIRED]; /* a queue; both positions only grow */
static uint32_t retired_head, retired_tail;
static double retired_bytes;
static int32_t busy;
static int32_t exiting;

static void lock_ranges(void)
{
    while (__atomic_exchange_n(&busy, 1, __ATOMIC_SEQ_CST)) call0(__NR_sched_yield);
}

static void unlock_ranges(void)
{
    __atomic_store_n(&busy, 0, __ATOMIC_SEQ_CST);
}

static int32_t record(struct range range)
{
    lock_ranges();
    uint32_t i = recorded_free;
    while (i < RANGES && recorded[i].start != 0) i++;
    if (i < RANGES) {
        recorded[i].length = range.length;
        recorded[i].owner = range.owner;
        __atomic_store_n(&faults[i], 0, __ATOMIC_SEQ_CST);
        __atomic_store_n(&recorded[i].start, range.start, __ATOMIC_SEQ_CST);
        if (i >= recorded_end) __atomic_store_n(&recorded_end, i + 1, __ATOMIC_SEQ_CST);
        recorded_count++;
        recorded_free = i + 1;
    }
    unlock_ranges();
    return i < RANGES ? 0 : -ENOMEM;
}

#define TAKEN -1.0 /* the owner of a range that a call is about to retire */

/*
 * Takes a range: the one that begins at `start`, or any of an owner. Returns its place, or -EINVAL
 * if none matches. `forget` must follow.
 */
static int32_t take_recorded(uintptr_t start, double owner)
{
    int32_t found = -EINVAL;
    lock_ranges();
    for (uint32_t i = recorded_end; i-- > 0;) { /* the newest range is often closed first */
        if (recorded[i].start == 0 || recorded[i].owner == TAKEN) continue;
        if (start ? recorded[i].start != start : recorded[i].owner != owner) continue;
        recorded[i].owner = TAKEN;
        found = i;
        break;
    }
    unlock_ranges();
    return found;
}

/* Frees the place of a range. */
static void forget(uint32_t place)
{
    lock_ranges();
    __atomic_store_n(&recorded[place].start, 0, __ATOMIC_SEQ_CST);
    recorded_count--;
    if (place < recorded_free) recorded_free = place;
    while (recorded_end > 0 && recorded[recorded_end - 1].start == 0) recorded_end--;
    unlock_ranges();
}

static long map(uintptr_t address, size_t length, int32_t protection, int32_t flags, int32_t fd,
                long offset)
{
    return call6(__NR_mmap, address, length, protection, flags, fd, offset);
}

/* An eighth of the addresses of a process on this machine, judged by an address of this library. */
static double retired_limit(void)
{
    return (double)(1ull << (61 - __builtin_clzll((uintptr_t)retired)));
}

static struct range *retired_at(uint32_t position)
{
    return &retired[position % RETIRED];
}

/*
 * Unmaps the oldest retired range if more ranges or bytes than these are retired; returns 0 if not.
 */
static int32_t unmap_oldest(uint32_t ranges, double bytes)
{
    struct range oldest = { 0 };
    lock_ranges();
    if (retired_head - retired_tail > ranges || retired_bytes > bytes) {
        oldest = *retired_at(retired_tail++);
        retired_bytes -= oldest.length;
    }
    unlock_ranges();
    if (oldest.length > 0) call2(__NR_munmap, oldest.start, oldest.length);
    return oldest.length > 0;
}

/* Merges two neighbours, unless the result would be too large to unmap at once. */
static int32_t join(struct range *into, struct range range)
{
    int32_t below = range.start + range.length == into->start;
    if (!below && into->start + into->length != range.start) return 0;
    if (into->length + range.length > retired_limit() / 64) return 0;
    if (below) into->start = range.start;
    into->length += range.length;
    return 1;
}

/*
 * Appends a range to the queue, merged with its neighbours there; returns 0 if the queue is full.
 */
static int32_t put_retired(struct range range)
{
    uint32_t first = retired_tail;
    if (retired_head == first || !join(retired_at(retired_head - 1), range)) {
        if (retired_head - first == RETIRED) return 0;
        *retired_at(retired_head++) = range;
    }
    retired_bytes += range.length;
    while (retired_head - first > 1 &&
           join(retired_at(retired_head - 2), *retired_at(retired_head - 1)))
        retired_head--;
    return 1;
}

/* Puts private zeros in the place of all memory of a range. */
static long map_zeros(uintptr_t start, size_t length)
{
    int32_t flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    return map(start, length, PROT_READ | PROT_WRITE, flags, -1, 0);
}

static int32_t retire(uint32_t place)
{
    struct range range = recorded[place];
    long result = map_zeros(range.start, range.length);
    forget(place);
    /* If the kernel refuses the zeros, giving the memory back still comes first. */
    if (result < 0) return call2(__NR_munmap, range.start, range.length);
    lock_ranges();
    while (!put_retired(range)) {
        unlock_ranges();
        unmap_oldest(RETIRED - 1, FOREVER);
        lock_ranges();
    }
    unlock_ranges();
    while (unmap_oldest(RETIRED, retired_limit()))
        ;
    return 0;
}

static void catch_faults(void);

/* Maps a new range for an isolate, at a multiple of `alignment` if it has no file. */
EXPORT double vring_map(double owner, double length, double alignment, int32_t protection,
                        int32_t flags, int32_t fd, double offset)
{
    size_t size = length, extra = 0;
    long start;
    for (;;) {
        start = map(0, size + extra, protection, flags, fd, (long)offset);
        if (start == -ENOMEM && length <= retired_bytes && unmap_oldest(0, 0)) continue;
        if (start < 0) return start;
        if (alignment == 0 || extra > 0 || (uintptr_t)start % (size_t)alignment == 0) break;
        call2(__NR_munmap, start, size);
        extra = alignment; /* only now: a gap cut off always would part neighbours */
    }
    size_t before = extra > 0 ? -(uintptr_t)start % extra : 0;
    if (before > 0) call2(__NR_munmap, start, before);
    if (extra > before) call2(__NR_munmap, start + before + size, extra - before);
    start += before;
    int32_t result = record((struct range){ start, size, owner });
    if (result < 0) call2(__NR_munmap, start, size);
    else catch_faults();
    return result < 0 ? result : start;
}

/* Replaces the mapping of a part of a range. */
EXPORT double vring_map_part(double address, double length, int32_t protection, int32_t flags,
                             int32_t fd, double offset)
{
    return map((uintptr_t)POINTER(address), length, protection, flags, fd, (long)offset);
}

/* Unmaps a range that nobody else can be using. */
EXPORT int32_t vring_unmap(double address, double length)
{
    int32_t place = take_recorded((uintptr_t)POINTER(address), 0);
    if (place >= 0) forget(place);
    return call2(__NR_munmap, POINTER(address), (size_t)length);
}

/* Retires a range that others may be using; returns -EINVAL if no recorded range begins there. */
EXPORT int32_t vring_retire(double address)
{
    int32_t place = take_recorded((uintptr_t)POINTER(address), 0);
    return place >= 0 ? retire(place) : place;
}

/* Returns the place in the table of the range that begins here, or -EINVAL. */
EXPORT int32_t vring_place(double address)
{
    int32_t found = -EINVAL;
    lock_ranges();
    for (uint32_t i = recorded_end; found < 0 && i-- > 0;)
        if (recorded[i].start == (uintptr_t)POINTER(address)) found = i;
    unlock_ranges();
    return found;
}

/* Returns the address of one word for each place, which is not 0 once its range is unusable. */
EXPORT double vring_faults(void)
{
    return (uintptr_t)faults;
}

/*
 * Counts the retired bytes, the retired ranges, the limit of retired bytes and the recorded ranges.
 */
EXPORT void vring_ranges(double *out)
{
    lock_ranges();
    out[0] = retired_bytes;
    out[1] = retired_head - retired_tail;
    out[2] = retired_limit();
    out[3] = recorded_count;
    unlock_ranges();
}

/*
 * Retires the ranges of an isolate. A process that exits keeps its memory to the end: its other
 * threads still run and decide by it.
 */
static void isolate_ended(double owner)
{
    while (!__atomic_load_n(&exiting, __ATOMIC_SEQ_CST)) {
        int32_t place = take_recorded(0, owner);
        if (place < 0) return;
        retire(place);
    }
}

/* Returns the function that a sentinel calls at the end of its isolate. */
EXPORT double vring_isolate_ended(void)
{
    return (uintptr_t)isolate_ended;
}

/* ---- a barrier for one side: doorbell.ts, P1 ---- */

/*
 * MEMBARRIER_CMD_GLOBAL_EXPEDITED is a barrier on every processor that runs a process which has
 * registered, and a process that is not running has passed one. So a registered waker needs no fence
 * between its store and its load of a bell: the sleeper has the barrier in its stead.
 *
 * The kernel takes 10 to 20 ms to register a process with several threads, so a thread does it in
 * the background. `is_registered` is set once it is done. Until then, or if the kernel refuses, the
 * waker keeps its fence. A process that forks passes its registration on.
 *
 * On aarch64 no fence can be saved: an ldar waits for the stlr before it.
 */
#if defined(__x86_64__)

#define BARRIER_BUDGET 20000.0 /* nanoseconds */

static int32_t is_registered;

extern int pthread_create(unsigned long *thread, const void *attributes,
                          void *(*start)(void *), void *argument) __attribute__((weak));
extern int pthread_detach(unsigned long thread) __attribute__((weak));

static void *register_process(void *unused)
{
    long result = call3(__NR_membarrier, MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED, 0, 0);
    if (result == 0) __atomic_store_n(&is_registered, 1, __ATOMIC_SEQ_CST);
    return unused;
}

static void begin_registering(void)
{
    unsigned long thread;
    if (!pthread_create || !pthread_detach) return;
    if (pthread_create(&thread, NULL, register_process, NULL) == 0) pthread_detach(thread);
}

/* Whether sleepers order this waker's store and load. No later load moves before this. */
static int32_t is_unfenced(void)
{
    return __atomic_load_n(&is_registered, __ATOMIC_ACQUIRE);
}

static double now(void);

/*
 * Puts a barrier into all wakers: what they stored before it is visible now, and what they load
 * after it shows what this thread stored before. Where the kernel refuses, a moment passes instead.
 * A processor keeps a store from others for less than a microsecond, unless it is stopped.
 */
EXPORT int32_t vring_order_others(void)
{
    long result = call3(__NR_membarrier, MEMBARRIER_CMD_GLOBAL_EXPEDITED, 0, 0);
    if (result == 0) return 0;
    for (double end = now() + BARRIER_BUDGET; now() < end;) __asm__ volatile("pause");
    return result;
}

#else

static void begin_registering(void)
{
}

static int32_t is_unfenced(void)
{
    return 0;
}

/* A barrier in this thread only, which is all that is missing here. */
EXPORT int32_t vring_order_others(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return 0;
}

#endif

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

/* ---- words, sequentially consistent ---- */

#define WORD(address) ((uint64_t *)POINTER(address))
#define VALUE(value) ((uint64_t)(int64_t)(value))

/* Returns the value; no earlier plain read moves behind this. */
EXPORT double vring_load64(double word)
{
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return __atomic_load_n(WORD(word), __ATOMIC_SEQ_CST);
}

/* Stores the value; no later plain access moves before this. */
EXPORT void vring_store64(double word, double value)
{
    __atomic_store_n(WORD(word), VALUE(value), __ATOMIC_SEQ_CST);
#if !defined(__x86_64__) /* x86_64 stores by xchg, which nothing passes */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/*
 * Stores the value after every earlier store and before every later one. Loads may pass it: x86_64
 * keeps the order of stores by itself, and an xchg would wait for all of them.
 */
EXPORT void vring_store32(double word, uint32_t value)
{
#if defined(__x86_64__)
    __atomic_store_n((uint32_t *)POINTER(word), value, __ATOMIC_RELEASE);
#else
    __atomic_store_n((uint32_t *)POINTER(word), value, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/*
 * Stores a word, then loads another. No fence is needed on aarch64. The store is an stlr and the
 * load an ldar, which the processor keeps in this order at any size; plain accesses before the stlr
 * stay before it, and those after the ldar stay after it. So a later plain access never passes the
 * store either.
 */
EXPORT uint32_t vring_store_then_load32(double word, uint32_t value, double other)
{
    __atomic_store_n((uint32_t *)POINTER(word), value, __ATOMIC_SEQ_CST);
    return __atomic_load_n((uint32_t *)POINTER(other), __ATOMIC_SEQ_CST);
}

/*
 * Stores a position, then loads a bell: a publisher's two steps in one call. In a registered
 * process the load may pass the store, and only the compiler is kept from moving it.
 */
#define PUBLISH(type, word, value, bell)                                                     \
    if (is_unfenced()) {                                                                     \
        __atomic_store_n((type *)POINTER(word), value, __ATOMIC_RELEASE);                    \
        __atomic_signal_fence(__ATOMIC_SEQ_CST);                                             \
    } else {                                                                                 \
        __atomic_store_n((type *)POINTER(word), value, __ATOMIC_SEQ_CST);                    \
    }                                                                                        \
    return __atomic_load_n((uint32_t *)POINTER(bell), __ATOMIC_SEQ_CST)

EXPORT uint32_t vring_publish32(double word, uint32_t value, double bell)
{
    PUBLISH(uint32_t, word, value, bell);
}

EXPORT uint32_t vring_publish64(double word, double value, double bell)
{
    PUBLISH(uint64_t, word, VALUE(value), bell);
}

extern void *memcpy(void *target, const void *source, size_t length) __attribute__((weak));

/*
 * Copies from shared memory into an array (a copy in JavaScript needs a view, at 20 ns). Then
 * returns the value of a word, as vring_load64 does, if one is given.
 */
static void copy(uint8_t *target, const uint8_t *source, size_t length)
{
    if (memcpy) memcpy(target, source, length);
    else while (length--) *target++ = *source++;
}

EXPORT double vring_copy_out(uint8_t *target, double source, uint32_t length, double word)
{
    copy(target, POINTER(source), length);
    return word == 0 ? 0 : vring_load64(word);
}

EXPORT double vring_exchange64(double word, double value)
{
    return __atomic_exchange_n(WORD(word), VALUE(value), __ATOMIC_SEQ_CST);
}

EXPORT double vring_add64(double word, double value)
{
    return __atomic_fetch_add(WORD(word), VALUE(value), __ATOMIC_SEQ_CST);
}

EXPORT double vring_or64(double word, double value)
{
    return __atomic_fetch_or(WORD(word), VALUE(value), __ATOMIC_SEQ_CST);
}

EXPORT double vring_and64(double word, double value)
{
    return __atomic_fetch_and(WORD(word), VALUE(value), __ATOMIC_SEQ_CST);
}

EXPORT double vring_compare_exchange64(double word, double expected, double desired)
{
    uint64_t seen = VALUE(expected);
    __atomic_compare_exchange_n(WORD(word), &seen, VALUE(desired), 0, __ATOMIC_SEQ_CST,
                                __ATOMIC_SEQ_CST);
    return seen;
}

/* ---- whole messages of a lane: what record.ts does in several calls, in the same order ---- */

/* Copies a message behind its length, stores the length and publishes the position; see PUBLISH. */
EXPORT uint32_t vring_send(const uint8_t *message, uint32_t length, double record, double word,
                           uint32_t value, double bell)
{
    volatile double *header = POINTER(record); /* each store keeps its place */
    copy((uint8_t *)(header + 1), message, length);
    *header = length;
    PUBLISH(uint32_t, word, value, bell);
}

/* Copies a message out, stores a pair of a position and a count, and publishes the position. */
EXPORT uint32_t vring_receive(uint8_t *target, uint32_t length, double message, double pair,
                              double count, double word, uint32_t value, double bell)
{
    volatile double *counts = POINTER(pair);
    copy(target, POINTER(message), length);
    counts[0] = value;
    counts[1] = count;
    PUBLISH(uint32_t, word, value, bell);
}

/* ---- time ---- */

static struct timespec read_clock(int clock)
{
    struct timespec time;
    if (clock_gettime) clock_gettime(clock, &time);
    else call2(__NR_clock_gettime, clock, &time);
    return time;
}

static double now(void)
{
    struct timespec time = read_clock(CLOCK_MONOTONIC);
    return time.tv_sec * NANOSECONDS + time.tv_nsec;
}

EXPORT double vring_now(void)
{
    return now();
}

/* Returns milliseconds since 1970; nanoseconds would exceed 2^53. */
EXPORT double vring_time(void)
{
    struct timespec time = read_clock(CLOCK_REALTIME);
    return time.tv_sec * 1e3 + time.tv_nsec / 1e6;
}

/* Converts the deadline for the kernel, or returns NULL for none. */
static struct timespec *until(double deadline, struct timespec *time)
{
    if (!(deadline < FOREVER)) return NULL;
    if (deadline < 0) deadline = 0;
    time->tv_sec = (int64_t)(deadline / NANOSECONDS);
    time->tv_nsec = (int64_t)(deadline - time->tv_sec * NANOSECONDS);
    return time;
}

/* Blocks this thread until the deadline or a signal. */
EXPORT int32_t vring_sleep(double deadline)
{
    struct timespec time;
    return call4(__NR_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, until(deadline, &time), NULL);
}

#define EAGER_LOADS 512 /* half a microsecond */
#define LONG_YIELD 500000.0 /* nanoseconds */
#define MOST_FIRM 1023u

/*
 * A spin lets others run that wait for its processor: one of them may be about to change the word.
 * Peers return it within microseconds. A busy program keeps it for its whole slice, while a sleeper
 * would have been put before it. So after such a turn some spins yield to nobody, and twice as many
 * after the next one. Threads share both numbers, which need not be exact.
 */
static uint32_t firm;      /* spins that do not yield */
static uint32_t next_firm; /* of them after the next long turn */

#define HINT(word) __atomic_load_n(&word, __ATOMIC_RELAXED)
#define SET_HINT(word, value) __atomic_store_n(&word, value, __ATOMIC_RELAXED)

static int32_t may_yield(void)
{
    uint32_t left = HINT(firm);
    if (left > 0) SET_HINT(firm, left - 1);
    return left == 0;
}

/* Yields the processor; returns 0 if that took long. */
static int32_t yield_shortly(double time)
{
    call0(__NR_sched_yield);
    if (now() - time < LONG_YIELD) return 1;
    uint32_t spins = 2 * HINT(next_firm) + 1;
    SET_HINT(next_firm, spins < MOST_FIRM ? spins : MOST_FIRM);
    SET_HINT(firm, spins);
    return 0;
}

/*
 * Returns 1 as soon as the word is not `expected`, 0 once `budget` nanoseconds have passed. It does
 * not pause at first: a pause takes 25 to 60 ns, and so long a change can go unseen. It does not
 * yield in the next microseconds, in which most peers answer.
 */
EXPORT int32_t vring_spin(double word, uint32_t expected, double budget)
{
    const uint32_t *address = POINTER(word);
    double end = 0;
    int32_t yields = 0;
    for (int i = 0; i < EAGER_LOADS; i++)
        if (__atomic_load_n(address, __ATOMIC_SEQ_CST) != expected) return 1;
    for (;;) {
        for (int i = 0; i < 64; i++) {
            if (__atomic_load_n(address, __ATOMIC_SEQ_CST) != expected) {
                if (yields) SET_HINT(next_firm, HINT(next_firm) / 2);
                return 1;
            }
#if defined(__x86_64__)
            __asm__ volatile("pause");
#else
            __asm__ volatile("yield");
#endif
        }
        double time = now();
        if (end == 0) {
            end = time + budget;
            yields = may_yield();
        }
        if (time >= end) return 0;
        if (yields) yields = yield_shortly(time);
    }
}

/* ---- futexes: shared between processes, deadlines absolute and monotonic ---- */

static int32_t futex_wait(const void *word, uint32_t expected, double deadline, uint32_t bitset)
{
    struct timespec time;
    return call6(__NR_futex, (long)word, FUTEX_WAIT_BITSET, expected,
                 (long)until(deadline, &time), 0, bitset);
}

EXPORT int32_t vring_futex_wait(double word, uint32_t expected, double deadline, uint32_t bitset)
{
    return futex_wait(POINTER(word), expected, deadline, bitset);
}

EXPORT int32_t vring_futex_wake(double word, int32_t count, uint32_t bitset)
{
    return call6(__NR_futex, (long)POINTER(word), FUTEX_WAKE_BITSET, count, 0, 0, bitset);
}

/*
 * Adds 1 to the word and wakes everyone asleep on it. It is one call, so no kill can come in
 * between.
 */
EXPORT int32_t vring_futex_add_wake(double word)
{
    return call6(__NR_futex, (long)POINTER(word), FUTEX_WAKE_OP, INT32_MAX, 0,
                 (long)POINTER(word), FUTEX_OP(FUTEX_OP_ADD, 1, FUTEX_OP_CMP_EQ, 0));
}

static int32_t futex_waitv(const struct futex_waitv *words, uint32_t count, double deadline)
{
    struct timespec time;
    return call5(__NR_futex_waitv, words, count, 0, until(deadline, &time), CLOCK_MONOTONIC);
}

EXPORT int32_t vring_futex_waitv(double words, uint32_t count, double deadline)
{
    return futex_waitv(POINTER(words), count, deadline);
}

static int32_t count_interrupts(void);

/*
 * Sleeps as futex_waitv does, and checks every word again after each slice. It serves words that
 * nobody wakes. It serves more words than futex_waitv takes, and sleeps on the first 128. It serves
 * kernels without the call, and sleeps on the first word. Returns -EINTR once vring_interrupts()
 * would return something else than `interrupts`: a signal often arrives on another thread.
 */
EXPORT int32_t vring_futex_scan(double vector, uint32_t count, double deadline, double slice,
                                int32_t has_waitv, int32_t interrupts)
{
    const struct futex_waitv *words = POINTER(vector);
    for (;;) {
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t *address = POINTER(words[i].uaddr);
            if (!address) return -ECANCELED; /* the list was retired: its isolate has ended */
            if (__atomic_load_n(address, __ATOMIC_SEQ_CST) != (uint32_t)words[i].val) return i;
        }
        double time = now();
        if (time >= deadline) return -ETIMEDOUT;
        if (count_interrupts() != interrupts) return -EINTR;
        double end = time + slice < deadline ? time + slice : deadline;
        int32_t result = has_waitv
            ? futex_waitv(words, count < VECTOR_LIMIT ? count : VECTOR_LIMIT, end)
            : futex_wait(POINTER(words[0].uaddr), words[0].val, end,
                         FUTEX_BITSET_MATCH_ANY);
        if (result < 0 && result != -ETIMEDOUT && result != -EAGAIN) return result;
    }
}

/* ---- record locks of an open file description ---- */

static int32_t lock(int32_t fd, int32_t command, struct flock *range)
{
    return call3(__NR_fcntl, fd, command, range);
}

/* Sets a lock; kind: 0 read, 1 write, 2 unlock. Never blocks: returns -EAGAIN on a conflict. */
EXPORT int32_t vring_lock(int32_t fd, int32_t kind, double start, double length)
{
    struct flock range = { .l_type = kind, .l_start = start, .l_len = length };
    return lock(fd, F_OFD_SETLK, &range);
}

/* Returns the kind of lock of others that conflicts with `kind`, or 2 for none. */
EXPORT int32_t vring_lock_test(int32_t fd, int32_t kind, double start, double length)
{
    struct flock range = { .l_type = kind, .l_start = start, .l_len = length };
    int32_t result = lock(fd, F_OFD_GETLK, &range);
    return result < 0 ? result : range.l_type;
}

/* Returns where a lock of others within the range begins; -ENOENT if it holds none. */
EXPORT double vring_lock_find(int32_t fd, double start, double length)
{
    struct flock range = { .l_type = F_WRLCK, .l_start = start, .l_len = length };
    int32_t result = lock(fd, F_OFD_GETLK, &range);
    if (result < 0) return result;
    return range.l_type == F_UNLCK ? -ENOENT : (double)range.l_start;
}

/* ---- named semaphores, as far as the C library of this process has them ---- */

#define WEAK __attribute__((weak))
extern void *sem_open(const char *name, int flags, ...) WEAK;
extern int sem_close(void *semaphore) WEAK;
extern int sem_unlink(const char *name) WEAK;
extern int sem_trywait(void *semaphore) WEAK;
extern int sem_post(void *semaphore) WEAK;
extern int *__errno_location(void) WEAK;

static int32_t outcome(int result)
{
    return result < 0 ? -*__errno_location() : result;
}

/*
 * The C library maps the page of a semaphore, and its file can be truncated like any other. So the
 * page is recorded, once for each time that the semaphore is open.
 */
#define SEMAPHORE_PAGE 4096 /* a smaller part than the page of some systems, with the semaphore */

static uintptr_t page_of(void *semaphore)
{
    return (uintptr_t)semaphore & -(uintptr_t)SEMAPHORE_PAGE;
}

static int32_t is_lost(double semaphore)
{
    int32_t place = vring_place(page_of(POINTER(semaphore)));
    return place >= 0 && __atomic_load_n(&faults[place], __ATOMIC_SEQ_CST) != 0;
}

/* Opens the semaphore, or creates it with the value 1. */
EXPORT double vring_semaphore_open(const char *name, uint32_t mode)
{
    if (!sem_open || !__errno_location) return -ENOSYS;
    void *semaphore = sem_open(name, O_CREAT, mode, 1);
    if (!semaphore) return -*__errno_location();
    int32_t result = record((struct range){ page_of(semaphore), SEMAPHORE_PAGE, 0 });
    if (result < 0) {
        sem_close(semaphore);
        return result;
    }
    catch_faults();
    return (uintptr_t)semaphore;
}

EXPORT int32_t vring_semaphore_close(double semaphore)
{
    int32_t place = take_recorded(page_of(POINTER(semaphore)), 0);
    if (place >= 0) forget(place);
    return outcome(sem_close(POINTER(semaphore)));
}

EXPORT int32_t vring_semaphore_unlink(const char *name)
{
    return sem_unlink ? outcome(sem_unlink(name)) : -ENOSYS;
}

/* Acquires one permit; returns -EAGAIN if none is free, -EFAULT if its file was truncated. */
EXPORT int32_t vring_semaphore_try(double semaphore)
{
    int32_t result = outcome(sem_trywait(POINTER(semaphore)));
    return is_lost(semaphore) ? -EFAULT : result;
}

EXPORT int32_t vring_semaphore_post(double semaphore)
{
    int32_t result = outcome(sem_post(POINTER(semaphore)));
    return is_lost(semaphore) ? -EFAULT : result;
}

/* ---- signal handlers above those of others ---- */

/*
 * A handler of this library is put above the one in place, and passes each signal on to it. If it
 * kept only that one, two cases would recurse without end. Another library may put its handler
 * above this one, call this one from it, and be wrapped in its turn; and two copies of this library
 * may wrap each other. So a chain keeps every handler that it was put above, oldest first. When a
 * handler below calls this one again, the signal goes to the next older handler, and ends at the
 * oldest. In the picture F calls the handler that it found, which was this one, and H calls none:
 *
 *   handlers: H F      signal -> this one -> F -> this one -> H
 *
 * I1  A handler is listed once. If it is found in place again, a program put it there anew, and the
 *     handlers listed after it are dropped: they are out of use.
 * I2  No chain of SIGINT lists the handler of a chain. A copy of this library that finds the chain of
 *     another copy in place uses that one (`chain_of`), so copies never wrap each other.
 * I3  A thread is identified by its thread pointer: thread-local storage would need libc. Each
 *     passage of a signal keeps the length that the list had when the signal arrived. (A handler
 *     that leaves by longjmp never ends its passage; later signals of its thread skip handlers.)
 *
 * The action keeps the flags, the mask and the return trampoline of the handler in place. The
 * kernel has a field for the trampoline on both processors.
 */
typedef void handler(int signal, void *info, void *context);

struct kernel_action {
    handler *handler;
    unsigned long flags;
    void (*restorer)(void);
    uint64_t mask;
};

#define CHAIN_HANDLERS 16
#define CHAIN_THREADS 64
#define CHAIN_DEPTH 8 /* copies of the library in one process */

/* Copies of the library share chains: a change of this struct needs another mark in CHAIN_ENTRY. */
struct chain {
    handler *own; /* its entry */
    int32_t signal;
    int32_t changing; /* 1 while a thread changes the list */
    int32_t arrived;  /* signals, modulo 2^32 */
    uint32_t count;
    handler *handlers[CHAIN_HANDLERS]; /* oldest first */
    struct passage {
        uintptr_t thread; /* 0: free */
        uint32_t count, depth;
    } passages[CHAIN_THREADS];
};

/*
 * Defines the entry of a chain, which is the function that the kernel calls: a jump, a mark, the
 * distance to the chain, and then the jump to the handler. It is aligned to its 16 bytes, so that
 * looking for the mark in a foreign function never reads beyond the page of its first byte.
 */
#if defined(__x86_64__)
#define ENTRY_BEGIN "jmp 1f\n .ascii \"vring1\"\n"
#define ENTRY_JUMP "jmp "
#else
#define ENTRY_BEGIN "b 1f\n .ascii \"vrg1\"\n"
#define ENTRY_JUMP "b "
#endif
#define CHAIN_ENTRY(entry, chain, function)                                                 \
    __asm__(".text\n .balign 16\n" #entry ": " ENTRY_BEGIN ".long " #chain " - .\n .long 0\n" \
            "1: " ENTRY_JUMP #function "\n");                                               \
    extern handler entry __attribute__((visibility("hidden")))

struct chain_entry {
    uint64_t mark;
    int32_t distance; /* from here */
};

/*
 * Returns the chain whose entry this handler is, in any copy of this library; NULL if it is none.
 */
static struct chain *chain_of(handler *handler, const struct chain *like)
{
    const struct chain_entry *entry = (void *)handler, *mine = (void *)like->own;
    if ((uintptr_t)entry % 16 != 0 || entry->mark != mine->mark) return NULL;
    return (void *)((char *)&entry->distance + entry->distance);
}

/* Lists a handler that the chain is put above (I1); returns 0 if the list is full. */
static int chain_list(struct chain *chain, handler *handler)
{
    uint32_t at = 0;
    while (at < chain->count && chain->handlers[at] != handler) at++;
    if (at == CHAIN_HANDLERS) return 0;
    __atomic_store_n(&chain->handlers[at], handler, __ATOMIC_SEQ_CST);
    __atomic_store_n(&chain->count, at + 1, __ATOMIC_SEQ_CST);
    return 1;
}

/* Whether a chain passes signals on to this handler, or to a chain that does. */
static int chain_reaches(const struct chain *chain, handler *target, int32_t depth)
{
    for (uint32_t i = 0; i < chain->count; i++) {
        if (chain->handlers[i] == target) return 1;
        const struct chain *next = chain_of(chain->handlers[i], chain);
        if (next && depth > 0 && chain_reaches(next, target, depth - 1)) return 1;
    }
    return 0;
}

/* Returns the chain that makes a wrap of the handler in place needless; NULL if there is none. */
static struct chain *chain_above(struct chain *chain, handler *in_place)
{
    struct chain *other = chain_of(in_place, chain);
    if (!other || other == chain || chain->signal != SIGBUS) return other;
    return chain_reaches(other, chain->own, CHAIN_DEPTH) ? other : NULL; /* I4 */
}

/* Puts the chain above the handler in place, if one is installed; returns the chain in place. */
static struct chain *chain_wrap(struct chain *chain)
{
    struct kernel_action current, replaced;
    struct chain *found = NULL;
    if (__atomic_exchange_n(&chain->changing, 1, __ATOMIC_SEQ_CST)) return chain;
    while (call4(__NR_rt_sigaction, chain->signal, NULL, &current, 8) == 0 &&
           (uintptr_t)current.handler > 1 && !(found = chain_above(chain, current.handler)) &&
           chain_list(chain, current.handler)) {
        struct kernel_action action = current;
        action.handler = chain->own;
        action.flags |= SA_SIGINFO | (chain->signal == SIGBUS ? SA_ONSTACK : 0);
        call4(__NR_rt_sigaction, chain->signal, &action, &replaced, 8);
        if (replaced.handler == current.handler) break;
        call4(__NR_rt_sigaction, chain->signal, &replaced, NULL, 8); /* installed meanwhile */
    }
    __atomic_store_n(&chain->changing, 0, __ATOMIC_SEQ_CST);
    return found ? found : chain;
}

/*
 * Returns the passage of this thread, a new one if the signal has just arrived; NULL if all are
 * taken.
 */
static struct passage *chain_enter(struct chain *chain)
{
    uintptr_t thread = (uintptr_t)__builtin_thread_pointer();
    struct passage *passages = chain->passages;
    for (int i = 0; i < CHAIN_THREADS; i++)
        if (__atomic_load_n(&passages[i].thread, __ATOMIC_SEQ_CST) == thread) return &passages[i];
    for (int i = 0; i < CHAIN_THREADS; i++) {
        uintptr_t none = 0;
        if (!__atomic_compare_exchange_n(&passages[i].thread, &none, thread, 0, __ATOMIC_SEQ_CST,
                                         __ATOMIC_SEQ_CST)) continue;
        passages[i].count = __atomic_load_n(&chain->count, __ATOMIC_SEQ_CST);
        return &passages[i];
    }
    return NULL;
}

/* Counts a signal and passes it on to the handler below; returns 0 if there was never one. */
static int chain_pass(struct chain *chain, int signal, void *info, void *context)
{
    __atomic_fetch_add(&chain->arrived, 1, __ATOMIC_SEQ_CST);
    struct passage *passage = chain_enter(chain);
    if (!passage) return 0;
    uint32_t depth = passage->depth++;
    if (depth < passage->count) {
        handler **next = &chain->handlers[passage->count - 1 - depth];
        __atomic_load_n(next, __ATOMIC_SEQ_CST)(signal, info, context);
    }
    passage->depth = depth;
    int had_any = passage->count > 0;
    if (depth == 0) __atomic_store_n(&passage->thread, 0, __ATOMIC_SEQ_CST);
    return had_any;
}

/* ---- Ctrl-C during a blocking wait ---- */

/*
 * Once a program listens to SIGINT, the signal no longer ends it. Its listener runs on the event
 * loop, which a blocking wait holds up. So a handler that counts is put above the one in place, and
 * a blocking wait gives up when the count changes.
 */
CHAIN_ENTRY(interrupt_entry, interrupt_chain, on_interrupt);

static struct chain interrupt_chain __attribute__((used));

__attribute__((used)) static void on_interrupt(int signal, void *info, void *context)
{
    chain_pass(&interrupt_chain, signal, info, context);
}

static struct chain *in_place = &interrupt_chain; /* of this or another copy of the library */
static int32_t shift; /* keeps the number below when another chain is in place */

/* Returns the number of SIGINTs so far, by the chain that was last found in place. */
static int32_t count_interrupts(void)
{
    struct chain *chain = __atomic_load_n(&in_place, __ATOMIC_SEQ_CST);
    return __atomic_load_n(&shift, __ATOMIC_SEQ_CST) +
        __atomic_load_n(&chain->arrived, __ATOMIC_SEQ_CST);
}

/* Returns a number that changes with every SIGINT, once a call has found a listener. */
EXPORT int32_t vring_interrupts(void)
{
    struct chain *before = __atomic_load_n(&in_place, __ATOMIC_SEQ_CST);
    struct chain *now = chain_wrap(before);
    int32_t arrived = __atomic_load_n(&now->arrived, __ATOMIC_SEQ_CST);
    if (now != before) {
        __atomic_fetch_add(&shift, before->arrived - arrived, __ATOMIC_SEQ_CST);
        __atomic_store_n(&in_place, now, __ATOMIC_SEQ_CST);
    }
    return __atomic_load_n(&shift, __ATOMIC_SEQ_CST) + arrived;
}

/* ---- SIGBUS: memory that a peer took away ---- */

/*
 * A process that may write to a file may also shorten it. A touch of a page beyond the end is then a
 * SIGBUS, which ends a process. So is a touch of a hole when /dev/shm is full, and of a huge page
 * when the system has none left.
 *
 * The handler looks for the address in the table of ranges, without a lock. The thread that faults
 * is using the range, so its place does not change meanwhile. A fault makes the whole range
 * unusable, for good. The handler sets its word in `faults`, and then puts private zeros in the
 * place of all its memory, both windows of a mirror and huge pages included; and the thread goes on
 * with zeros. Zeros in one page alone would be worse: an operation could then store its result in a
 * page that peers still see, or two handles could both acquire one lock.
 *
 *   thread               handler                        src/memory/mapping.ts
 *   touches a page  -->  faults[place] = 1
 *                        zeros for the whole range
 *   reads 0         <--
 *   ...                                                 after its last touch an operation loads the
 *                                                       word, and throws instead of returning
 *
 * I4  Every copy of the library must see a SIGBUS, as each has a table of its own. So one that finds
 *     the chain of another copy in place wraps it, unless that passes signals on to this one.
 * I5  Threads that fault at the same time each put zeros there; none has stored anything that counts.
 * C1  A fault of any other address, of another cause, or of a range where the kernel refuses the
 *     zeros, goes to the handler below. If there was none, the process ends as without this library.
 *
 * The kernel's own accesses never fault: a system call returns EFAULT.
 */
CHAIN_ENTRY(fault_entry, fault_chain, on_fault);

static struct chain fault_chain __attribute__((used));

/* Makes the range of this address unusable; returns 0 if there is none. */
static int32_t lose(uintptr_t address)
{
    uint32_t end = __atomic_load_n(&recorded_end, __ATOMIC_SEQ_CST);
    int32_t found = 0;
    for (uint32_t i = 0; i < end; i++) { /* a semaphore has a place for each time it is open */
        uintptr_t start = __atomic_load_n(&recorded[i].start, __ATOMIC_SEQ_CST);
        size_t length = __atomic_load_n(&recorded[i].length, __ATOMIC_SEQ_CST);
        if (start == 0 || address < start || address - start >= length) continue;
        if (__atomic_load_n(&recorded[i].start, __ATOMIC_SEQ_CST) != start) continue;
        __atomic_store_n(&faults[i], 1, __ATOMIC_SEQ_CST);
        found = map_zeros(start, length) >= 0;
    }
    return found;
}

__attribute__((used)) static void on_fault(int signal, void *info, void *context)
{
    const siginfo_t *cause = info;
    if (cause->si_code == BUS_ADRERR && lose((uintptr_t)cause->si_addr)) return;
    if (chain_pass(&fault_chain, signal, info, context)) return;
    struct kernel_action none = { 0 };
    call4(__NR_rt_sigaction, signal, &none, NULL, 8);
    if (cause->si_code <= 0) call3(__NR_tgkill, call0(__NR_getpid), call0(__NR_gettid), signal);
}

#if defined(__x86_64__)
/* The kernel of x86_64 returns from a handler only by code of the program; aarch64 has the vDSO. */
__asm__(".text\n fault_return: mov $15, %eax\n syscall\n");
extern void fault_return(void) __attribute__((visibility("hidden")));
#define RETURN_FLAG SA_RESTORER
#define RETURN_CODE fault_return
#else
#define RETURN_FLAG 0
#define RETURN_CODE NULL
#endif

/* Puts the handler above the one in place; Deno has one. It is checked at each mapping. */
static void catch_faults(void)
{
    struct kernel_action current;
    chain_wrap(&fault_chain);
    if (call4(__NR_rt_sigaction, SIGBUS, NULL, &current, 8) < 0) return;
    if ((uintptr_t)current.handler > 1) return;
    struct kernel_action action = {
        .handler = fault_entry,
        .flags = SA_SIGINFO | SA_ONSTACK | RETURN_FLAG,
        .restorer = RETURN_CODE,
    };
    call4(__NR_rt_sigaction, SIGBUS, &action, NULL, 8);
}

/* Here and not where they are defined: the file would contain their zeros. */
static void begin_chains(void)
{
    interrupt_chain.own = interrupt_entry;
    interrupt_chain.signal = SIGINT;
    fault_chain.own = fault_entry;
    fault_chain.signal = SIGBUS;
}
