// SPDX-License-Identifier: MIT
//
// For LD_PRELOAD: allocations of the program $FAIL_MALLOC_IN fail, by $FAIL_MALLOC: "7" the
// seventh, "7+" all from there on, "0" none. The file $FAIL_MALLOC_LOG gets the binary that asked
// for the one that failed first, or at the end the number of allocations; the end may be execvp(3).

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void* __libc_malloc(size_t size);
extern void* __libc_calloc(size_t count, size_t size);
extern void* __libc_realloc(void* old, size_t size);

static bool begun, concerned, lasts, has_failed;
static long failing, done;

static void begin(void) {
    begun = true;
    const char* name = getenv("FAIL_MALLOC_IN");
    const char* which = getenv("FAIL_MALLOC");
    concerned = name != NULL && which != NULL && strcmp(name, program_invocation_short_name) == 0;
    if (concerned) {
        failing = strtol(which, NULL, 10);
        lasts = which[strlen(which) - 1] == '+';
    }
}

static void log_line(const char* line) {
    const char* path = getenv("FAIL_MALLOC_LOG");
    const int fd = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd != -1) {
        dprintf(fd, "%s\n", line);
        close(fd);
    }
}

static bool fails(const void* caller) {
    if (!begun)
        begin();
    ++done;
    if (failing == 0 || done < failing || (done > failing && !lasts))
        return false;
    if (!has_failed) {
        has_failed = true;
        Dl_info info;
        log_line(dladdr(caller, &info) != 0 ? info.dli_fname : "?");
    }
    errno = ENOMEM;
    return true;
}

#define FAILS fails(__builtin_return_address(0))

void* malloc(size_t size) { return FAILS ? NULL : __libc_malloc(size); }
void* calloc(size_t count, size_t size) { return FAILS ? NULL : __libc_calloc(count, size); }
void* realloc(void* old, size_t size) { return FAILS ? NULL : __libc_realloc(old, size); }

__attribute__((destructor)) static void tell(void) {
    char count[32];
    snprintf(count, sizeof count, "%ld", done);
    if (concerned && !has_failed)
        log_line(count);
}

int execvp(const char* file, char* const* arguments) {
    int (*next)(const char*, char* const*) = dlsym(RTLD_NEXT, "execvp");
    tell();
    return next(file, arguments);
}
