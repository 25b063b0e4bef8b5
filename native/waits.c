/* The calls of a wait: the clock, the spin and the futexes. */

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
