// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>
#include <sys/types.h>

#include "tool/attributes.hpp"
#include "tool/permissions.hpp"

namespace ipc {

/// The name of a user or group, or its number where it has none: getpwuid(3), getgrgid(3). Tools
/// that use this file are not linked statically: name services are loaded at run time.
std::string user_name(uid_t uid);
std::string group_name(gid_t gid);

/// `owner`, `uid`, `group` and `gid` of an object.
void add_owner(Attributes& attributes, uid_t uid, gid_t gid);

/// `USER[:GROUP]`, names or numbers, as for chown(1). Throws UsageError.
Owner parse_owner(std::string_view owner);

} // namespace ipc
