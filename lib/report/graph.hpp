// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "inventory/object.hpp"
#include "process/scan.hpp"

namespace ipc {

/// A graph in the language of dot(1): who talks to whom through what. Processes are boxes, objects
/// have a shape for each kind, and arrows go where data goes, as far as that is known. There is one
/// edge for each object and process that uses it; a socket pair with one process at each end is an
/// edge itself; signals, and what has neither name nor user, are left out. What nobody uses is
/// dotted. The same objects make the same text.
std::string graph(const std::vector<Object>& objects, const ProcessScan& scan);

} // namespace ipc
