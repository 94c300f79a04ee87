// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "inventory/object.hpp"
#include "object/name.hpp"

/// Which objects are meant: the operands and options that ipcstat(1) and ipcclean(1) share.
namespace ipc {

/// `KIND,…`, `STATE,…`. Throw UsageError.
KindSet parse_kinds(std::string_view list);
std::vector<State> parse_states(std::string_view list);

/// An object's name with its kind in front, or without: then it means any kind that has such names.
class ObjectName {
  public:
    /// Throws UsageError, and Error when the path of `ftok:` cannot be looked at.
    explicit ObjectName(std::string_view text);

    bool matches(const Object& object) const;
    const std::string& text() const noexcept { return text_; } ///< as the user wrote it
    /// Without its kind, as objects are listed under it: Name::canonical().
    std::string canonical() const { return name_ ? name_->canonical() : text_; }
    KindSet kinds() const noexcept { return kinds_; } ///< that it may be of

  private:
    /// A file goes by the path that the kernel knows it by; one that is gone by what was written.
    void find_file();

    std::string text_;
    std::string listed_; ///< as objects that have no Name are listed
    KindSet kinds_;
    std::optional<Name> name_; ///< none: what can be named only as it is listed
};

struct ObjectFilter {
    std::optional<uid_t> owner;
    std::optional<pid_t> process;
    std::vector<State> states;     ///< none: all
    std::vector<ObjectName> names; ///< none: all

    /// Whether it passes all but the states.
    bool selects(const Object& object) const;
    bool has_state(State state) const noexcept;
};

/// Whether the process is among an object's users.
bool is_used_by(const Object& object, pid_t process) noexcept;

} // namespace ipc
