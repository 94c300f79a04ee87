// SPDX-License-Identifier: MIT
#include "process_scan.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <dirent.h>
#include <exception>
#include <fcntl.h>
#include <iterator>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <system_error>
#include <thread>
#include <tuple>
#include <unistd.h>

#include "error.hpp"
#include "fd.hpp"
#include "hidden_processes.hpp"
#include "limits.hpp"
#include "process_calls.hpp"
#include "process_maps.hpp"
#include "procfs.hpp"
#include "text.hpp"

namespace ipc {

namespace {

/// Where a second worker gains more than its start costs.
constexpr std::size_t many_processes = 256;

/// What the kernel's own file systems for memory without a name are.
struct MemoryDevices {
    std::optional<dev_t> shm;  ///< memfds, System V segments
    std::optional<dev_t> huge; ///< the same of huge pages

    bool has(dev_t device) const noexcept { return device == shm || device == huge; }
};

std::optional<dev_t> device_of_memfd(unsigned flags) noexcept {
    const UniqueFd memory(memfd_create("ipctools", MFD_CLOEXEC | flags));
    struct stat status = {};
    if (!memory.is_open() || fstat(memory.get(), &status) != 0)
        return std::nullopt;
    return status.st_dev;
}

/// What was found of some of the processes.
struct Findings {
    std::vector<Process> processes;
    std::vector<Descriptor> descriptors;
    std::vector<Mapping> mappings;
    std::vector<BlockedCall> calls;
};

enum class Look : std::uint8_t { seen, nothing, refused };

/// Throws Error where the reason is a want of ours.
Look outcome(pid_t pid, const char* what, int error) {
    switch (error) {
    case 0:
        return Look::seen;
    case ENOENT:
    case ESRCH:
    case ENOTDIR:
        return Look::nothing;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
        throw Error(text("/proc/", pid, what[0] == '\0' ? "" : "/", what), "cannot read", error,
                    explain_error(error));
    default:
        return Look::refused;
    }
}

class Worker {
  public:
    Worker(const ScanRequest& request, const MemoryDevices& devices)
        : request_(request), devices_(devices) {}

    void examine(pid_t pid);

    Findings found;

  private:
    Look look_at_descriptors(pid_t pid, int directory, const char* path);
    Look look_at_descriptor(pid_t pid, int directory, const char* name);
    Look look_at_mappings(pid_t pid, int directory, const char* path);
    void look_at_threads(Process& process, int directory);

    bool wants_descriptors() const noexcept {
        return !request_.files.empty() || !request_.types.empty();
    }
    bool wants_mappings() const noexcept {
        return (request_.mappings && !request_.files.empty()) || request_.system_v_mappings ||
               request_.shared_mappings;
    }
    bool wants_type(mode_t type) const noexcept {
        return std::find(request_.types.begin(), request_.types.end(), type) !=
               request_.types.end();
    }

    const ScanRequest& request_;
    const MemoryDevices& devices_;
    bool has_descriptors_ = false; ///< of the last directory that was looked at
};

void Worker::examine(pid_t pid) {
    const UniqueFd directory(
        open(text("/proc/", pid).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!directory.is_open()) {
        if (outcome(pid, "", errno) == Look::refused)
            found.processes.push_back({.pid = pid});
        return;
    }
    Process process{.pid = pid, .is_examined = true, .calls_examined = true};
    has_descriptors_ = false;
    const std::size_t first_mapping = found.mappings.size();
    Look descriptors = Look::seen;
    Look mappings = Look::seen;
    if (wants_descriptors())
        descriptors = look_at_descriptors(pid, directory.get(), "fd");
    if (wants_mappings())
        mappings = look_at_mappings(pid, directory.get(), "maps");
    process.is_examined = descriptors != Look::refused && mappings != Look::refused;

    // Where the first thread has ended, the process lives on in the others.
    const bool may_be_zombie = !has_descriptors_ && found.mappings.size() == first_mapping &&
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
        process.calls_examined = read_calls(pid, directory.get(), found.calls);
    found.processes.push_back(process);
}

void Worker::look_at_threads(Process& process, int directory) {
    for (const pid_t thread : procfs::list(text("/proc/", process.pid, "/task"))) {
        if (thread == process.pid)
            continue;
        const std::string path = text("task/", thread, "/");
        if (wants_descriptors() &&
            look_at_descriptors(process.pid, directory, (path + "fd").c_str()) == Look::refused)
            process.is_examined = false;
        if (wants_mappings() &&
            look_at_mappings(process.pid, directory, (path + "maps").c_str()) == Look::refused)
            process.is_examined = false;
    }
}

Look Worker::look_at_descriptors(pid_t pid, int directory, const char* path) {
    const UniqueFd entries(
        openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
    if (!entries.is_open())
        return outcome(pid, path, errno);
    Look result = Look::seen;
    alignas(dirent64) char block[8192];
    for (;;) {
        const ssize_t count = getdents64(entries.get(), block, sizeof block);
        if (count < 0)
            return outcome(pid, path, errno);
        if (count == 0)
            return result;
        for (ssize_t at = 0; at < count;) {
            const void* const record = block + at;
            const auto* const entry = static_cast<const dirent64*>(record);
            at += entry->d_reclen;
            if (entry->d_name[0] == '.')
                continue;
            has_descriptors_ = true;
            if (look_at_descriptor(pid, entries.get(), entry->d_name) == Look::refused)
                result = Look::refused;
        }
    }
}

Look Worker::look_at_descriptor(pid_t pid, int directory, const char* name) {
    // Not to be kept waiting by a server that does not answer.
    struct statx status = {};
    char link[4096];
    if (statx(directory, name, AT_STATX_DONT_SYNC,
              STATX_TYPE | STATX_MODE | STATX_INO | STATX_NLINK, &status) != 0) {
        const Look result = outcome(pid, "fd", errno);
        // A file system of a user (FUSE) may refuse its files to us; such are none of ours.
        return result == Look::refused && readlinkat(directory, name, link, sizeof link) >= 0
                   ? Look::seen
                   : result;
    }
    const mode_t type = status.stx_mode & S_IFMT;
    Descriptor descriptor{.pid = pid,
                          .fd = 0,
                          .file = {.device = makedev(status.stx_dev_major, status.stx_dev_minor),
                                   .inode = static_cast<ino_t>(status.stx_ino)},
                          .type = type,
                          .is_removed = status.stx_nlink == 0,
                          .role = Role::opens,
                          .link = {}};
    const bool is_memory = type == S_IFREG && wants_type(0) && devices_.has(descriptor.file.device);
    bool is_wanted = wants_type(type);
    if (is_wanted || is_memory) {
        const ssize_t length = readlinkat(directory, name, link, sizeof link);
        if (length < 0)
            return outcome(pid, "fd", errno);
        const std::string_view target(link, static_cast<std::size_t>(length));
        if (is_wanted || target.starts_with("/memfd:")) {
            is_wanted = true;
            descriptor.link = target;
        }
    }
    if (!is_wanted &&
        !std::binary_search(request_.files.begin(), request_.files.end(), descriptor.file))
        return Look::seen;
    std::from_chars(name, name + std::strlen(name), descriptor.fd);
    if ((type == S_IFIFO || type == S_IFREG) &&
        statx(directory, name, AT_SYMLINK_NOFOLLOW | AT_STATX_DONT_SYNC, STATX_MODE, &status) ==
            0) {
        const unsigned access = status.stx_mode & 0600U;
        descriptor.role = access == 0400   ? Role::reads
                          : access == 0200 ? Role::writes
                          : access == 0600 ? Role::both
                                           : Role::opens; // O_PATH
    }
    found.descriptors.push_back(std::move(descriptor));
    return Look::seen;
}

Look Worker::look_at_mappings(pid_t pid, int directory, const char* path) {
    const UniqueFd maps(openat(directory, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!maps.is_open())
        return outcome(pid, path, errno);
    const bool wants_files = request_.mappings && !request_.files.empty();
    const auto is_asked_for = [&](const MappedRange& range) {
        return wants_files &&
               std::binary_search(request_.files.begin(), request_.files.end(), range.file);
    };
    const auto wants_path = [&](const MappedRange& range) {
        return range.is_shared && (request_.shared_mappings ||
                                   (request_.system_v_mappings && devices_.has(range.file.device)));
    };
    const std::size_t first = found.mappings.size();
    const auto add = [&](const MappedRange& range) {
        const bool is_memory = devices_.has(range.file.device);
        const bool is_system_v =
            request_.system_v_mappings && is_memory && is_system_v_path(range.path);
        // What is shared without a file, and segments, have paths there too.
        const bool has_name =
            request_.shared_mappings && range.path.starts_with(is_memory ? "/memfd:" : "/");
        if (!is_system_v && !has_name && !is_asked_for(range))
            return;
        found.mappings.push_back({.pid = pid,
                                  .file = range.file,
                                  .is_system_v = is_system_v,
                                  .is_writable = range.is_writable,
                                  .size = range.end - range.start,
                                  .path = has_name ? std::string(range.path) : std::string()});
    };
    const int error =
        read_maps(maps.get(), wants_files ? MapKinds::all : MapKinds::shared, wants_path, add);

    const auto begin = found.mappings.begin() + static_cast<std::ptrdiff_t>(first);
    std::sort(begin, found.mappings.end(), [](const Mapping& a, const Mapping& b) {
        return std::tie(a.is_system_v, a.file) < std::tie(b.is_system_v, b.file);
    });
    auto kept = begin;
    for (auto next = begin; next != found.mappings.end(); ++next) {
        if (next == begin)
            continue;
        if (next->is_system_v == kept->is_system_v && next->file == kept->file) {
            kept->size += next->size;
            kept->is_writable = kept->is_writable || next->is_writable;
            if (kept->path.empty())
                kept->path = std::move(next->path);
        } else if (++kept != next) {
            *kept = std::move(*next);
        }
    }
    if (begin != found.mappings.end())
        found.mappings.erase(std::next(kept), found.mappings.end());
    return error == 0 ? Look::seen : outcome(pid, path, error);
}

/// Examines the processes, each once, and by whom there is time first.
void work(const std::vector<pid_t>& pids, std::atomic<std::size_t>& next, Worker& worker) {
    constexpr std::size_t portion = 16;
    for (;;) {
        const std::size_t begin = next.fetch_add(portion);
        if (begin >= pids.size())
            return;
        for (std::size_t i = begin; i < std::min(begin + portion, pids.size()); ++i)
            worker.examine(pids[i]);
    }
}

/// With a helper where that gains something and may be had.
void work_together(const std::vector<pid_t>& pids, Worker& self, Worker& helper) {
    std::atomic<std::size_t> next = 0;
    std::exception_ptr trouble;
    std::thread thread;
    if (pids.size() > many_processes && std::thread::hardware_concurrency() > 1) {
        try {
            thread = std::thread([&] {
                try {
                    work(pids, next, helper);
                } catch (...) {
                    trouble = std::current_exception();
                    next = pids.size();
                }
            });
        } catch (const std::system_error&) { // RLIMIT_NPROC, memory: all alone, then
        }
    }
    try {
        work(pids, next, self);
    } catch (...) {
        next = pids.size();
        if (thread.joinable())
            thread.join();
        throw;
    }
    if (thread.joinable())
        thread.join();
    if (trouble)
        std::rethrow_exception(trouble);
}

template <class Item> void move_all(std::vector<Item>& from, std::vector<Item>& to) {
    if (to.empty())
        to = std::move(from);
    else
        to.insert(to.end(), std::make_move_iterator(from.begin()),
                  std::make_move_iterator(from.end()));
}

template <class Item> void sort_by_pid(std::vector<Item>& items) {
    std::stable_sort(items.begin(), items.end(),
                     [](const Item& a, const Item& b) { return a.pid < b.pid; });
}

} // namespace

ProcessScan::ProcessScan(const ScanRequest& request) {
    const std::vector<pid_t> pids =
        request.only ? std::vector<pid_t>{*request.only} : procfs::list("/proc");
    MemoryDevices devices;
    devices.shm = device_of_memfd(0);
    devices.huge = device_of_memfd(MFD_HUGETLB);
    Worker self(request, devices);
    Worker helper(request, devices);
    work_together(pids, self, helper);
    for (Worker* const worker : {&self, &helper}) {
        move_all(worker->found.processes, processes);
        move_all(worker->found.descriptors, descriptors);
        move_all(worker->found.mappings, mappings);
        move_all(worker->found.calls, calls);
    }
    sort_by_pid(processes);
    sort_by_pid(descriptors);
    sort_by_pid(mappings);
    sort_by_pid(calls);
    unexamined = static_cast<std::size_t>(
        std::count_if(processes.begin(), processes.end(),
                      [](const Process& process) { return !process.is_examined; }));
    some_hidden = may_hide_processes();
}

bool ProcessScan::saw_calls() const noexcept {
    return !some_hidden && std::all_of(processes.begin(), processes.end(),
                                       [](const Process& each) { return each.calls_examined; });
}

const std::string& ProcessScan::command(pid_t pid) const {
    const auto [place, is_new] = commands_.try_emplace(pid);
    if (is_new)
        place->second = procfs::command(pid);
    return place->second;
}

} // namespace ipc
