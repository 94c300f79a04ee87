// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <sys/inotify.h>
#include <vector>

#include "base/deadline.hpp"
#include "base/fd.hpp"

namespace ipc {

/// Notices what others do to files. In a wait the caller looks after 1 ms, 2 ms, 4 ms and so on,
/// and inotify(7) tells only when the wait gets long: giving an inotify descriptor back costs the
/// kernel some 15 ms. Where it cannot be had, the caller looks ten times a second.
class FileWatch {
  public:
    /// How often to look where nothing tells.
    static constexpr nanoseconds look_interval = std::chrono::milliseconds(100);

    /// `events` of inotify(7).
    explicit FileWatch(std::uint32_t events) noexcept : events_(events) {}

    /// Returns by what drain() calls it.
    std::size_t add(const std::string& path);

    /// A new wait begins.
    void restart() noexcept;
    /// Now, however short the wait is.
    void start() noexcept;

    /// To be polled for input; -1 if there is none, which poll(2) ignores.
    int poll_fd() const noexcept { return inotify_.get(); }
    /// Until when to poll before looking; the next one is later.
    Deadline next_look() noexcept;

    /// Takes the events that there are: `on_event(file, events)` for each. While others make new
    /// ones without pause, some are left for the next time.
    template <class OnEvent> void drain(OnEvent on_event) {
        for (int reads = 0; reads < most_reads; ++reads) {
            const std::size_t size = read_events();
            for (std::size_t at = 0; at < size;)
                at = take_event(at, on_event);
            if (size == 0)
                break;
        }
    }

  private:
    static constexpr int most_reads = 64;
    static constexpr nanoseconds first_interval = std::chrono::milliseconds(1);

    struct File {
        std::string path;
        int descriptor = -1; ///< of the watch
    };

    std::size_t read_events() noexcept;

    template <class OnEvent> std::size_t take_event(std::size_t at, OnEvent& on_event) {
        inotify_event event{};
        std::memcpy(&event, buffer_ + at, sizeof event);
        for (std::size_t file = 0; file < files_.size(); ++file)
            if (files_[file].descriptor == event.wd)
                on_event(file, event.mask);
        return at + sizeof event + event.len;
    }

    std::uint32_t events_;
    std::vector<File> files_;
    UniqueFd inotify_;
    bool is_complete_ = false; ///< it watches all of the files
    bool started_ = false;
    nanoseconds interval_ = first_interval;
    char buffer_[1024]{};
};

} // namespace ipc
