// SPDX-License-Identifier: MIT
// tee_loop FIFO...: stdin, a pipe, to all of them, without copying it.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/types.h>
#include <unistd.h>

enum { chunk = 1 << 20, most = 64 };

int main(int argc, char **argv) {
    const int nowhere = open("/dev/null", O_WRONLY), count = argc - 1;
    int spare[2], fifos[most];
    if (count > most || pipe(spare) != 0)
        return 2;
    fcntl(0, F_SETPIPE_SZ, chunk);
    fcntl(spare[1], F_SETPIPE_SZ, chunk);
    for (int i = 0; i < count; i++) {
        fifos[i] = open(argv[1 + i], O_WRONLY);
        fcntl(fifos[i], F_SETPIPE_SZ, chunk);
    }
    ssize_t size;
    while ((size = tee(0, fifos[0], chunk, 0)) > 0) {
        for (int i = 1; i < count; i++) {
            ssize_t done = tee(0, fifos[i], size, 0);
            if (done >= size)
                continue;
            // tee(2) always begins at the first byte.
            tee(0, spare[1], size, 0);
            splice(spare[0], 0, nowhere, 0, done, SPLICE_F_MOVE);
            while (done < size)
                done += splice(spare[0], 0, fifos[i], 0, size - done, SPLICE_F_MOVE);
        }
        for (ssize_t left = size; left > 0;)
            left -= splice(0, 0, nowhere, 0, left, SPLICE_F_MOVE);
    }
    return size != 0;
}
