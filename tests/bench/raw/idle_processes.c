// SPDX-License-Identifier: MIT
// Processes that do nothing but have files open: says when they are there, and ends them at the end
// of its input.
// Usage: idle_processes NUMBER DESCRIPTORS

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char** argv) {
    int number = argc > 1 ? atoi(argv[1]) : 0;
    int descriptors = argc > 2 ? atoi(argv[2]) : 0;
    while (dup(STDIN_FILENO) < descriptors - 1) {
    }
    for (int i = 0; i < number; i++)
        switch (fork()) {
        case -1:
            perror("idle_processes");
            return 1;
        case 0:
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            for (;;)
                pause();
        }
    puts("ready");
    fflush(stdout);
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    return 0;
}
