// SPDX-License-Identifier: MIT
// Queues signals with the values 1 to COUNT; where the receiver's queue is full, waits.
//
//   signal_raw_send PID COUNT

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>

int main(int argc, char** argv) {
    if (argc < 3)
        return 2;
    pid_t pid = (pid_t)atoi(argv[1]);
    int count = atoi(argv[2]);
    for (int i = 1; i <= count; i++)
        while (sigqueue(pid, SIGRTMIN + 1, (union sigval){.sival_int = i}) != 0) {
            if (errno != EAGAIN)
                return 1;
            sched_yield();
        }
    return 0;
}
