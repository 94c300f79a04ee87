// SPDX-License-Identifier: MIT
#include "inventory/list.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "base/error.hpp"
#include "base/text.hpp"
#include "process/procfs.hpp"
#include "signal/names.hpp"

namespace ipc {

namespace {

/// The rest of the line that begins with `name`.
std::string_view field(std::string_view status, std::string_view name) noexcept {
    const std::size_t begin = status.find(name);
    if (begin == std::string_view::npos)
        return {};
    const std::string_view rest = status.substr(begin + name.size());
    return rest.substr(0, rest.find('\n'));
}

/// A set of signals: bit 0 is signal 1.
std::uint64_t mask(std::string_view status, std::string_view name) noexcept {
    const std::string_view digits = field(status, name);
    std::uint64_t bits = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), bits, 16);
    return bits;
}

/// Its second number, which is the effective one.
std::uint32_t effective(std::string_view status, std::string_view name) noexcept {
    const std::string_view ids = field(status, name);
    const std::string_view id = ids.substr(std::min(ids.find('\t') + 1, ids.size()));
    std::uint32_t value = 0;
    std::from_chars(id.data(), id.data() + id.size(), value);
    return value;
}

std::string names(std::uint64_t bits) {
    std::string list;
    for (int signal = 1; signal <= 64; ++signal)
        if ((bits >> static_cast<unsigned>(signal - 1) & 1U) != 0)
            list += text(list.empty() ? "" : " ", signal_name(signal));
    return list;
}

Object describe(pid_t pid, std::string_view status) {
    Object object;
    object.kind = ObjectKind::sig;
    object.name = text(pid);
    object.owner = effective(status, "\nUid:\t");
    object.group = effective(status, "\nGid:\t");
    object.users.push_back({.pid = pid, .role = Role::opens});
    const std::pair<Detail, std::uint64_t> sets[] = {
        {Detail::pending, mask(status, "\nSigPnd:\t") | mask(status, "\nShdPnd:\t")},
        {Detail::blocked, mask(status, "\nSigBlk:\t")},
        {Detail::ignored, mask(status, "\nSigIgn:\t")},
        {Detail::caught, mask(status, "\nSigCgt:\t")}};
    for (const auto& [detail, bits] : sets)
        if (bits != 0)
            object.details.emplace_back(detail, names(bits));
    return object;
}

} // namespace

void list_signals(std::optional<pid_t> only, std::vector<Object>& objects,
                  std::vector<Trouble>& troubles) {
    const std::size_t before = objects.size();
    std::vector<pid_t> all;
    if (only)
        all.push_back(*only);
    else
        try {
            all = procfs::list("/proc");
        } catch (const Error& error) {
            troubles.push_back({.kinds = {ObjectKind::sig}, .line = error.what()});
            return;
        }
    for (const pid_t pid : all) {
        const std::string status = procfs::read(text("/proc/", pid, "/status"));
        if (!status.empty())
            objects.push_back(describe(pid, status));
    }
    if (!only && objects.size() == before)
        troubles.push_back({.kinds = {ObjectKind::sig}, .line = "/proc: shows no process"});
}

} // namespace ipc
