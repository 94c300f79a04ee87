// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <sys/types.h>
#include <vector>

namespace ipc {

/// Processes that share all of what another one has: its descriptors (CLONE_FILES of clone(2)) or
/// its memory (CLONE_VM). That is listed once, as the other one's.
class Sharers {
  public:
    void add(pid_t pid, pid_t with) { all_.push_back({.with = with, .pid = pid}); }
    void add(const Sharers& more) { all_.insert(all_.end(), more.all_.begin(), more.all_.end()); }
    /// Before any question.
    void sort() {
        std::sort(all_.begin(), all_.end(), [](const Sharer& a, const Sharer& b) {
            return a.with != b.with ? a.with < b.with : a.pid < b.pid;
        });
    }

    /// Calls `function` with the process itself, and each that shares what it has.
    template <class Function> void for_each(pid_t pid, Function function) const {
        function(pid);
        for (auto at = std::lower_bound(
                 all_.begin(), all_.end(), pid,
                 [](const Sharer&sharer, pid_t wanted) { return sharer.with < wanted; });
             at != all_.end() && at->with == pid; ++at)
            function(at->pid);
    }

  private:
    struct Sharer {
        pid_t with;
        pid_t pid;
    };
    std::vector<Sharer> all_;
};

} // namespace ipc
