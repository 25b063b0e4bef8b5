/*
 * Each byte depends on its position in the sequence of all bytes, so a byte from a wrong place is
 * noticed.
 */
#include "checks.h"

#include "text.h"

#define LONGEST 5000

static uint8_t byte_at(uint32_t position)
{
    return position * 0x9e3779b1u >> 24;
}

static void fill(uint8_t *bytes, uint32_t length, uint32_t position)
{
    for (uint32_t i = 0; i < length; i++) bytes[i] = byte_at(position + i);
}

static int is_right(const uint8_t *bytes, uint32_t length, uint32_t position)
{
    for (uint32_t i = 0; i < length; i++)
        if (bytes[i] != byte_at(position + i)) return 0;
    return 1;
}

static void start_at(struct vm_ring *ring, uint32_t position)
{
    ring->head = ring->tail = position;
}

/* Pushes and pops messages of many lengths for several laps; returns whether all were right. */
static int pass(struct vm_ring *ring, uint32_t bytes)
{
    static uint8_t message[LONGEST], found[LONGEST];
    for (uint32_t done = 0, round = 0; done < bytes; round++) {
        uint32_t length = 1 + round * 977 % (LONGEST < ring->capacity ? LONGEST : ring->capacity);
        fill(message, length, ring->head);
        if (vm_ring_push(ring, message, length) != 0) return 0;
        if (!is_right(vm_ring_peek(ring), length, ring->tail)) return 0; /* in one piece */
        if (vm_ring_pop(ring, found, length) != 0) return 0;
        if (!is_right(found, length, ring->tail - length)) return 0;
        done += length;
    }
    return vm_ring_available(ring) == 0;
}

void check_ring(struct vm_ring *ring)
{
    uint8_t *bytes = ring->bytes;
    const uint32_t capacity = ring->capacity;
    volatile uint32_t *first = (volatile uint32_t *)bytes;
    volatile uint32_t *second = (volatile uint32_t *)(bytes + capacity);

    first[5] = 0x12345678;
    check(second[5] == 0x12345678, "a word stored through the first window is read in the second");
    second[-1] = 0xcafe0001;
    check(second[capacity / 4 - 1] == 0xcafe0001, "the word below the seam ends both windows");

    start_at(ring, capacity - 3);
    fill(vm_ring_space(ring), 8, ring->head);
    check(vm_ring_commit(ring, 8) == 0 && is_right(bytes, 5, ring->tail + 3),
          "bytes written past the first window are at its beginning");
    check(is_right(vm_ring_peek(ring), 8, ring->tail), "bytes across the seam are in one piece");
    check(vm_ring_consume(ring, 9) == -1 && vm_ring_consume(ring, 8) == 0,
          "consuming removes what is there, and no more");

    start_at(ring, 77);
    fill(vm_ring_space(ring), capacity, ring->head);
    check(vm_ring_commit(ring, capacity) == 0 && vm_ring_free(ring) == 0,
          "every byte of the capacity can be used");
    check(vm_ring_push(ring, "x", 1) == -1 && vm_ring_commit(ring, 1) == -1,
          "a full ring takes nothing");
    check(is_right(vm_ring_peek(ring), capacity, ring->tail), "all of a full ring is in one piece");
    check(vm_ring_consume(ring, capacity) == 0 && vm_ring_available(ring) == 0,
          "full differs from empty");
    uint8_t nothing;
    check(vm_ring_pop(ring, &nothing, 1) == -1, "an empty ring gives nothing");

    start_at(ring, 0);
    check(pass(ring, 5 * capacity), "messages of many lengths pass for five laps");
    start_at(ring, -100u);
    check(pass(ring, 2 * capacity), "positions pass 2^32");
}
