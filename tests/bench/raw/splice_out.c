// SPDX-License-Identifier: MIT
// splice_out FILE: the file to stdout, a pipe, without copying it.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/types.h>

int main(int argc, char **argv) {
    enum { chunk = 1 << 20 };
    const int file = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    fcntl(1, F_SETPIPE_SZ, chunk);
    ssize_t count;
    while ((count = splice(file, 0, 1, 0, chunk, SPLICE_F_MOVE)) > 0)
        ;
    return count != 0;
}
