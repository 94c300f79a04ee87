// SPDX-License-Identifier: MIT
#include "process/scan.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <iterator>
#include <system_error>
#include <thread>
#include <utility>

#include "base/signals.hpp"
#include "process/hidden.hpp"
#include "process/look.hpp"
#include "process/procfs.hpp"

namespace ipc {

namespace {

/// Where a second worker gains more than its start costs.
constexpr std::size_t many_processes = 256;

/// Examines the processes, each once, and by whom there is time first.
void work(const std::vector<pid_t>& pids, std::atomic<std::size_t>& next, ProcessLook& worker) {
    constexpr std::size_t portion = 16;
    for (;;) {
        const std::size_t begin = next.fetch_add(portion);
        if (begin >= pids.size())
            return;
        for (std::size_t i = begin; i < std::min(begin + portion, pids.size()); ++i) {
            signals::check();
            worker.examine(pids[i]);
        }
    }
}

/// With a helper where that gains something and may be had.
void work_together(const std::vector<pid_t>& pids, ProcessLook& self, ProcessLook& helper) {
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
    const MemoryDevices devices = find_memory_devices();
    ProcessLook self(request, devices);
    ProcessLook helper(request, devices);
    work_together(pids, self, helper);
    for (ProcessLook* const worker : {&self, &helper}) {
        move_all(worker->processes, processes);
        move_all(worker->descriptors, descriptors);
        move_all(worker->mappings, mappings);
        move_all(worker->calls, calls);
        table_sharers.add(worker->table_sharers);
        memory_sharers.add(worker->memory_sharers);
    }
    table_sharers.sort();
    memory_sharers.sort();
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
