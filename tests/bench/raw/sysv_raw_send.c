// SPDX-License-Identifier: MIT
// The floor of mqsend on System V: every line of stdin to the queue of KEY.
//
//   sysv_raw_send KEY < LINES

#include <err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <unistd.h>

// msgsnd(2) wants the type in front of the text. It is laid over the bytes before the line, which
// have been sent already, so that no line is copied; the first line finds room in `type`.
static struct {
    long type;
    char text[64 * 1024];
} buffer;

int main(int argc, char** argv) {
    if (argc != 2)
        errx(2, "usage: sysv_raw_send KEY");
    int queue = msgget(strtol(argv[1], NULL, 0), 0);
    if (queue < 0)
        err(2, "%s", argv[1]);

    const long type = 1;
    size_t held = 0;
    ssize_t got;
    while ((got = read(STDIN_FILENO, buffer.text + held, sizeof buffer.text - held)) > 0) {
        char *line = buffer.text, *end = buffer.text + held + got, *newline;
        while ((newline = memchr(line, '\n', end - line))) {
            void* message = memcpy(line - sizeof type, &type, sizeof type);
            if (msgsnd(queue, message, newline - line, 0))
                err(2, "%s: cannot send", argv[1]);
            line = newline + 1;
        }
        held = end - line;
        memmove(buffer.text, line, held);
    }
    if (got < 0)
        err(2, "cannot read");
    return 0;
}
