/*
 * Forks a process that runs JavaScript, to have thousands of processes in the time in which a few
 * would start. The child has one thread: it may run synchronous code, and must never return to its
 * event loop. The engine runs with --single-threaded.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static char text[1 << 20];

/* The engine marks its memory MADV_DONTFORK, which this takes back. */
static void keep_memory(void) {
  int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
  size_t length = 0;
  ssize_t got;
  while (length < sizeof text - 1 && (got = read(fd, text + length, sizeof text - 1 - length)) > 0)
    length += (size_t)got;
  close(fd);
  text[length] = 0;
  for (char *line = text; *line;) {
    char *end;
    uintptr_t from = strtoull(line, &end, 16), to = strtoull(end + 1, NULL, 16);
    if (from >> 47 == 0) madvise((void *)from, to - from, MADV_DOFORK);
    char *next = strchr(line, '\n');
    if (next == NULL) break;
    line = next + 1;
  }
}

/* Returns the child's id to the parent and 0 to the child, which dies with the parent. */
int swarm_fork(void) {
  keep_memory();
  pid_t parent = getpid(), pid = fork();
  if (pid != 0) return pid;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  return 0;
}

int swarm_pid(void) { return getpid(); }

int swarm_kill(int pid, int signal) { return kill(pid, signal); }

void swarm_exit(int code) { _exit(code); }

/* Reaps one child if any has ended: stores its id and status. Returns 1, or 0. */
int swarm_reap(int *out) {
  out[0] = waitpid(-1, &out[1], WNOHANG);
  return out[0] > 0;
}
