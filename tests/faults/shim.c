/* What a bad disk and a stepped clock are to one process: loaded before the C library (LD_PRELOAD).
 *
 * The file named by FAULTS_KNOBS is mapped: whoever writes there changes what holds, at once. Only files below
 * FAULTS_FOLDER are touched. Clocks that nobody can set (boot, monotonic) stay as they are.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { HEALTHY, FULL, READ_ONLY, SLOW, HANGING, LYING };

struct knobs {
  volatile int64_t disk;        /* one of the above */
  volatile int64_t delay_ms;    /* of each write and flush, where it is slow */
  volatile int64_t clock_ms;    /* how far the wall clock is ahead */
  volatile int64_t met;         /* how many calls were spoilt */
};

static struct knobs healthy;
static struct knobs *knobs = &healthy;
static const char *folder;
static size_t folder_length;

#define REAL(name) ((__typeof__(&name))real(#name))
static void *real(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
  const char *path = getenv("FAULTS_KNOBS");
  folder = getenv("FAULTS_FOLDER");
  folder_length = folder ? strlen(folder) : 0;
  if (!path) return;
  int fd = REAL(open)(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return;
  void *mapped = mmap(NULL, sizeof *knobs, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped != MAP_FAILED) knobs = mapped;
  close(fd);
}

static int is_ours(const char *path) {
  return folder_length && path && strncmp(path, folder, folder_length) == 0;
}

static int is_of_ours(int fd) {
  char link[64], path[4096];
  if (!folder_length) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return is_ours(path);
}

static void pause_ms(int64_t ms) {
  struct timespec left = {ms / 1000, (ms % 1000) * 1000000};
  while (nanosleep(&left, &left) && errno == EINTR) {}
}

/* What becomes of a write: 0 it is done, -1 with errno, 1 it is said to be done. */
static int spoilt(int fd) {
  int64_t disk = knobs->disk;
  if (disk == HEALTHY || !is_of_ours(fd)) return 0;
  knobs->met++;
  switch (disk) {
    case FULL: errno = ENOSPC; return -1;
    case READ_ONLY: errno = EROFS; return -1;
    case SLOW: pause_ms(knobs->delay_ms); return 0;
    case LYING: return 1;
    default: return 0;
  }
}

static int flushed(int fd) {
  int64_t disk = knobs->disk;
  if (disk == HEALTHY || !is_of_ours(fd)) return 0;
  knobs->met++;
  if (disk == SLOW) pause_ms(knobs->delay_ms);
  while (knobs->disk == HANGING) pause_ms(20);
  return disk == LYING;
}

#define WRITES(name, type)                                                     \
  ssize_t name(int fd, const void *bytes, size_t count, type at) {             \
    int found = spoilt(fd);                                                    \
    return found ? (found < 0 ? -1 : (ssize_t)count) : REAL(name)(fd, bytes, count, at); \
  }
WRITES(pwrite, off_t)
WRITES(pwrite64, off64_t)

ssize_t write(int fd, const void *bytes, size_t count) {
  int found = spoilt(fd);
  return found ? (found < 0 ? -1 : (ssize_t)count) : REAL(write)(fd, bytes, count);
}

#define FLUSHES(name)                                 \
  int name(int fd) { return flushed(fd) ? 0 : REAL(name)(fd); }
FLUSHES(fsync)
FLUSHES(fdatasync)

/* A disk that is read-only or full makes no new file, and the former opens none for writing. */
static int refuses(const char *path, int flags) {
  int64_t disk = knobs->disk;
  if ((disk != READ_ONLY && disk != FULL) || !is_ours(path)) return 0;
  if (disk == READ_ONLY && (flags & (O_WRONLY | O_RDWR | O_CREAT))) errno = EROFS;
  else if (disk == FULL && (flags & O_CREAT) && access(path, F_OK) != 0) errno = ENOSPC;
  else return 0;
  knobs->met++;
  return 1;
}

#define OPENS(name)                                                  \
  int name(const char *path, int flags, ...) {                       \
    va_list rest;                                                    \
    va_start(rest, flags);                                           \
    int mode = va_arg(rest, int);                                    \
    va_end(rest);                                                    \
    return refuses(path, flags) ? -1 : REAL(name)(path, flags, mode); \
  }
OPENS(open)
OPENS(open64)

#define OPENS_AT(name)                                                        \
  int name(int at, const char *path, int flags, ...) {                        \
    va_list rest;                                                             \
    va_start(rest, flags);                                                    \
    int mode = va_arg(rest, int);                                             \
    va_end(rest);                                                             \
    return refuses(path, flags) ? -1 : REAL(name)(at, path, flags, mode);     \
  }
OPENS_AT(openat)
OPENS_AT(openat64)

int clock_gettime(clockid_t clock, struct timespec *now) {
  static __typeof__(&clock_gettime) ask;
  if (!ask) ask = REAL(clock_gettime);
  int code = ask(clock, now);
  int64_t ahead_ms = knobs->clock_ms;
  if (code == 0 && ahead_ms && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    int64_t ns = now->tv_nsec + (ahead_ms % 1000) * 1000000;
    now->tv_sec += ahead_ms / 1000 + (ns < 0 ? -1 : ns / 1000000000);
    now->tv_nsec = ns < 0 ? ns + 1000000000 : ns % 1000000000;
  }
  return code;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec found;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &found)) return -1;
  now->tv_sec = found.tv_sec;
  now->tv_usec = found.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *where) {
  struct timespec found;
  clock_gettime(CLOCK_REALTIME, &found);
  if (where) *where = found.tv_sec;
  return found.tv_sec;
}
