// SPDX-License-Identifier: MIT
#include "inventory/list.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <span>
#include <string_view>
#include <sys/stat.h>
#include <system_error>
#include <tuple>

#include "base/cached_file.hpp"
#include "base/text.hpp"
#include "inventory/describe.hpp"
#include "inventory/foreign_fd.hpp"
#include "inventory/pipe_levels.hpp"

namespace ipc {

namespace {

constexpr std::string_view deleted = " (deleted)";
constexpr std::string_view memfd_prefix = "/memfd:";
constexpr std::string_view posix_memory = "/dev/shm/";
constexpr std::string_view eventfd_link = "anon_inode:[eventfd]";

void set_memory(Object& object, const struct stat& status) {
    object.figures.set(Figure::size, status.st_size);
    object.figures.set(Figure::used, status.st_blocks * std::int64_t{512});
}

// ---- By descriptors ----

std::optional<ObjectKind> kind_of(const Descriptor& descriptor) noexcept {
    const std::string_view link = descriptor.link;
    if (descriptor.type == S_IFIFO)
        return link.starts_with("pipe:") ? ObjectKind::pipe : ObjectKind::fifo;
    if (link == eventfd_link)
        return ObjectKind::eventfd;
    if (link.starts_with(memfd_prefix))
        return ObjectKind::memfd;
    return std::nullopt;
}

/// A descriptor of an object, and what tells the object from others of its kind.
struct Found {
    ObjectKind kind;
    FileId file;
    std::int64_t number; ///< eventfds share one inode, and have a number instead
    const Descriptor* descriptor;

    auto object() const noexcept { return std::tuple(kind, file, number); }
};

std::string_view info_field(std::string_view info, std::string_view name) noexcept {
    while (!info.empty()) {
        const std::string_view line = info.substr(0, info.find('\n'));
        info.remove_prefix(std::min(line.size() + 1, info.size()));
        if (line.starts_with(name)) {
            const std::string_view value = line.substr(name.size());
            return value.substr(std::min(value.find_first_not_of(" \t"), value.size()));
        }
    }
    return {};
}

std::optional<std::int64_t> number(std::string_view digits, int base) noexcept {
    std::uint64_t value = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size())
        return std::nullopt;
    // The count of an eventfd has 64 bits.
    return static_cast<std::int64_t>(std::min<std::uint64_t>(value, INT64_MAX));
}

/// Before Linux 5.2 nothing tells one eventfd from another: there, each descriptor is one.
std::int64_t eventfd_number(const Descriptor& descriptor, std::string_view info) noexcept {
    const std::int64_t nobody = -1 - ((std::int64_t{descriptor.pid} << 32U) + descriptor.fd);
    return number(info_field(info, "eventfd-id:"), 10).value_or(nobody);
}

void describe_eventfd(Object& object, const Found& found) {
    const std::string info = foreign_fd::info(found.descriptor->pid, found.descriptor->fd);
    object.has_owner = false; // that of the one inode says nothing
    object.name = found.number >= 0
                      ? text("eventfd:[", found.number, ']')
                      : text("eventfd:[", found.descriptor->pid, '/', found.descriptor->fd, ']');
    // In hexadecimal.
    if (const auto count = number(info_field(info, "eventfd-count:"), 16))
        object.figures.set(Figure::value, *count);
    if (info_field(info, "eventfd-semaphore:") == "1")
        object.details.emplace_back(Detail::type, "semaphore");
}

/// As it was given to memfd_create(2).
std::string memfd_name(std::string_view link) {
    link.remove_prefix(memfd_prefix.size());
    if (link.ends_with(deleted))
        link.remove_suffix(deleted.size());
    return std::string(link);
}

/// Of the first user that still has it; nothing if none has.
std::optional<struct stat> status_of(std::span<const Found> uses) {
    for (const Found& use : uses)
        if (const auto status =
                foreign_fd::try_stat(use.descriptor->pid, use.descriptor->fd, use.file))
            return status;
    return std::nullopt;
}

/// The object that all of these have open.
Object describe(std::span<const Found> uses, const ProcessScan& scan) {
    const Found& first = uses.front();
    Object object = used_object(first.kind);
    object.name = first.descriptor->link;
    object.figures.set(Figure::fd, first.descriptor->fd);
    for (const Found& use : uses)
        scan.table_sharers.for_each(use.descriptor->pid, [&](pid_t pid) {
            object.users.push_back({.pid = pid, .role = use.descriptor->role});
        });
    sort_users(object.users);
    if (first.kind == ObjectKind::eventfd) {
        describe_eventfd(object, first);
        return object;
    }
    set_file(object, first.file);
    const auto status = status_of(uses);
    if (status)
        set_owner(object, *status);
    if (first.kind == ObjectKind::memfd) {
        object.name = memfd_name(first.descriptor->link);
        if (status)
            set_memory(object, *status);
    } else if (first.kind == ObjectKind::fifo && first.descriptor->is_removed) {
        object.state = State::marked;
    }
    return object;
}

std::vector<Found> find_descriptors(const ProcessScan& scan, KindSet kinds) {
    std::vector<Found> all;
    for (const Descriptor& descriptor : scan.descriptors) {
        const auto kind = kind_of(descriptor);
        if (!kind || !kinds.has(*kind))
            continue;
        Found found{.kind = *kind, .file = descriptor.file, .number = 0, .descriptor = &descriptor};
        if (kind == ObjectKind::eventfd) {
            const std::string info = foreign_fd::info(descriptor.pid, descriptor.fd);
            if (info.empty())
                continue;
            found.number = eventfd_number(descriptor, info);
        }
        all.push_back(found);
    }
    const auto order = [](const Found& found) {
        return std::tuple_cat(found.object(),
                              std::tuple(found.descriptor->pid, found.descriptor->fd));
    };
    std::sort(all.begin(), all.end(),
              [&](const Found& a, const Found& b) { return order(a) < order(b); });
    return all;
}

// ---- By mappings ----

/// What is mapped under these names is no file for this list: other kinds have it, or none.
bool is_other(std::string_view path) noexcept {
    if (path.starts_with(posix_memory)) // only what has no name there any more
        return !path.ends_with(deleted);
    for (const std::string_view other : {"/SYSV", "/dev/zero", "anon_inode:", "["})
        if (path.starts_with(other))
            return true;
    return path.empty();
}

bool is_memfd(const Mapping& mapping) noexcept {
    return std::string_view(mapping.path).starts_with(memfd_prefix);
}

/// Of the file that a process knows by this path, if it is still that one.
std::optional<struct stat> status_of(const Mapping& mapping) {
    const char* const path = mapping.path.c_str();
    auto status = try_cached_stat(mapping.pid, path);
    if (!status || file_id(*status) != mapping.file)
        status = try_cached_stat(path);
    return status && file_id(*status) == mapping.file ? status : std::nullopt;
}

/// The object that all of these map; nothing if it is a device, or memory that `shm` lists.
std::optional<Object> describe(std::span<const Mapping* const> uses, const ProcessScan& scan) {
    const Mapping& first = *uses.front();
    Object object = used_object(ObjectKind::map);
    object.name = first.path;
    set_file(object, first.file);
    std::uint64_t size = 0;
    bool is_writable = false;
    for (const Mapping* const use : uses) {
        size = std::max(size, use->size);
        is_writable = is_writable || use->is_writable;
        scan.memory_sharers.for_each(use->pid, [&](pid_t pid) {
            object.users.push_back({.pid = pid, .role = Role::opens});
        });
    }
    sort_users(object.users);
    object.details.emplace_back(Detail::type, is_writable ? "rw" : "r");
    object.figures.set(Figure::size, static_cast<std::int64_t>(size));
    // A name may end so by itself.
    if (const auto status = status_of(first)) {
        if (!S_ISREG(status->st_mode) || object.name.starts_with(posix_memory))
            return std::nullopt;
        set_owner(object, *status);
        set_memory(object, *status);
    } else if (object.name.ends_with(deleted)) {
        object.state = State::marked;
    }
    return object;
}

/// Calls `function` with each run of elements that are alike.
template <class Element, class Key, class Function>
void for_each_run(const std::vector<Element>& sorted, Key key, Function function) {
    for (auto begin = sorted.begin(); begin != sorted.end();) {
        const auto end = std::find_if(
            begin, sorted.end(), [&](const Element& other) { return key(other) != key(*begin); });
        function(std::span(begin, end));
        begin = end;
    }
}

void list_mapped(const ProcessScan& scan, std::vector<Object>& objects) {
    std::vector<const Mapping*> all;
    for (const Mapping& mapping : scan.mappings)
        if (!mapping.is_system_v && !is_other(mapping.path) && !is_memfd(mapping))
            all.push_back(&mapping);
    const auto order = [](const Mapping* one) { return std::tuple(one->file, one->pid); };
    std::sort(all.begin(), all.end(),
              [&](const Mapping* a, const Mapping* b) { return order(a) < order(b); });
    for_each_run(
        all, [](const Mapping* mapping) { return mapping->file; },
        [&](std::span<const Mapping* const> uses) {
            if (auto object = describe(uses, scan))
                objects.push_back(std::move(*object));
        });
}

/// Memory may stay mapped after its descriptor is closed: who does that uses it too.
void add_mapped_memfds(const ProcessScan& scan, std::vector<Object>& objects, std::size_t begin) {
    std::map<FileId, std::size_t> known;
    for (std::size_t i = begin; i < objects.size(); ++i)
        if (objects[i].kind == ObjectKind::memfd && objects[i].file)
            known.emplace(*objects[i].file, i);
    for (const Mapping& mapping : scan.mappings) {
        if (!is_memfd(mapping))
            continue;
        const auto [place, is_new] = known.try_emplace(mapping.file, objects.size());
        if (is_new) {
            Object& object = objects.emplace_back(used_object(ObjectKind::memfd));
            object.name = memfd_name(mapping.path);
            set_file(object, mapping.file);
            object.figures.set(Figure::size, static_cast<std::int64_t>(mapping.size));
        }
        std::vector<Use>& users = objects[place->second].users;
        scan.memory_sharers.for_each(
            mapping.pid, [&](pid_t pid) { users.push_back({.pid = pid, .role = Role::opens}); });
    }
    for (const auto& [file, place] : known)
        sort_users(objects[place].users);
}

} // namespace

void request_open(KindSet kinds, ScanRequest& request) {
    const auto add = [&](mode_t type) {
        if (std::find(request.types.begin(), request.types.end(), type) == request.types.end())
            request.types.push_back(type);
    };
    if (kinds.has_any({ObjectKind::fifo, ObjectKind::pipe}))
        add(S_IFIFO);
    if (kinds.has_any({ObjectKind::eventfd, ObjectKind::memfd}))
        add(0);
    if (kinds.has(ObjectKind::unix_socket))
        add(S_IFSOCK);
    if (kinds.has_any({ObjectKind::memfd, ObjectKind::map}))
        request.shared_mappings = true;
}

void list_open(const ProcessScan& scan, KindSet kinds, std::vector<Object>& objects) {
    const std::size_t begin = objects.size();
    std::vector<PipeEnd> ends;
    for_each_run(
        find_descriptors(scan, kinds), [](const Found& found) { return found.object(); },
        [&](std::span<const Found> uses) {
            if (uses.front().kind == ObjectKind::pipe || uses.front().kind == ObjectKind::fifo)
                for (const Found& use : uses)
                    ends.push_back({.object = objects.size(),
                                    .pid = use.descriptor->pid,
                                    .fd = use.descriptor->fd,
                                    .file = use.file});
            objects.push_back(describe(uses, scan));
        });
    query_pipe_levels(ends, [&](const PipeLevel& level) {
        Figures& figures = objects[level.object].figures;
        if (level.unread >= 0)
            figures.set(Figure::used, level.unread);
        if (level.capacity >= 0)
            figures.set(Figure::limit, level.capacity);
    });
    if (kinds.has(ObjectKind::memfd))
        add_mapped_memfds(scan, objects, begin);
    if (kinds.has(ObjectKind::map))
        list_mapped(scan, objects);
}

} // namespace ipc
