// SPDX-License-Identifier: MIT
// Measures commands by the clock, or the memory that they need, and prints figures between spaces.
//
//   measure pair ROUNDS A B [PREPARE]   seconds of two shell commands, in turn; PREPARE is a third,
//                                       which comes before each of them and does not count
//   measure start ROUNDS STARTS A B     milliseconds of one start of each, STARTS starts in a loop
//   measure peak INPUT RECEIVER SENDER  KiB of memory of two commands that run at once on INPUT
//
// For `pair` and `start`: minimum, median and maximum of A, then of B, after one round to warm up.
// For `peak`: the larger of the two. The commands of `start` and `peak` are words between spaces,
// with no shell in between. A command that fails is an error.

#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { rounds_max = 1000, words_max = 64, patience = 600 /* seconds a command may take */ };

static volatile pid_t group; // the process group of the commands under way

static void stop(int signal) {
    if (group > 0)
        kill(-group, SIGKILL);
    raise(signal); // SA_RESETHAND: this ends us
}

static void words(char* command, char** argv) {
    int count = 0;
    for (char* word = strtok(command, " "); word && count < words_max - 1; word = strtok(NULL, " "))
        argv[count++] = word;
    argv[count] = NULL;
}

// Starts a command in the process group `leader`, or in its own if that is 0.
static pid_t start(char** argv, const char* input, pid_t leader) {
    extern char** environ;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t pid;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    posix_spawnattr_setpgroup(&attributes, leader);
    int error = posix_spawnp(&pid, argv[0], &actions, &attributes, argv, environ);
    if (error)
        errx(1, "%s: cannot start: %s", argv[0], strerror(error));
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return pid;
}

static void finish(pid_t pid, const char* name, struct rusage* usage) {
    int status;
    if (wait4(pid, &status, 0, usage) < 0)
        err(1, "wait4");
    if (status == 0)
        return;
    kill(-group, SIGKILL);
    errx(1, "%s: ended with %s %d", name, WIFSIGNALED(status) ? "signal" : "status",
         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

static double seconds_of(char** argv, int starts) {
    struct timespec from, to;
    alarm(patience);
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < starts; i++) {
        group = start(argv, "/dev/null", 0);
        finish(group, argv[0], NULL);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    alarm(0);
    group = 0;
    return ((to.tv_sec - from.tv_sec) + (to.tv_nsec - from.tv_nsec) / 1e9) / starts;
}

static int ascending(const void* a, const void* b) {
    double left = *(const double*)a, right = *(const double*)b;
    return (left > right) - (left < right);
}

static void print(double* times, int rounds, double scale) {
    qsort(times, rounds, sizeof times[0], ascending);
    double median = (times[(rounds - 1) / 2] + times[rounds / 2]) / 2;
    printf("%.6f %.6f %.6f ", times[0] * scale, median * scale, times[rounds - 1] * scale);
}

static double seconds_after(char** prepare, char** argv, int starts) {
    if (prepare)
        seconds_of(prepare, 1);
    return seconds_of(argv, starts);
}

static void compare(int rounds, char** a_argv, char** b_argv, char** prepare, int starts,
                    double scale) {
    static double a[rounds_max], b[rounds_max];
    if (rounds < 1 || rounds > rounds_max)
        errx(2, "ROUNDS is not 1 to %d", rounds_max);

    seconds_after(prepare, a_argv, starts);
    seconds_after(prepare, b_argv, starts);
    for (int i = 0; i < rounds; i++) {
        a[i] = seconds_after(prepare, a_argv, starts);
        b[i] = seconds_after(prepare, b_argv, starts);
    }
    print(a, rounds, scale);
    print(b, rounds, scale);
    putchar('\n');
}

static void peak(const char* input, char** receiver, char** sender) {
    struct rusage of_sender, of_receiver;
    alarm(patience);
    group = start(receiver, "/dev/null", 0);
    pid_t pid = start(sender, input, group);
    finish(pid, sender[0], &of_sender);
    finish(group, receiver[0], &of_receiver);
    long sent = of_sender.ru_maxrss, received = of_receiver.ru_maxrss;
    printf("%ld\n", sent > received ? sent : received);
}

int main(int argc, char** argv) {
    static const int endings[] = {SIGALRM, SIGHUP, SIGINT, SIGTERM};
    struct sigaction action = {.sa_handler = stop, .sa_flags = SA_RESETHAND};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        sigaction(endings[i], &action, NULL);

    const char* verb = argc > 1 ? argv[1] : "";
    char *a[words_max], *b[words_max];
    if (!strcmp(verb, "pair") && (argc == 5 || argc == 6)) {
        char *a_shell[] = {"sh", "-c", argv[3], NULL}, *b_shell[] = {"sh", "-c", argv[4], NULL};
        char* prepare_shell[] = {"sh", "-c", argv[5], NULL};
        compare(atoi(argv[2]), a_shell, b_shell, argc == 6 ? prepare_shell : NULL, 1, 1);
    } else if (!strcmp(verb, "start") && argc == 6) {
        words(argv[4], a);
        words(argv[5], b);
        compare(atoi(argv[2]), a, b, NULL, atoi(argv[3]), 1e3);
    } else if (!strcmp(verb, "peak") && argc == 5) {
        words(argv[3], a);
        words(argv[4], b);
        peak(argv[2], a, b);
    } else {
        errx(2, "usage: measure pair ROUNDS A B [PREPARE] | start ROUNDS STARTS A B | "
                "peak INPUT RECEIVER SENDER");
    }
    return 0;
}
