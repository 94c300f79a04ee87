// SPDX-License-Identifier: MIT
// What sigwatch does, as plainly as it can be done: a loop of sigwaitinfo(2) that prints the same.
//
//   signal_raw_receive COUNT

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void command_of(pid_t pid, char* command, size_t size) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/comm", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? 0 : read(fd, command, size - 1);
    if (fd >= 0)
        close(fd);
    command[length > 0 ? length - 1 : 0] = '\0';
}

int main(int argc, char** argv) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN + 1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    dprintf(9, "\n");
    for (long left = argc > 1 ? atol(argv[1]) : 0; left > 0;) {
        siginfo_t info;
        if (sigwaitinfo(&set, &info) < 0)
            continue;
        left--;
        struct timespec now;
        struct tm local;
        char date[64], command[64];
        clock_gettime(CLOCK_REALTIME, &now);
        localtime_r(&now.tv_sec, &local);
        strftime(date, sizeof date, "%FT%T", &local);
        command_of(info.si_pid, command, sizeof command);
        printf("%s.%06ld RTMIN+%d queue %d %u %s %d\n", date, now.tv_nsec / 1000,
               info.si_signo - SIGRTMIN, info.si_pid, info.si_uid, *command ? command : "-",
               info.si_value.sival_int);
    }
    return 0;
}
