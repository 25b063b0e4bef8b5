/*
 * Two processes and two rings of the kind that everybody writes first, as well as it can be
 * written: one sender, one receiver, positions on lines of their own that only grow and are masked
 * at a power of two, the other side's position kept until it is used up, and a copy in two parts
 * where a message wraps. Nothing is overwritten: a full ring makes its sender wait.
 *
 *   masked_ring <trip|stream|alone> <pause|tight> <cpu> <cpu> <bytes> <capacity> <trips> <blocks>
 *               <messages of a block>
 *
 * trip: a message of that many bytes to and fro. stream: the messages of a block one after the
 * other, which the receiver copies out, and one back at the end of the block. alone: one thread
 * sends a message and receives it.
 *
 * Writes doubles to its output: the nanoseconds of each trip, timed one by one, and then of a
 * message in each block, for which the clock is read only before and after. A cpu of -1 is any.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct ring {
    _Alignas(128) _Atomic uint64_t head; /* the sender: the end of what was sent */
    _Alignas(128) _Atomic uint64_t tail; /* the receiver: the end of what was received */
    _Alignas(128) uint8_t data[];
};

/* One end of a ring: its own position, and the last seen position of the other. */
struct end {
    struct ring *ring;
    uint64_t capacity, own, other;
};

static int pausing;

static inline void relax(void)
{
    if (!pausing) return;
#if defined(__x86_64__)
    __asm__ volatile("pause");
#else
    __asm__ volatile("yield");
#endif
}

static void copy_in(struct end *end, uint64_t position, const void *source, uint64_t length)
{
    uint64_t at = position & (end->capacity - 1), first = end->capacity - at;
    if (first > length) first = length;
    memcpy(end->ring->data + at, source, first);
    memcpy(end->ring->data, (const uint8_t *)source + first, length - first);
}

static void copy_out(struct end *end, uint64_t position, void *target, uint64_t length)
{
    uint64_t at = position & (end->capacity - 1), first = end->capacity - at;
    if (first > length) first = length;
    memcpy(target, end->ring->data + at, first);
    memcpy((uint8_t *)target + first, end->ring->data, length - first);
}

/* What a message takes: its length before it, and room up to a multiple of 8. */
static uint64_t record(uint64_t length)
{
    return sizeof(uint64_t) + ((length + 7) & ~7ull);
}

static void send(struct end *end, const void *message, uint64_t length)
{
    uint64_t next = end->own + record(length);
    while (next - end->other > end->capacity) {
        end->other = atomic_load_explicit(&end->ring->tail, memory_order_acquire);
        if (next - end->other > end->capacity) relax();
    }
    copy_in(end, end->own, &length, sizeof length);
    copy_in(end, end->own + sizeof length, message, length);
    end->own = next;
    atomic_store_explicit(&end->ring->head, next, memory_order_release);
}

static void receive(struct end *end, void *message, uint64_t room)
{
    while (end->own == end->other) {
        end->other = atomic_load_explicit(&end->ring->head, memory_order_acquire);
        if (end->own == end->other) relax();
    }
    uint64_t length;
    copy_out(end, end->own, &length, sizeof length);
    if (length > room) abort();
    copy_out(end, end->own + sizeof length, message, length);
    end->own += record(length);
    atomic_store_explicit(&end->ring->tail, end->own, memory_order_release);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e9 + time.tv_nsec;
}

/* One side: a ring to send to, one to receive from, and a message that begins with its number. */
struct side {
    struct end to, from;
    uint64_t *out, *in, bytes;
};

static void trip(struct side *side)
{
    ++*side->out;
    send(&side->to, side->out, side->bytes);
    receive(&side->from, side->in, side->bytes);
    if (*side->in != *side->out) abort();
}

static void answer(struct side *side)
{
    receive(&side->from, side->in, side->bytes);
    *side->out = *side->in;
    send(&side->to, side->out, side->bytes);
}

static void stream(struct side *side, uint32_t messages)
{
    for (uint32_t i = 0; i < messages; i++) {
        ++*side->out;
        send(&side->to, side->out, side->bytes);
    }
    receive(&side->from, side->in, side->bytes);
    if (*side->in != *side->out) abort();
}

static void drain(struct side *side, uint32_t messages)
{
    for (uint32_t i = 0; i < messages; i++) {
        receive(&side->from, side->in, side->bytes);
        if (*side->in != ++*side->out) abort();
    }
    send(&side->to, side->out, sizeof(uint64_t));
}

static void send_and_receive(struct side *side, uint32_t messages)
{
    for (uint32_t i = 0; i < messages; i++) {
        ++*side->out;
        send(&side->to, side->out, side->bytes);
        receive(&side->from, side->in, side->bytes);
    }
}

static struct ring *make_ring(uint64_t capacity)
{
    struct ring *ring = mmap(NULL, sizeof *ring + capacity, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (ring == MAP_FAILED) exit(1);
    return ring;
}

static void *make_message(uint64_t bytes)
{
    void *message = aligned_alloc(64, (bytes + 127) & ~63ull);
    if (message == NULL) exit(1);
    return memset(message, 0, bytes + 8);
}

static void settle_on(int cpu)
{
    cpu_set_t set;
    if (cpu < 0) return;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    sched_setaffinity(0, sizeof set, &set);
}

int main(int count, char **arguments)
{
    if (count != 10) return 2;
    int streaming = strcmp(arguments[1], "stream") == 0;
    pausing = strcmp(arguments[2], "pause") == 0;
    uint64_t bytes = atoll(arguments[5]), capacity = atoll(arguments[6]);
    uint32_t trips = atoi(arguments[7]), blocks = atoi(arguments[8]);
    uint32_t block_messages = atoi(arguments[9]);
    if (bytes < 8 || record(bytes) > capacity || (capacity & (capacity - 1)) != 0) return 2;

    uint32_t samples = trips + blocks, warm_up = trips / 10;
    double *sample = malloc(samples * sizeof(double)), *first = sample;
    if (sample == NULL) return 1;
    memset(sample, 0xff, samples * sizeof(double)); /* touched before it is measured */
    struct ring *there = make_ring(capacity);
    uint64_t back_capacity = streaming ? 4096 : capacity;
    struct ring *back = make_ring(back_capacity);

    int alone = strcmp(arguments[1], "alone") == 0, child = !alone && fork() == 0;
    struct end to_there = { there, capacity, 0, 0 }, to_back = { back, back_capacity, 0, 0 };
    struct side side = { child ? to_back : to_there, child || alone ? to_there : to_back,
                         make_message(bytes), make_message(bytes), bytes };
    settle_on(atoi(arguments[child ? 4 : 3]));
    if (child) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (streaming) {
            for (uint32_t i = 0; i <= blocks; i++) drain(&side, block_messages);
        } else {
            for (uint32_t i = 0; i < warm_up + trips + blocks * block_messages; i++) answer(&side);
        }
        _exit(0);
    }

    for (uint32_t i = 0; i < warm_up; i++) trip(&side);
    if (alone) send_and_receive(&side, block_messages);
    if (streaming) stream(&side, block_messages);
    double before = now();
    for (uint32_t i = 0; i < trips; i++) {
        trip(&side);
        double after = now();
        *sample++ = after - before;
        before = after;
    }
    for (uint32_t block = 0; block < blocks; block++) {
        before = now();
        if (alone) send_and_receive(&side, block_messages);
        else if (streaming) stream(&side, block_messages);
        else for (uint32_t i = 0; i < block_messages; i++) trip(&side);
        *sample++ = (now() - before) / block_messages;
    }
    wait(NULL);
    return fwrite(first, sizeof(double), samples, stdout) == samples ? 0 : 1;
}
