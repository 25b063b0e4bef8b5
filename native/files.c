/* Files, directories and FIFOs. */

EXPORT int32_t vring_open(const char *path, uint32_t flags, uint32_t mode)
{
    return open_file(path, flags, mode);
}

EXPORT int32_t vring_close(int32_t fd)
{
    return call1(__NR_close, fd);
}

EXPORT int32_t vring_read(int32_t fd, void *buffer, uint32_t length, double offset)
{
    return call4(__NR_pread64, fd, buffer, length, offset);
}

/* Writes one byte to a FIFO; -EAGAIN if it is full. The runtime ignores SIGPIPE. */
EXPORT int32_t vring_post(int32_t fd)
{
    return call3(__NR_write, fd, "", 1);
}

EXPORT int32_t vring_truncate(int32_t fd, double length)
{
    return call2(__NR_ftruncate, fd, length);
}

EXPORT int32_t vring_allocate(int32_t fd, double offset, double length)
{
    return call4(__NR_fallocate, fd, 0, offset, length);
}

/* Allocates memory for a range, without a change of the length of the file. */
EXPORT int32_t vring_fill(int32_t fd, double offset, double length)
{
    return call4(__NR_fallocate, fd, FALLOC_FL_KEEP_SIZE, offset, length);
}

EXPORT int32_t vring_chmod(int32_t fd, uint32_t mode)
{
    return call2(__NR_fchmod, fd, mode);
}

EXPORT int32_t vring_set_group(int32_t fd, uint32_t group)
{
    return call3(__NR_fchown, fd, -1, group);
}

/* Gives an unnamed file its name; returns -EEXIST if the name is taken. */
EXPORT int32_t vring_link(const char *proc_path, const char *path)
{
    return call5(__NR_linkat, AT_FDCWD, proc_path, AT_FDCWD, path, AT_SYMLINK_FOLLOW);
}

EXPORT int32_t vring_unlink(const char *path)
{
    return call3(__NR_unlinkat, AT_FDCWD, path, 0);
}

static int32_t stat_out(long result, const struct stat *stat, double *out)
{
    if (result == 0) {
        out[0] = stat->st_dev;
        out[1] = stat->st_ino;
        out[2] = stat->st_size;
        out[3] = stat->st_mode;
        out[4] = stat->st_uid;
        out[5] = stat->st_nlink;
        out[6] = stat->st_blocks * 512.0;
    }
    return result;
}

EXPORT int32_t vring_stat(int32_t fd, double *out)
{
    struct stat stat;
    return stat_out(call2(__NR_fstat, fd, &stat), &stat, out);
}

EXPORT int32_t vring_stat_path(const char *path, double *out)
{
    struct stat stat;
    long result = call4(__NR_newfstatat, AT_FDCWD, path, &stat, AT_SYMLINK_NOFOLLOW);
    return stat_out(result, &stat, out);
}

EXPORT int32_t vring_space(const char *path, double *out)
{
    struct statfs statfs;
    long result = call2(__NR_statfs, path, &statfs);
    if (result == 0) {
        out[0] = (double)statfs.f_bavail * statfs.f_bsize;
        out[1] = (double)statfs.f_blocks * statfs.f_bsize;
    }
    return result;
}

EXPORT int32_t vring_list(int32_t directory, void *buffer, uint32_t length)
{
    return call3(__NR_getdents64, directory, buffer, length);
}

EXPORT int32_t vring_uid(void)
{
    return call0(__NR_geteuid);
}
