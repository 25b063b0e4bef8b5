/* The same ring on Unix: a file in memory, mapped twice. */
#define _GNU_SOURCE
#include "checks.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#define CAPACITY (1u << 20) /* as on the Pi */

void put_char(char character)
{
    putchar(character);
}

/* Maps a file twice, in a range that is reserved first; returns 0 or -errno. */
static int map_twice(struct vm_ring *ring, int fd, size_t capacity)
{
    const int access = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_FIXED;
    uint8_t *base = mmap(NULL, 2 * capacity, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (base == MAP_FAILED) return -errno;
    if (mmap(base, capacity, access, flags, fd, 0) == MAP_FAILED ||
        mmap(base + capacity, capacity, access, flags, fd, 0) == MAP_FAILED) {
        int reason = errno; /* munmap may change it */
        munmap(base, 2 * capacity);
        return -reason;
    }
    *ring = (struct vm_ring){ .bytes = base, .capacity = capacity };
    return 0;
}

/* Makes a ring; returns 0 or -errno. */
static int make_ring(struct vm_ring *ring, size_t capacity)
{
    int fd = memfd_create("vm_ring", MFD_CLOEXEC);
    if (fd < 0) return -errno;
    int result = ftruncate(fd, capacity) == 0 ? map_twice(ring, fd, capacity) : -errno;
    close(fd); /* the mappings keep the memory */
    return result;
}

int main(void)
{
    struct vm_ring ring;
    int result = make_ring(&ring, CAPACITY);
    if (result < 0) {
        print("NOT OK: the ring could not be made: error %u\n", (unsigned)-result);
        return 1;
    }
    print("A ring of %u bytes on Unix, mapped twice\n", CAPACITY);
    check_ring(&ring);
    return report();
}
