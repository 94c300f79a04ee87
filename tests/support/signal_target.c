// SPDX-License-Identifier: MIT
// A process with so many threads that catches USR1, USR2 and the real-time signals, and prints
// "NUMBER CODE PID UID VALUE" for each that is delivered to it. TERM ends it.
//
//   signal_target THREADS    prints "ready" once all of them run

#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char* append(char* to, long number) {
    char digits[24];
    int count = 0;
    if (number < 0)
        *to++ = '-';
    unsigned long rest = number < 0 ? -(unsigned long)number : (unsigned long)number;
    do
        digits[count++] = (char)('0' + rest % 10);
    while ((rest /= 10) != 0);
    while (count > 0)
        *to++ = digits[--count];
    *to++ = ' ';
    return to;
}

static void tell(int signal, siginfo_t* info, void* context) {
    char line[160], *end = line;
    (void)context;
    end = append(end, signal);
    end = append(end, info->si_code);
    end = append(end, info->si_pid);
    end = append(end, info->si_uid);
    end = append(end, info->si_code == SI_QUEUE ? info->si_value.sival_int : 0);
    end[-1] = '\n';
    if (write(STDOUT_FILENO, line, (size_t)(end - line)) < 0)
        _exit(1);
}

static void* wait_for_signals(void* unused) {
    for (;;)
        pause();
    return unused;
}

int main(int argc, char** argv) {
    int threads = argc > 1 ? atoi(argv[1]) : 1;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_sigaction = tell;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigfillset(&action.sa_mask);
    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    for (int signal = SIGRTMIN; signal <= SIGRTMAX; signal++)
        sigaction(signal, &action, NULL);
    for (int i = 1; i < threads; i++) {
        pthread_t thread;
        if (pthread_create(&thread, NULL, wait_for_signals, NULL) != 0)
            return 1;
    }
    printf("ready\n");
    fflush(stdout);
    wait_for_signals(NULL);
}
