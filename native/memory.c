/*
 * Mapped ranges, from the call that maps one until its addresses are given back.
 *
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
 * The handler of SIGBUS (signals.c) finds the range of an address without a lock. So a recorded range
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
