/*
 * Loaded once per isolate, and unloaded by Deno when the isolate ends, a terminated Worker
 * included: the destructor then closes every lock file that was opened through this copy, so that
 * the roles of a Worker end with it. A lock file is opened and noted in one native call, because a
 * Worker can be terminated between any two JavaScript statements. Never called nonblocking.
 */
#include "syscall.h"

#include <linux/fcntl.h>

#define FILES (1 << 20)

static uint64_t noted[FILES / 64];
static int32_t own_fd = -1;

/* Hands over the memfd that this copy was loaded from; it is closed last. */
EXPORT void sentinel_adopt(int32_t fd)
{
    own_fd = fd;
}

EXPORT int32_t sentinel_open(const char *path, int32_t write)
{
    long fd = call3(__NR_openat, AT_FDCWD, path, O_CLOEXEC | (write ? O_RDWR : O_RDONLY));
    if (fd >= FILES) {
        call1(__NR_close, fd);
        return -EMFILE;
    }
    if (fd >= 0) noted[fd / 64] |= 1ull << (fd % 64);
    return fd;
}

/* Unlocks explicitly: a child between fork and exec still shares the open file description. */
EXPORT int32_t sentinel_close(int32_t fd)
{
    struct flock everything = { .l_type = F_UNLCK };
    call3(__NR_fcntl, fd, F_OFD_SETLK, &everything);
    noted[fd / 64] &= ~(1ull << (fd % 64));
    return call1(__NR_close, fd);
}

__attribute__((destructor)) static void isolate_ended(void)
{
    for (int32_t i = 0; i < FILES / 64; i++)
        for (int32_t bit = 0; noted[i] != 0 && bit < 64; bit++)
            if (noted[i] >> bit & 1) sentinel_close(i * 64 + bit);
    if (own_fd >= 0) call1(__NR_close, own_fd);
}
