// SPDX-License-Identifier: MIT
// The floor of mqreceive on System V: COUNT messages of the queue of KEY as lines on stdout, which
// are written out when 64 KiB are held, or before it sleeps on an empty queue.
//
//   sysv_raw_receive KEY COUNT

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <unistd.h>

enum { flush_at = 64 * 1024, message_max = 8192, type_size = sizeof(long) };

// msgrcv(2) puts the type in front of the text: over the end of what is held, which is then put
// back, so that no message is copied; the first message finds room in front of the text.
static char buffer[type_size + flush_at + message_max + 1];
static char* const text = buffer + type_size;
static size_t held;

static void flush(void) {
    for (size_t done = 0; done < held;) {
        ssize_t wrote = write(STDOUT_FILENO, text + done, held - done);
        if (wrote < 0)
            err(2, "cannot write");
        done += wrote;
    }
    held = 0;
}

static ssize_t receive(int queue, int flags) {
    char *message = text + held - type_size, end[type_size];
    memcpy(end, message, type_size);
    ssize_t got = msgrcv(queue, message, message_max, 0, flags);
    memcpy(message, end, type_size);
    return got;
}

int main(int argc, char** argv) {
    if (argc != 3)
        errx(2, "usage: sysv_raw_receive KEY COUNT");
    int queue = msgget(strtol(argv[1], NULL, 0), 0);
    if (queue < 0)
        err(2, "%s", argv[1]);

    for (long count = atol(argv[2]); count > 0; count--) {
        if (held >= flush_at)
            flush();
        ssize_t got = receive(queue, IPC_NOWAIT);
        if (got < 0 && errno == ENOMSG) {
            flush();
            got = receive(queue, 0);
        }
        if (got < 0)
            err(2, "%s: cannot receive", argv[1]);
        held += got;
        text[held++] = '\n';
    }
    flush();
    return 0;
}
