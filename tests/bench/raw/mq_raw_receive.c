// SPDX-License-Identifier: MIT
// The floor of mqreceive: COUNT messages of the POSIX queue QUEUE as lines on stdout, which are
// written out when 64 KiB are held, or before it sleeps on an empty queue.
//
//   mq_raw_receive QUEUE COUNT

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { flush_at = 64 * 1024, message_max = 8192 };

static char buffer[flush_at + message_max + 1];
static size_t held;

static void flush(void) {
    for (size_t done = 0; done < held;) {
        ssize_t wrote = write(STDOUT_FILENO, buffer + done, held - done);
        if (wrote < 0)
            err(2, "cannot write");
        done += wrote;
    }
    held = 0;
}

int main(int argc, char** argv) {
    if (argc != 3)
        errx(2, "usage: mq_raw_receive QUEUE COUNT");
    mqd_t queue = mq_open(argv[1], O_RDONLY);
    if (queue < 0)
        err(2, "%s", argv[1]);

    const struct timespec at_once = {0, 0};
    for (long count = atol(argv[2]); count > 0; count--) {
        if (held >= flush_at)
            flush();
        ssize_t got = mq_timedreceive(queue, buffer + held, message_max, NULL, &at_once);
        if (got < 0 && errno == ETIMEDOUT) {
            flush();
            got = mq_receive(queue, buffer, message_max, NULL);
        }
        if (got < 0)
            err(2, "%s: cannot receive", argv[1]);
        held += got;
        buffer[held++] = '\n';
    }
    flush();
    return 0;
}
