// SPDX-License-Identifier: MIT
// Compares commands by the clock, and looks at the memory that they need.
//
//   bench head                              heads the table
//   bench pair LABEL BOUND A B              the time of two shell commands, run in turn
//   bench start STARTS LABEL BOUND A B      the same of one start of each, STARTS starts in a loop
//   bench peak KIB INPUT RECEIVER SENDER    the memory of two commands that run at once on INPUT
//
// The commands of `start` and `peak` are words between spaces; no shell is between them and us.
// There are BENCH_ROUNDS rounds (15) after one to warm up. Each row is printed, and added to the
// file BENCH_TSV. A bound that is missed is marked, and no failure; a command that fails is.

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

struct times {
    double seconds[rounds_max];
    double min, median, max;
};

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
static pid_t start(char** argv, const char* input, const char* output, pid_t leader) {
    extern char** environ;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    pid_t pid;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY, 0);
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
        group = start(argv, "/dev/null", "/dev/null", 0);
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

static void sum_up(struct times* times, int rounds) {
    qsort(times->seconds, rounds, sizeof times->seconds[0], ascending);
    times->min = times->seconds[0];
    times->median = (times->seconds[(rounds - 1) / 2] + times->seconds[rounds / 2]) / 2;
    times->max = times->seconds[rounds - 1];
}

static FILE* tsv(void) {
    const char* path = getenv("BENCH_TSV");
    FILE* file = fopen(path ? path : "/dev/null", "a");
    if (!file)
        err(1, "%s", path);
    return file;
}

static void head(void) {
    FILE* file = tsv();
    fputs("label\tunit\ta_min\ta_median\ta_max\tb_min\tb_median\tb_max\tratio\tbound\n", file);
    fclose(file);
    printf("%-38s %-3s %23s   %23s   %5s %6s\n", "A : B", "", "A: min  median     max",
           "B: min  median     max", "ratio", "bound");
}

static void compare(const char* label, double bound, char** a_argv, char** b_argv, int starts) {
    static struct times a, b;
    const char* wanted = getenv("BENCH_ROUNDS");
    int rounds = wanted ? atoi(wanted) : 15;
    if (rounds < 1 || rounds > rounds_max)
        errx(2, "BENCH_ROUNDS is not 1 to %d", rounds_max);

    seconds_of(a_argv, starts);
    seconds_of(b_argv, starts);
    for (int i = 0; i < rounds; i++) {
        a.seconds[i] = seconds_of(a_argv, starts);
        b.seconds[i] = seconds_of(b_argv, starts);
    }
    sum_up(&a, rounds);
    sum_up(&b, rounds);

    double ratio = a.median / b.median;
    const char* unit = starts > 1 ? "ms" : "s";
    double scale = starts > 1 ? 1e3 : 1;
    printf("%-38s %-3s %7.3f %7.3f %7.3f   %7.3f %7.3f %7.3f   %5.2f %6.2f%s\n", label, unit,
           a.min * scale, a.median * scale, a.max * scale, b.min * scale, b.median * scale,
           b.max * scale, ratio, bound, ratio > bound ? " over" : "");
    FILE* file = tsv();
    fprintf(file, "%s\t%s\t%.6f\t%.6f\t%.6f\t%.6f\t%.6f\t%.6f\t%.4f\t%.2f\n", label, unit,
            a.min * scale, a.median * scale, a.max * scale, b.min * scale, b.median * scale,
            b.max * scale, ratio, bound);
    fclose(file);
}

static void print_peak(const char* name, const struct rusage* usage, double bound) {
    double used = usage->ru_maxrss;
    printf("%-38s %-3s %7s %7.0f %7s   %23s   %5.2f %6.2f%s\n", name, "KiB", "", used, "", "",
           used / bound, 1.0, used > bound ? " over" : "");
    FILE* file = tsv();
    fprintf(file, "%s\tKiB\t\t%.0f\t\t\t%.0f\t\t%.4f\t1.00\n", name, used, bound, used / bound);
    fclose(file);
}

static void peak(double bound, const char* input, char** receiver, char** sender) {
    char label[64];
    struct rusage receiver_usage, sender_usage;
    alarm(patience);
    group = start(receiver, input, "/dev/null", 0);
    pid_t pid = start(sender, input, "/dev/null", group);
    finish(pid, sender[0], &sender_usage);
    finish(group, receiver[0], &receiver_usage);
    snprintf(label, sizeof label, "peak memory of %s", sender[0]);
    print_peak(label, &sender_usage, bound);
    snprintf(label, sizeof label, "peak memory of %s", receiver[0]);
    print_peak(label, &receiver_usage, bound);
}

int main(int argc, char** argv) {
    static const int endings[] = {SIGALRM, SIGHUP, SIGINT, SIGTERM};
    struct sigaction action = {.sa_handler = stop, .sa_flags = SA_RESETHAND};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        sigaction(endings[i], &action, NULL);

    const char* verb = argc > 1 ? argv[1] : "";
    char *a[words_max], *b[words_max];
    if (!strcmp(verb, "head") && argc == 2) {
        head();
    } else if (!strcmp(verb, "pair") && argc == 6) {
        char *a_shell[] = {"sh", "-c", argv[4], NULL}, *b_shell[] = {"sh", "-c", argv[5], NULL};
        compare(argv[2], atof(argv[3]), a_shell, b_shell, 1);
    } else if (!strcmp(verb, "start") && argc == 7) {
        words(argv[5], a);
        words(argv[6], b);
        compare(argv[3], atof(argv[4]), a, b, atoi(argv[2]));
    } else if (!strcmp(verb, "peak") && argc == 6) {
        words(argv[4], a);
        words(argv[5], b);
        peak(atof(argv[2]), argv[3], a, b);
    } else {
        errx(2, "usage: bench head | pair LABEL BOUND A B | start STARTS LABEL BOUND A B | "
                "peak KIB INPUT RECEIVER SENDER");
    }
    return 0;
}
