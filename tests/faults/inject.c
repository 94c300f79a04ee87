// SPDX-License-Identifier: MIT
//
// Spoils one system call of COMMAND, and of the processes that it starts until they become other
// programs, as strace -e inject does it; but a filter picks that call, and all others run as always.
//
//   inject [-1] LOG CALL NUMBER[+] error|signal VALUE COMMAND [ARGUMENT]...
//
// The NUMBERth CALL of a process, with + each after it as well, fails with the errno VALUE and is
// not made, or gets the signal VALUE as it begins. CALL and VALUE are numbers. -1: COMMAND alone,
// without a filter, of which its own tracees could not get rid.
// LOG gets a line when it happens: `began PID` once, `spoiled PID NUMBER ARGUMENT...` with all six,
// `stopped PID`. Ends when all have ended, with COMMAND's status, or by the signal that ended it.

#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { most_tracees = 64 };

static struct tracee {
    pid_t pid; // 0: a free place
    long count;
    bool is_other; // another program by now, or a child of one
    bool is_held;  // until its parent's fork(2) tells whose child it is
} tracees[most_tracees];

static int log_fd;
static long wanted_call, wanted_number, value;
static bool lasts, is_signal, is_filtered;

static void fail(const char* what) {
    perror(what);
    exit(125);
}

// Finds a tracee, or with pid 0 a free place.
static struct tracee* find(pid_t pid) {
    for (struct tracee* tracee = tracees; tracee < tracees + most_tracees; ++tracee)
        if (tracee->pid == pid)
            return tracee;
    return NULL;
}

static struct tracee* find_or_add(pid_t pid) {
    struct tracee* tracee = find(pid);
    if (tracee == NULL) {
        tracee = find(0);
        if (tracee == NULL) {
            errno = EAGAIN;
            fail("inject: too many processes");
        }
        *tracee = (struct tracee){.pid = pid};
    }
    return tracee;
}

static void go_on(pid_t pid, int signal) {
    ptrace(is_filtered ? PTRACE_CONT : PTRACE_SYSCALL, pid, 0L, (long)signal);
}

// A call that begins is not made, and has this result. What that takes differs between machines.
#if defined(__x86_64__)
static void replace_call(pid_t pid, long result) {
    ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, orig_rax), -1L);
    ptrace(PTRACE_POKEUSER, pid, offsetof(struct user_regs_struct, rax), result);
}
#elif defined(__aarch64__)
static void replace_call(pid_t pid, long result) {
    int none = -1;
    struct iovec number = {&none, sizeof none};
    ptrace(PTRACE_SETREGSET, pid, (long)NT_ARM_SYSTEM_CALL, &number);
    struct user_regs_struct registers;
    struct iovec all = {&registers, sizeof registers};
    ptrace(PTRACE_GETREGSET, pid, (long)NT_PRSTATUS, &all);
    registers.regs[0] = (unsigned long)result;
    ptrace(PTRACE_SETREGSET, pid, (long)NT_PRSTATUS, &all);
}
#else
#error "which registers have the number and the result of a system call?"
#endif

static void report(pid_t pid, long number, const __uint64_t arguments[6]) {
    dprintf(log_fd, "spoiled %d %ld", pid, number);
    for (int i = 0; i < 6; ++i)
        dprintf(log_fd, " %ld", (long)arguments[i]);
    dprintf(log_fd, "\n");
}

static void on_wanted_call(struct tracee* tracee, const __uint64_t arguments[6]) {
    const long number = ++tracee->count;
    if (number != wanted_number && !(lasts && number > wanted_number))
        return;
    report(tracee->pid, number, arguments);
    if (is_signal)
        syscall(SYS_tkill, tracee->pid, value);
    else
        replace_call(tracee->pid, -value);
}

// A call begins; without a filter, or ends.
static void on_call(pid_t pid) {
    struct tracee* tracee = find_or_add(pid);
    struct __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) > 0 && !tracee->is_other) {
        if (info.op == PTRACE_SYSCALL_INFO_SECCOMP)
            on_wanted_call(tracee, info.seccomp.args);
        else if (info.op == PTRACE_SYSCALL_INFO_ENTRY && (long)info.entry.nr == wanted_call)
            on_wanted_call(tracee, info.entry.args);
    }
    go_on(pid, 0);
}

static bool stops(int signal) {
    return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

static void on_fork(pid_t parent) {
    unsigned long pid = 0;
    ptrace(PTRACE_GETEVENTMSG, parent, 0L, &pid);
    struct tracee* child = find_or_add((pid_t)pid);
    child->is_other = find_or_add(parent)->is_other;
    if (child->is_held)
        go_on(child->pid, 0);
    child->is_held = false;
}

static void on_event(pid_t pid, int event, int signal) {
    if (event == PTRACE_EVENT_STOP && stops(signal)) {
        dprintf(log_fd, "stopped %d\n", pid);
        ptrace(PTRACE_LISTEN, pid, 0L, 0L);
        return;
    }
    if (event == PTRACE_EVENT_STOP && find(pid) == NULL) {
        find_or_add(pid)->is_held = true;
        return;
    }
    if (event == PTRACE_EVENT_EXEC)
        find_or_add(pid)->is_other = true;
    else if (event != PTRACE_EVENT_STOP)
        on_fork(pid);
    go_on(pid, 0);
}

// To the end of all; returns what waitpid(2) says of `command`.
static int trace(pid_t command) {
    int status = 0, result = 0;
    pid_t pid;
    while ((pid = waitpid(-1, &status, __WALL)) > 0) {
        if (!WIFSTOPPED(status)) {
            if (pid == command)
                result = status;
            struct tracee* tracee = find(pid);
            if (tracee != NULL)
                tracee->pid = 0;
        } else if (WSTOPSIG(status) == (SIGTRAP | 0x80) || status >> 16 == PTRACE_EVENT_SECCOMP) {
            on_call(pid);
        } else if (status >> 16 != 0) {
            on_event(pid, status >> 16, WSTOPSIG(status));
        } else {
            go_on(pid, WSTOPSIG(status));
        }
    }
    return result;
}

static void install_filter(void) {
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)wanted_call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog filter = {sizeof code / sizeof code[0], code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        fail("inject: prctl");
}

// Starts COMMAND and returns when it has become that.
static pid_t start(char** command, long options) {
    int gate[2];
    if (pipe2(gate, O_CLOEXEC) != 0)
        fail("inject: pipe2");
    const pid_t pid = fork();
    if (pid < 0)
        fail("inject: fork");
    if (pid == 0) {
        char byte;
        close(gate[1]);
        if (read(gate[0], &byte, 1) != 0)
            _exit(125);
        if (is_filtered)
            install_filter();
        execvp(command[0], command);
        perror(command[0]);
        _exit(127);
    }
    if (ptrace(PTRACE_SEIZE, pid, 0L, options) != 0)
        fail("inject: ptrace");
    close(gate[0]);
    close(gate[1]);
    int status = 0;
    while (waitpid(pid, &status, 0) == pid && status >> 8 != (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
        if (!WIFSTOPPED(status))
            exit(127);
        ptrace(PTRACE_CONT, pid, 0L, (long)(status >> 16 != 0 ? 0 : WSTOPSIG(status)));
    }
    return pid;
}

int main(int argc, char** argv) {
    is_filtered = argc < 2 || strcmp(argv[1], "-1") != 0;
    argc -= !is_filtered;
    argv += !is_filtered;
    if (argc < 7) {
        fputs("inject: what is to be spoiled, and of which COMMAND?\n", stderr);
        return 125;
    }
    char* behind = NULL;
    wanted_call = atol(argv[2]);
    wanted_number = strtol(argv[3], &behind, 10);
    lasts = *behind == '+';
    is_signal = strcmp(argv[4], "signal") == 0;
    value = atol(argv[5]);
    long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEEXEC;
    if (is_filtered)
        options |= PTRACE_O_TRACESECCOMP | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                   PTRACE_O_TRACECLONE;
    log_fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    if (log_fd < 0)
        fail(argv[1]);

    const pid_t command = start(argv + 6, options);
    dprintf(log_fd, "began %d\n", command);
    // strace counts the execve(2) that made it COMMAND.
    find_or_add(command)->count = wanted_call == __NR_execve;
    go_on(command, 0);
    const int status = trace(command);
    if (!WIFSIGNALED(status))
        return WEXITSTATUS(status);
    prctl(PR_SET_DUMPABLE, 0);
    signal(WTERMSIG(status), SIG_DFL);
    raise(WTERMSIG(status));
    return 128 + WTERMSIG(status);
}
