/*
 * The operations of the ring: positions count up, and are masked where memory is touched. Full
 * (head - tail = capacity) differs from empty (head = tail), so every byte can be used.
 */
#include "vm_ring.h"

#include <string.h>

static uint8_t *at(const struct vm_ring *ring, uint32_t position)
{
    return ring->bytes + (position & (ring->capacity - 1));
}

uint32_t vm_ring_available(const struct vm_ring *ring)
{
    return ring->head - ring->tail;
}

uint32_t vm_ring_free(const struct vm_ring *ring)
{
    return ring->capacity - vm_ring_available(ring);
}

void *vm_ring_space(const struct vm_ring *ring)
{
    return at(ring, ring->head);
}

int vm_ring_commit(struct vm_ring *ring, uint32_t length)
{
    if (length > vm_ring_free(ring)) return -1;
    ring->head += length;
    return 0;
}

const void *vm_ring_peek(const struct vm_ring *ring)
{
    return at(ring, ring->tail);
}

int vm_ring_consume(struct vm_ring *ring, uint32_t length)
{
    if (length > vm_ring_available(ring)) return -1;
    ring->tail += length;
    return 0;
}

int vm_ring_push(struct vm_ring *ring, const void *source, uint32_t length)
{
    if (length > vm_ring_free(ring)) return -1;
    memcpy(vm_ring_space(ring), source, length); /* may run past the first window */
    return vm_ring_commit(ring, length);
}

int vm_ring_pop(struct vm_ring *ring, void *target, uint32_t length)
{
    if (length > vm_ring_available(ring)) return -1;
    memcpy(target, vm_ring_peek(ring), length);
    return vm_ring_consume(ring, length);
}
