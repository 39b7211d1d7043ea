/* Loaded before the C library. From `fault_begin` on it counts the calls that concern files below one folder, and at a
 * given one sends the process a signal, or lets the call fail (and with `and_on` all calls after it). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_long passed;
static long at = -1;
static int error, number, on, kinds;
static const char *under;
static size_t length;

__attribute__((constructor)) static void set_up(void) { unsetenv("LD_PRELOAD"); }

enum { WRITES = 1, CHANGES = 2, READS = 4 }; /* needs space; does not; brings bytes */

/* `when` 0 counts only. */
void fault_begin(const char *where, long when, int sig, int err, int and_on, int which) {
    under = strdup(where); length = strlen(where); number = sig; error = err; on = and_on; kinds = which;
    atomic_store(&passed, 0); at = when;
}

long fault_count(void) { return atomic_load(&passed); }

static int strikes(const char *path, int kind) {
    if (at < 0 || !(kinds & kind) || strncmp(path, under, length)) return 0;
    long mine = atomic_fetch_add(&passed, 1) + 1;
    if (at == 0 || mine < at || (mine > at && !on)) return 0;
    if (number) { kill(getpid(), number); return 0; }
    errno = error;
    return 1;
}

static int strikes_fd(int fd, int kind) {
    if (at < 0 || !(kinds & kind)) return 0;
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return strikes(path, kind);
}

static int strikes_at(int dir, const char *path, int kind) {
    if (at < 0) return 0;
    char full[2 * PATH_MAX], link[64];
    if (path[0] == '/') return strikes(path, kind);
    ssize_t size;
    if (dir == AT_FDCWD) { if (!getcwd(full, PATH_MAX)) return 0; size = strlen(full); }
    else { snprintf(link, sizeof link, "/proc/self/fd/%d", dir); size = readlink(link, full, PATH_MAX); if (size < 0) return 0; }
    snprintf(full + size, sizeof full - size, "/%s", path);
    return strikes(full, kind);
}

#define REAL(name) static __typeof__(name) *real; if (!real) real = (__typeof__(real))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void *data, size_t size) { REAL(write); return strikes_fd(fd, WRITES) ? -1 : real(fd, data, size); }
ssize_t read(int fd, void *data, size_t size) { REAL(read); return strikes_fd(fd, READS) ? -1 : real(fd, data, size); }
ssize_t pread(int fd, void *data, size_t size, off_t where) { REAL(pread); return strikes_fd(fd, READS) ? -1 : real(fd, data, size, where); }
ssize_t pread64(int fd, void *data, size_t size, off64_t where) { REAL(pread64); return strikes_fd(fd, READS) ? -1 : real(fd, data, size, where); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t where) { REAL(pwrite); return strikes_fd(fd, WRITES) ? -1 : real(fd, data, size, where); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t where) { REAL(pwrite64); return strikes_fd(fd, WRITES) ? -1 : real(fd, data, size, where); }
ssize_t writev(int fd, const struct iovec *data, int count) { REAL(writev); return strikes_fd(fd, WRITES) ? -1 : real(fd, data, count); }
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned flags) { REAL(copy_file_range); return strikes_fd(out, WRITES) ? -1 : real(in, from, out, to, size, flags); }
ssize_t sendfile(int out, int in, off_t *from, size_t size) { ssize_t (*real)(int, int, off_t *, size_t) = dlsym(RTLD_NEXT, "sendfile"); return strikes_fd(out, WRITES) ? -1 : real(out, in, from, size); }
ssize_t sendfile64(int out, int in, off64_t *from, size_t size) { ssize_t (*real)(int, int, off64_t *, size_t) = dlsym(RTLD_NEXT, "sendfile64"); return strikes_fd(out, WRITES) ? -1 : real(out, in, from, size); }
int ftruncate(int fd, off_t size) { REAL(ftruncate); return strikes_fd(fd, WRITES) ? -1 : real(fd, size); }
int ftruncate64(int fd, off64_t size) { REAL(ftruncate64); return strikes_fd(fd, WRITES) ? -1 : real(fd, size); }
int fsync(int fd) { REAL(fsync); return strikes_fd(fd, WRITES) ? -1 : real(fd); }
int fdatasync(int fd) { REAL(fdatasync); return strikes_fd(fd, WRITES) ? -1 : real(fd); }
int mkdir(const char *path, mode_t mode) { REAL(mkdir); return strikes_at(AT_FDCWD, path, WRITES) ? -1 : real(path, mode); }
int symlink(const char *goal, const char *path) { REAL(symlink); return strikes_at(AT_FDCWD, path, WRITES) ? -1 : real(goal, path); }
int rename(const char *old, const char *new) { REAL(rename); return strikes_at(AT_FDCWD, new, WRITES) ? -1 : real(old, new); }
int renameat(int from, const char *old, int to, const char *new) { REAL(renameat); return strikes_at(to, new, WRITES) ? -1 : real(from, old, to, new); }
int unlink(const char *path) { REAL(unlink); return strikes_at(AT_FDCWD, path, CHANGES) ? -1 : real(path); }
int unlinkat(int dir, const char *path, int flags) { REAL(unlinkat); return strikes_at(dir, path, CHANGES) ? -1 : real(dir, path, flags); }
int rmdir(const char *path) { REAL(rmdir); return strikes_at(AT_FDCWD, path, CHANGES) ? -1 : real(path); }
int chmod(const char *path, mode_t mode) { REAL(chmod); return strikes_at(AT_FDCWD, path, CHANGES) ? -1 : real(path, mode); }
int utimensat(int dir, const char *path, const struct timespec times[2], int flags) { REAL(utimensat); return strikes_at(dir, path, CHANGES) ? -1 : real(dir, path, times, flags); }

static int creates(int flags) { return (flags & (O_CREAT | O_TRUNC)) != 0; }
int open(const char *path, int flags, ...) {
    REAL(open); va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more);
    return creates(flags) && strikes_at(AT_FDCWD, path, WRITES) ? -1 : real(path, flags, mode);
}
int open64(const char *path, int flags, ...) {
    REAL(open64); va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more);
    return creates(flags) && strikes_at(AT_FDCWD, path, WRITES) ? -1 : real(path, flags, mode);
}
int openat(int dir, const char *path, int flags, ...) {
    REAL(openat); va_list more; va_start(more, flags); mode_t mode = va_arg(more, mode_t); va_end(more);
    return creates(flags) && strikes_at(dir, path, WRITES) ? -1 : real(dir, path, flags, mode);
}
