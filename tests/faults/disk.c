/* A disk that tests can see through: preloaded, it keeps what was really synced, and can be slow about it.
 *
 * DISK_KEEP: a folder into which every file under DISK_OF is copied, whole, each time that it is synced. What is there
 *            is what a power cut leaves at the worst.
 * DISK_SLOW_MS: how long every sync takes at the least.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void copy_whole(const char *from, const char *to) {
    char draft[4200], block[65536];
    ssize_t size;
    snprintf(draft, sizeof draft, "%s.%d", to, (int)getpid());
    int in = open(from, O_RDONLY | O_CLOEXEC), out = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    while (in >= 0 && out >= 0 && (size = read(in, block, sizeof block)) > 0)
        if (write(out, block, (size_t)size) != size) break;
    if (in >= 0) close(in);
    if (out >= 0) close(out);
    rename(draft, to);
}

static void keep(int file) {
    const char *folder = getenv("DISK_KEEP"), *of = getenv("DISK_OF");
    char link[64], path[4096], to[4160];
    if (!folder || !of) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0) return;
    path[size] = 0;
    if (strncmp(path, of, strlen(of)) != 0) return;
    const char *name = strrchr(path, '/');
    if (snprintf(to, sizeof to, "%s%s", folder, name) < (int)sizeof to) copy_whole(path, to);
}

static int synced(const char *name, int file) {
    int (*really)(int);
    *(void **)&really = dlsym(RTLD_NEXT, name);
    const char *slow = getenv("DISK_SLOW_MS");
    if (slow) {
        long ms = atol(slow);
        struct timespec pause = {ms / 1000, ms % 1000 * 1000000L};
        nanosleep(&pause, NULL);
    }
    int done = really(file);
    if (done == 0) keep(file);
    return done;
}

int fsync(int file) { return synced("fsync", file); }

int fdatasync(int file) { return synced("fdatasync", file); }
