// SPDX-License-Identifier: MIT
// A program that is busy with signals: it sends itself COUNT, one after the other.
//
//   signal_self COUNT [traced]    then not before somebody watches it

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static volatile sig_atomic_t got;

static void take(int signal) { got += signal != 0; }

static int is_traced(void) {
    char line[128];
    int tracer = 0;
    FILE* status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (sscanf(line, "TracerPid: %d", &tracer) == 1)
            break;
    if (status)
        fclose(status);
    return tracer != 0;
}

int main(int argc, char** argv) {
    int count = argc > 1 ? atoi(argv[1]) : 0;
    signal(SIGUSR1, take);
    while (argc > 2 && !is_traced())
        usleep(1000);
    for (int i = 0; i < count; i++)
        kill(getpid(), SIGUSR1);
    return got == count ? 0 : 1;
}
