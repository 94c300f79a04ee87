// SPDX-License-Identifier: MIT
#include "tool/users.hpp"

#include <cerrno>
#include <grp.h>
#include <limits>
#include <pwd.h>

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/parse.hpp"
#include "base/text.hpp"

namespace ipc {

namespace {

/// A number that is no name, below the one that means "unchanged" to chown(2).
std::optional<unsigned> as_id(std::string_view name) {
    const auto number = parse::try_number(name);
    if (!number || *number < 0 || *number >= std::numeric_limits<unsigned>::max())
        return std::nullopt;
    return static_cast<unsigned>(*number);
}

/// getpwnam(3) and getgrnam(3) tell "not found" from failure by errno, which they leave at 0 or
/// set to one of these.
void check_lookup(const std::string& name, int error) {
    for (const int not_found : {0, ENOENT, ESRCH, EBADF, EPERM})
        if (error == not_found)
            return;
    throw Error(name, "cannot look up the name", error, explain_error(error));
}

uid_t parse_user(const std::string& name) {
    errno = 0;
    if (const passwd* const entry = getpwnam(name.c_str()))
        return entry->pw_uid;
    const int error = errno;
    if (const auto id = as_id(name))
        return *id;
    check_lookup(name, error);
    throw UsageError(text("there is no user '", printable(name), "'"));
}

gid_t parse_group(const std::string& name) {
    errno = 0;
    if (const group* const entry = getgrnam(name.c_str()))
        return entry->gr_gid;
    const int error = errno;
    if (const auto id = as_id(name))
        return *id;
    check_lookup(name, error);
    throw UsageError(text("there is no group '", printable(name), "'"));
}

} // namespace

std::string user_name(uid_t uid) {
    const passwd* const entry = getpwuid(uid);
    return entry == nullptr ? text(uid) : entry->pw_name;
}

std::string group_name(gid_t gid) {
    const group* const entry = getgrgid(gid);
    return entry == nullptr ? text(gid) : entry->gr_name;
}

void add_owner(Attributes& attributes, uid_t uid, gid_t gid) {
    attributes.add("owner", user_name(uid));
    attributes.add("uid", std::int64_t{uid});
    attributes.add("group", group_name(gid));
    attributes.add("gid", std::int64_t{gid});
}

Owner parse_owner(std::string_view owner) {
    const std::size_t colon = owner.find(':');
    Owner result{.uid = parse_user(std::string(owner.substr(0, colon))), .gid = std::nullopt};
    if (colon != std::string_view::npos)
        result.gid = parse_group(std::string(owner.substr(colon + 1)));
    return result;
}

} // namespace ipc
