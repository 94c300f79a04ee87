// SPDX-License-Identifier: MIT
// sink: takes stdin, a pipe, and does nothing with it.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/types.h>

int main(void) {
    enum { chunk = 1 << 20 };
    const int nowhere = open("/dev/null", O_WRONLY);
    ssize_t count;
    while ((count = splice(0, 0, nowhere, 0, chunk, SPLICE_F_MOVE)) > 0)
        ;
    return count != 0;
}
