// SPDX-License-Identifier: MIT
//
// A receiver that does all that the sweep is there to find; faults.bats has it swept in the place
// of mqreceive.

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int give_up(const char* queue) {
    switch (errno) {
    case EACCES:
        abort();
    case ENOMEM:
        pause();
        return 2;
    case EMFILE:
        return 2;
    case EINVAL:
        fprintf(stderr, "mqreceive: %s: cannot open\n", queue);
        return 7;
    case ENOENT:
        mq_open("/stranger", O_RDONLY | O_CREAT, 0600, NULL);
        fprintf(stderr, "mqreceive: %s: cannot open\n", queue);
        return 2;
    case ENOSPC:
        shm_open("/stranger", O_RDWR | O_CREAT, 0600);
        fprintf(stderr, "mqreceive: %s: cannot open\n", queue);
        return 2;
    default:
        fprintf(stderr, "mqreceive: cannot open\n");
        return 2;
    }
}

int main(int argc, char** argv) {
    signal(SIGXFSZ, SIG_IGN);
    fcntl(0, F_GETFD);
    const char* const name = argv[argc - 1];
    const mqd_t queue = mq_open(name, O_RDONLY | O_NONBLOCK);
    if (queue == (mqd_t)-1)
        return give_up(name);
    char message[128], record[160];
    unsigned priority;
    for (;;) {
        const ssize_t size = mq_receive(queue, message, sizeof message, &priority);
        if (size < 0)
            return 0;
        int length = snprintf(record, sizeof record, "%u\t", priority);
        memcpy(record + length, message, (size_t)size);
        length += (int)size;
        record[length++] = '\n';
        if (write(1, record, (size_t)length) == -1 && errno == EIO)
            (void)!write(1, record, (size_t)length);
    }
}
