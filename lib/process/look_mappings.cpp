// SPDX-License-Identifier: MIT
#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <iterator>
#include <string>
#include <tuple>
#include <utility>

#include "base/fd.hpp"
#include "base/signals.hpp"
#include "process/look.hpp"
#include "process/maps.hpp"

namespace ipc {

ProcessLook::Look ProcessLook::look_at_mappings(const Sameness::Item& task, int directory,
                                                const char* path) {
    const UniqueFd maps(openat(directory, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!maps.is_open())
        return outcome(task.process, path, errno);
    const bool wants_files = request_.mappings && !request_.files.empty();
    const auto is_asked_for = [&](const MappedRange& range) {
        return wants_files &&
               std::binary_search(request_.files.begin(), request_.files.end(), range.file);
    };
    const auto wants_path = [&](const MappedRange& range) {
        return range.is_shared && (request_.shared_mappings ||
                                   (request_.system_v_mappings && devices_.has(range.file.device)));
    };
    const std::size_t first = mappings.size();
    std::size_t seen = 0;
    const auto add = [&](const MappedRange& range) {
        if (++seen % many == 0)
            signals::check();
        if (seen == many && is_shared(memories_, task, memory_sharers)) {
            mappings.resize(first);
            return false;
        }
        const bool is_memory = devices_.has(range.file.device);
        const bool is_system_v =
            request_.system_v_mappings && is_memory && is_system_v_path(range.path);
        // What is shared without a file, and segments, have paths there too.
        const bool has_name =
            request_.shared_mappings && range.path.starts_with(is_memory ? "/memfd:" : "/");
        if (!is_system_v && !has_name && !is_asked_for(range))
            return true;
        mappings.push_back({.pid = task.process,
                            .file = range.file,
                            .is_system_v = is_system_v,
                            .is_writable = range.is_writable,
                            .size = range.end - range.start,
                            .path = has_name ? std::string(range.path) : std::string()});
        return true;
    };
    const int error =
        read_maps(maps.get(), wants_files ? MapKinds::all : MapKinds::shared, wants_path, add);
    merge_mappings(first);
    const Look result = error == 0 ? Look::seen : outcome(task.process, path, error);
    if (result != Look::seen)
        memories_.remove(task);
    return result;
}

void ProcessLook::merge_mappings(std::size_t first) {
    const auto begin = mappings.begin() + static_cast<std::ptrdiff_t>(first);
    std::sort(begin, mappings.end(), [](const Mapping& a, const Mapping& b) {
        return std::tie(a.is_system_v, a.file) < std::tie(b.is_system_v, b.file);
    });
    auto kept = begin;
    for (auto next = begin; next != mappings.end(); ++next) {
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
    if (begin != mappings.end())
        mappings.erase(std::next(kept), mappings.end());
}

} // namespace ipc
