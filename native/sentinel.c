/*
 * Loaded once per isolate, and unloaded by Deno when the isolate ends, a terminated Worker
 * included. The destructor then gives back what the isolate has open: its memory (vring.c), and
 * every file that was opened through this copy, so that the roles of a Worker end with it. A file
 * is opened and noted in one native call, because a Worker can be terminated between any two
 * JavaScript statements. Never called nonblocking.
 *
 * Memory goes first: a thread of the runtime that still writes into a view must find private zeros
 * by the time that another process can take the role.
 */
#include "syscall.h"

#define FILES (1 << 20)

static uint64_t noted[FILES / 64];
static int32_t own_fd = -1;
static void (*retire_memory)(double owner);

/* What the memory of this isolate is noted under. */
EXPORT double sentinel_owner(void)
{
    return (uintptr_t)noted;
}

/* Hands over the memfd that this copy was loaded from; it is closed last. */
EXPORT void sentinel_adopt(int32_t fd)
{
    own_fd = fd;
}

/* Hands over the function of the library that retires the memory of an owner. */
EXPORT void sentinel_connect(double retire)
{
    retire_memory = (void (*)(double))POINTER(retire);
}

static int32_t note(long fd)
{
    if (fd >= FILES) {
        call1(__NR_close, fd);
        return -EMFILE;
    }
    if (fd >= 0) noted[fd / 64] |= 1ull << (fd % 64);
    return fd;
}

EXPORT int32_t sentinel_open(const char *path, uint32_t flags, uint32_t mode)
{
    return note(open_file(path, flags, mode));
}

EXPORT int32_t sentinel_memfd(const char *name, uint32_t flags)
{
    return note(call2(__NR_memfd_create, name, flags));
}

/* Unlocks explicitly: a child between fork and exec still shares the open file description. */
EXPORT int32_t sentinel_close(int32_t fd)
{
    if (fd < 0 || fd >= FILES || !(noted[fd / 64] >> (fd % 64) & 1)) return -EBADF;
    struct flock everything = { .l_type = F_UNLCK };
    call3(__NR_fcntl, fd, F_OFD_SETLK, &everything);
    noted[fd / 64] &= ~(1ull << (fd % 64));
    return call1(__NR_close, fd);
}

__attribute__((destructor)) static void isolate_ended(void)
{
    if (retire_memory) retire_memory(sentinel_owner());
    for (int32_t i = 0; i < FILES / 64; i++)
        for (int32_t bit = 0; noted[i] != 0 && bit < 64; bit++)
            if (noted[i] >> bit & 1) sentinel_close(i * 64 + bit);
    if (own_fd >= 0) call1(__NR_close, own_fd);
}
