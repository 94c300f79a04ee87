// SPDX-License-Identifier: MIT
// splice_in FILE: stdin, a file, over what FILE has, with one copy.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

int main(int argc, char **argv) {
    enum { chunk = 1 << 20 };
    const int file = argc == 2 ? open(argv[1], O_WRONLY) : -1;
    int ends[2];
    if (pipe(ends) != 0 || fcntl(ends[1], F_SETPIPE_SZ, chunk) < 0)
        return 1;
    ssize_t count;
    while ((count = splice(0, 0, ends[1], 0, chunk, 0)) > 0)
        while (count > 0) {
            const ssize_t moved = splice(ends[0], 0, file, 0, count, 0);
            if (moved <= 0)
                return 1;
            count -= moved;
        }
    return count != 0;
}
