/*
 * A ring of bytes whose memory is mapped twice in a row. These operations know nothing of how that
 * was done, so the Pi and Unix share them, compiled from one file.
 *
 *   bytes          bytes + capacity     bytes + 2 * capacity
 *   |....window....|....window....|     the same memory, twice
 */
#ifndef VM_RING_H
#define VM_RING_H

#include <stddef.h>
#include <stdint.h>

struct vm_ring {
    uint8_t *bytes;    /* the first window */
    uint32_t capacity; /* a power of two */
    uint32_t head;     /* counts all bytes ever written, modulo 2^32 */
    uint32_t tail;     /* counts all bytes ever read, modulo 2^32 */
};

/* Returns the number of readable bytes. */
uint32_t vm_ring_available(const struct vm_ring *ring);

/* Returns the number of free bytes. */
uint32_t vm_ring_free(const struct vm_ring *ring);

/* Returns the free space to write into, in one piece. */
void *vm_ring_space(const struct vm_ring *ring);

/* Makes bytes in that space readable; returns 0, or -1 if fewer bytes are free. */
int vm_ring_commit(struct vm_ring *ring, uint32_t length);

/* Returns the readable bytes, in one piece. */
const void *vm_ring_peek(const struct vm_ring *ring);

/* Removes readable bytes; returns 0, or -1 if fewer bytes are readable. */
int vm_ring_consume(struct vm_ring *ring, uint32_t length);

/* Copies all of the bytes in, and returns 0; or copies none and returns -1 if they do not fit. */
int vm_ring_push(struct vm_ring *ring, const void *source, uint32_t length);

/* Copies exactly so many bytes out, and returns 0; or none and returns -1 if there are fewer. */
int vm_ring_pop(struct vm_ring *ring, void *target, uint32_t length);

#endif
