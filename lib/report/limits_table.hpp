// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "inventory/ipc_limits.hpp"
#include "report/table.hpp"

namespace ipc {

/// A row for each limit: RESOURCE, USER, USED, LIMIT, USE%, DESCRIPTION, and UNIT in the forms for
/// programs. There a limit that limits nothing is absent, and so is what is not known.
/// `has_exact_sizes`: bytes rather than 4K.
Table limits_table(const std::vector<LimitUse>& limits, TableForm form, Headings headings,
                   bool has_exact_sizes);

} // namespace ipc
