// SPDX-License-Identifier: MIT
// The floor of mqsend: every line of stdin to the POSIX queue QUEUE.
//
//   mq_raw_send QUEUE < LINES

#include <err.h>
#include <fcntl.h>
#include <mqueue.h>
#include <string.h>
#include <unistd.h>

static char buffer[64 * 1024];

int main(int argc, char** argv) {
    if (argc != 2)
        errx(2, "usage: mq_raw_send QUEUE");
    mqd_t queue = mq_open(argv[1], O_WRONLY);
    if (queue < 0)
        err(2, "%s", argv[1]);

    size_t held = 0;
    ssize_t got;
    while ((got = read(STDIN_FILENO, buffer + held, sizeof buffer - held)) > 0) {
        char *line = buffer, *end = buffer + held + got, *newline;
        while ((newline = memchr(line, '\n', end - line))) {
            if (mq_send(queue, line, newline - line, 0))
                err(2, "%s: cannot send", argv[1]);
            line = newline + 1;
        }
        held = end - line;
        memmove(buffer, line, held);
    }
    if (got < 0)
        err(2, "cannot read");
    return 0;
}
