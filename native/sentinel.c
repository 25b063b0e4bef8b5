/*
 * The sentinel: loaded once per isolate, and unloaded by Deno when the isolate ends, even in a
 * terminated Worker. Its destructor gives back the memory of the isolate (memory.c) and closes every
 * file opened through this copy. So the roles of a Worker end with it. One native call opens a file
 * and records it, because a Worker can be terminated between any two JavaScript statements. No
 * function is called nonblocking.
 *
 * Memory goes first: a thread of the runtime that still writes into a view must find private zeros
 * before another process can acquire the role.
 */
#include "syscall.h"

#define FILES (1 << 20)
#define FIFO_KIND 13 /* where "wake" is, from the end of the path of a FIFO */

static uint64_t recorded[FILES / 64];
static int32_t own_fd = -1;
static char fifo[64]; /* the path of this isolate's FIFO, which ends in "wake." and 8 digits */
static void (*retire_memory)(double owner);

/* Returns the owner under which the memory of this isolate is recorded. */
EXPORT double sentinel_owner(void)
{
    return (uintptr_t)recorded;
}

/* Adopts the memfd that this copy was loaded from; it is closed last. */
EXPORT void sentinel_adopt(int32_t fd)
{
    own_fd = fd;
}

/* Sets the library's function that retires the memory of an owner. */
EXPORT void sentinel_connect(double retire)
{
    retire_memory = (void (*)(double))POINTER(retire);
}

static int32_t record(long fd)
{
    if (fd >= FILES) {
        call1(__NR_close, fd);
        return -EMFILE;
    }
    if (fd >= 0) recorded[fd / 64] |= 1ull << (fd % 64);
    return fd;
}

EXPORT int32_t sentinel_open(const char *path, uint32_t flags, uint32_t mode)
{
    return record(open_file(path, flags, mode));
}

EXPORT int32_t sentinel_memfd(const char *name, uint32_t flags)
{
    return record(call2(__NR_memfd_create, name, flags));
}

/* Unlocks explicitly: a child between fork and exec still shares the open file description. */
EXPORT int32_t sentinel_close(int32_t fd)
{
    if (fd < 0 || fd >= FILES || !(recorded[fd / 64] >> (fd % 64) & 1)) return -EBADF;
    struct flock everything = { .l_type = F_UNLCK };
    call3(__NR_fcntl, fd, F_OFD_SETLK, &everything);
    recorded[fd / 64] &= ~(1ull << (fd % 64));
    return call1(__NR_close, fd);
}

/*
 * Makes the FIFO of this isolate and opens it for reading and writing. Its name goes when the
 * isolate ends, after that of the file "hall." with the same digits (src/wait/hall.ts).
 */
EXPORT int32_t sentinel_fifo(const char *path)
{
    uint32_t length = 0;
    while (path[length] != 0) length++;
    if (length < FIFO_KIND || length >= sizeof fifo) return -EINVAL;
    int32_t result = call4(__NR_mknodat, AT_FDCWD, path, 0010600, 0);
    if (result < 0) return result;
    for (uint32_t i = 0; i <= length; i++) ((volatile char *)fifo)[i] = path[i];
    return record(open_file(path, OPEN_WRITE, 0));
}

static void remove_names(void)
{
    uint32_t length = 0;
    char hall[sizeof fifo];
    for (; fifo[length] != 0; length++) ((volatile char *)hall)[length] = fifo[length];
    if (length == 0) return;
    hall[length] = 0;
    for (uint32_t i = 0; i < 4; i++) ((volatile char *)hall)[length - FIFO_KIND + i] = "hall"[i];
    call3(__NR_unlinkat, AT_FDCWD, hall, 0);
    call3(__NR_unlinkat, AT_FDCWD, fifo, 0);
}

__attribute__((destructor)) static void isolate_ended(void)
{
    remove_names();
    if (retire_memory) retire_memory(sentinel_owner());
    for (int32_t i = 0; i < FILES / 64; i++)
        for (int32_t bit = 0; recorded[i] != 0 && bit < 64; bit++)
            if (recorded[i] >> bit & 1) sentinel_close(i * 64 + bit);
    if (own_fd >= 0) call1(__NR_close, own_fd);
}
