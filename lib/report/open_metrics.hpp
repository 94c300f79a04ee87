// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "inventory/ipc_limits.hpp"
#include "inventory/object.hpp"

namespace ipc {

/// These figures as OpenMetrics text, which is also what Prometheus' classic text format takes
/// (https://prometheus.io/docs/instrumenting/exposition_formats/): all gauges, `# EOF` at the end.
///
/// Queues, semaphores and shared memory have a series each, with `name` and `family`, System V ones
/// also `id`, those of another IPC namespace than ours also `ns`; what lives only as long as
/// processes is counted alone. No two series have the same labels, whatever comes and goes
/// meanwhile: the first counts. No limit is `+Inf`; what is not known has no series.
///
/// `unexamined`: processes that could not be examined.
std::string open_metrics(const std::vector<Object>& objects, const std::vector<LimitUse>& limits,
                         std::size_t unexamined);

/// A name as label values have it, which must be valid UTF-8: printable(), where `\x` itself is
/// `\x5cx`, so that no two names become the same.
std::string metric_name_label(std::string_view name);

} // namespace ipc
