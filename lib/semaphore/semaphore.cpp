// SPDX-License-Identifier: MIT
#include "semaphore/semaphore.hpp"

#include <limits>

#include "base/error.hpp"
#include "base/parse.hpp"
#include "base/text.hpp"
#include "semaphore/posix.hpp"
#include "semaphore/sysv.hpp"

namespace ipc {

namespace {

void refuse_member(const Name& name, std::optional<std::int64_t> member) {
    if (member)
        throw UsageError(name.text, "only System V sets have members");
}

} // namespace

void Semaphore::fail(std::string_view action, int error, std::string_view detail) const {
    throw Error(name_.text, action, error, detail);
}

std::unique_ptr<Semaphore> open_semaphore(const Name& name, std::optional<std::int64_t> member) {
    if (name.is_system_v())
        return open_sysv_semaphore(name, member.value_or(0));
    refuse_member(name, member);
    return open_posix_semaphore(name);
}

std::int64_t semaphore_value(const Name& name, std::optional<std::int64_t> member) {
    if (name.is_system_v())
        return sysv_semaphore_value(name, member.value_or(0));
    refuse_member(name, member);
    return look_at_posix_semaphore(name).value;
}

Operation parse_operation(std::string_view text) {
    const std::size_t sign = text.find_first_of("+-=");
    const std::string_view index = text.substr(0, sign);
    const std::string_view number = sign == std::string_view::npos ? "" : text.substr(sign + 1);
    if (index.empty() || number.empty() || (text[sign] == '=' && number != "0"))
        throw UsageError(
            ipc::text("'", printable(text), "' is not an operation (INDEX+N, INDEX-N or INDEX=0)"));
    constexpr std::int64_t last_member = std::numeric_limits<unsigned short>::max();
    const auto member = static_cast<unsigned short>(parse::number(index, 0, last_member));
    if (text[sign] == '=')
        return {.member = member, .change = 0};
    const auto change = static_cast<short>(parse::number(number, 1, sysv_highest_value));
    return {.member = member, .change = text[sign] == '-' ? static_cast<short>(-change) : change};
}

Waited operate(const Name& name, std::span<const Operation> operations, Deadline deadline) {
    if (!name.is_system_v())
        throw UsageError(name.text, "only System V sets have operations on several members");
    return operate_sysv(name, operations, deadline);
}

CreatedSemaphore create_semaphore(const Name& name, const SemaphoreSettings& settings,
                                  Existing existing) {
    if (name.is_system_v())
        return create_sysv_semaphore(name, settings, existing);
    return create_posix_semaphore(name, settings, existing);
}

bool remove_semaphore(const Name& name) {
    return name.is_system_v() ? remove_sysv_semaphore(name) : remove_posix_semaphore(name);
}

} // namespace ipc
