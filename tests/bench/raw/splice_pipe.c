// SPDX-License-Identifier: MIT
// splice_pipe: stdin to stdout, two pipes of a MiB, without copying it.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/types.h>

int main(void) {
    enum { chunk = 1 << 20 };
    fcntl(0, F_SETPIPE_SZ, chunk);
    fcntl(1, F_SETPIPE_SZ, chunk);
    ssize_t count;
    while ((count = splice(0, 0, 1, 0, chunk, SPLICE_F_MOVE)) > 0)
        ;
    return count != 0;
}
