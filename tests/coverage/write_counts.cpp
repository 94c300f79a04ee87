// SPDX-License-Identifier: MIT
// In the coverage build a process writes its counts when it exits. With this it also does so before
// it ends otherwise by its own doing: the linker's --wrap puts these in front of the C library's.

#include <fcntl.h>
#include <unistd.h>

namespace {

/// Counts do not go where the tool has closed a standard descriptor; and that they cannot be
/// written, where a test leaves no room for it, is not for the tool's stderr. Runs also before the
/// counts of a process that exits are written.
[[gnu::destructor]] void let_go_of_standard_descriptors() {
    close(STDERR_FILENO);
    int fd = 0;
    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = open("/", O_PATH);
}

} // namespace

extern "C" {

void __gcov_dump(); // its header, gcov.h, is for C

int __real_raise(int signal);
[[noreturn]] void __real__exit(int status);

int __wrap_raise(int signal);
[[noreturn]] void __wrap__exit(int status);

int __wrap_raise(int signal) {
    let_go_of_standard_descriptors();
    __gcov_dump();
    return __real_raise(signal);
}

void __wrap__exit(int status) {
    let_go_of_standard_descriptors();
    __gcov_dump();
    __real__exit(status);
}
}
