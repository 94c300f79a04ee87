// SPDX-License-Identifier: MIT
#include "process/look.hpp"

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/limits.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "process/calls.hpp"
#include "process/procfs.hpp"

namespace ipc {

namespace {

std::optional<dev_t> device_of_memfd(unsigned flags) noexcept {
    const UniqueFd memory(memfd_create("ipctools", MFD_CLOEXEC | flags));
    struct stat status = {};
    if (!memory.is_open() || fstat(memory.get(), &status) != 0)
        return std::nullopt;
    return status.st_dev;
}

} // namespace

MemoryDevices find_memory_devices() noexcept {
    return {.shm = device_of_memfd(0), .huge = device_of_memfd(MFD_HUGETLB)};
}

/// Throws Error where the reason is a want of ours.
ProcessLook::Look ProcessLook::outcome(pid_t pid, const char* what, int error) {
    if (is_shortage(error))
        throw Error(text("/proc/", pid, what[0] == '\0' ? "" : "/", what), "cannot read", error,
                    explain_error(error));
    switch (error) {
    case 0:
        return Look::seen;
    case ENOENT:
    case ESRCH:
    case ENOTDIR:
        return Look::nothing;
    default:
        return Look::refused;
    }
}

void ProcessLook::examine(pid_t pid) {
    const UniqueFd directory(
        open(text("/proc/", pid).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!directory.is_open()) {
        if (outcome(pid, "", errno) == Look::refused)
            processes.push_back({.pid = pid});
        return;
    }
    Process process{.pid = pid, .is_examined = true, .calls_examined = true};
    has_descriptors_ = false;
    const std::size_t first_mapping = mappings.size();
    Look opened = Look::seen;
    Look mapped = Look::seen;
    const Sameness::Item task = {.task = pid, .process = pid};
    if (wants_descriptors())
        opened = look_at_descriptors(task, directory.get(), "fd");
    if (wants_mappings())
        mapped = look_at_mappings(task, directory.get(), "maps");
    process.is_examined = opened != Look::refused && mapped != Look::refused;

    // Where the first thread has ended, the process lives on in the others.
    const bool may_be_zombie = !has_descriptors_ && mappings.size() == first_mapping &&
                               (wants_descriptors() || wants_mappings());
    if (may_be_zombie) {
        const auto stat = procfs::stat(pid);
        if (stat && stat->state == 'Z') {
            process.is_examined = true;
            look_at_threads(process, directory.get());
        }
    }

    if (request_.system_v_calls || request_.system_v_mappings) {
        struct statx status = {};
        if (statx(directory.get(), "ns/ipc", AT_STATX_DONT_SYNC, STATX_INO, &status) == 0)
            process.ipc_namespace = status.stx_ino;
    }
    if (request_.system_v_calls)
        process.calls_examined = read_calls(pid, directory.get(), calls);
    processes.push_back(process);
}

void ProcessLook::look_at_threads(Process& process, int directory) {
    for (const pid_t thread : procfs::list(text("/proc/", process.pid, "/task"))) {
        if (thread == process.pid)
            continue;
        signals::check();
        const Sameness::Item task = {.task = thread, .process = process.pid};
        const std::string path = text("task/", thread, "/");
        if (wants_descriptors() &&
            look_at_descriptors(task, directory, (path + "fd").c_str()) == Look::refused)
            process.is_examined = false;
        if (wants_mappings() &&
            look_at_mappings(task, directory, (path + "maps").c_str()) == Look::refused)
            process.is_examined = false;
    }
}

/// Whether a process that was looked at has the same.
bool ProcessLook::is_shared(Sameness& known, const Sameness::Item& task, Sharers& sharers) {
    const auto same = known.find_or_add(task);
    if (same && same->process != task.process)
        sharers.add(task.process, same->process);
    return same.has_value();
}

} // namespace ipc
