// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

#include "inventory/object.hpp"

/// How objects look in a graph, in the language of dot(1).
namespace ipc {

/// A name without control characters, quoted, for nodes.
std::string dot_id(std::string_view name);
/// Lines that are shown, quoted: escString of dot(1), where an & begins an entity.
std::string dot_label(std::string_view lines);

/// A name as a line of a label: printable(), and not too long.
std::string graph_line(std::string_view name);

/// Whether it is drawn small: what only joins processes, and has no name that anybody would know.
bool is_joint(const Object& object) noexcept;

/// How full it is, or of what type, in a few words; empty if there is nothing to say.
std::string graph_words(const Object& object);

/// The statement of its node.
std::string graph_node(const Object& object, std::string_view id);

} // namespace ipc
