// SPDX-License-Identifier: MIT
#include "report/open_metrics.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "base/text.hpp"
#include "inventory/place.hpp"

namespace ipc {

namespace {

/// What a label's value may not have as it is.
std::string escape_value(std::string_view value) {
    std::string out;
    for (const char c : value) {
        if (c == '\\' || c == '"')
            out += '\\';
        if (c == '\n')
            out += "\\n";
        else
            out += c;
    }
    return out;
}

/// `KEY="VALUE",…` of a series.
class Labels {
  public:
    Labels& add(std::string_view key, std::string_view value) {
        out_ += text(out_.empty() ? "" : ",", key, "=\"", escape_value(value), '"');
        return *this;
    }
    const std::string& str() const noexcept { return out_; }

  private:
    std::string out_;
};

/// A metric family: its head, and a line for each series.
class MetricFamily {
  public:
    struct Head {
        std::string_view name;
        std::string_view help; ///< without backslash and quote, which the two formats escape apart
        std::string_view unit = {}; ///< that the name ends in
    };

    explicit MetricFamily(const Head& head) : head_(head) {}

    void add(const std::string& labels, std::string_view value) {
        if (!seen_.insert(labels).second)
            return;
        lines_ += head_.name;
        if (!labels.empty())
            lines_ += text('{', labels, '}');
        lines_ += text(' ', value, '\n');
    }

    void append_to(std::string& out) const {
        if (lines_.empty())
            return;
        out += text("# HELP ", head_.name, ' ', head_.help, "\n# TYPE ", head_.name, " gauge\n");
        if (!head_.unit.empty())
            out += text("# UNIT ", head_.name, ' ', head_.unit, '\n');
        out += lines_;
    }

  private:
    Head head_;
    std::string lines_;
    std::unordered_set<std::string> seen_;
};

struct ObjectMetric {
    ObjectKind kind = ObjectKind::mq;
    Figure figure = Figure::msgs;
    MetricFamily::Head head;
};

constexpr ObjectMetric object_metrics[] = {
    {ObjectKind::mq, Figure::msgs, {"ipc_queue_messages", "Messages in a queue."}},
    {ObjectKind::mq,
     Figure::maxmsg,
     {"ipc_queue_limit_messages", "The most messages that a POSIX queue takes."}},
    {ObjectKind::mq,
     Figure::used,
     {"ipc_queue_bytes", "Bytes of the messages in a queue.", "bytes"}},
    {ObjectKind::mq,
     Figure::limit,
     {"ipc_queue_limit_bytes", "The most bytes that a queue takes.", "bytes"}},
    {ObjectKind::sem,
     Figure::value,
     {"ipc_semaphore_value", "Value of a semaphore, or of a set of one."}},
    {ObjectKind::sem,
     Figure::waiters,
     {"ipc_semaphore_waiters", "Processes that wait for a semaphore, or for one of a set."}},
    {ObjectKind::sem, Figure::nsems, {"ipc_semaphore_members", "Semaphores in a System V set."}},
    {ObjectKind::shm,
     Figure::size,
     {"ipc_shared_memory_bytes", "Size of a shared memory object.", "bytes"}},
    {ObjectKind::shm,
     Figure::used,
     {"ipc_shared_memory_allocated_bytes", "Memory that a shared memory object occupies.",
      "bytes"}},
    {ObjectKind::shm,
     Figure::nattch,
     {"ipc_shared_memory_attaches", "Attaches of a System V segment."}},
};

const char* family_label(Family family) noexcept {
    return family == Family::posix ? "posix" : "system_v";
}

Labels object_labels(const Object& object, std::int64_t home) {
    Labels labels;
    labels.add("name", metric_name_label(object.name)).add("family", family_label(object.family));
    if (const auto id = object.figures.get(Figure::id))
        labels.add("id", text(*id));
    if (const auto ns = object.figures.get(Figure::ns); ns && *ns != home)
        labels.add("ns", text(*ns));
    return labels;
}

Labels count_labels(ObjectKind kind, Family family, State state) {
    Labels labels;
    labels.add("kind", kind_name(kind));
    if (kept_kinds.has(kind))
        labels.add("family", family_label(family));
    return std::move(labels.add("state", state_name(state)));
}

constexpr std::array judged = {State::in_use, State::unused,    State::idle,   State::orphan,
                               State::marked, State::malformed, State::unknown};

/// Each state of what outlives processes is there, with 0 as well: what appears only once it is not
/// 0 cannot be watched.
void append_counts(const std::vector<Object>& objects, std::string& out) {
    std::map<std::string, std::int64_t> counts;
    for (const ObjectKind kind : {ObjectKind::mq, ObjectKind::sem, ObjectKind::shm})
        for (const Family family : {Family::posix, Family::system_v})
            for (const State state : judged)
                counts[count_labels(kind, family, state).str()] = 0;
    for (const Object& object : objects) {
        const State state = object.state == State::none ? State::unknown : object.state;
        ++counts[count_labels(object.kind, object.family, state).str()];
    }
    MetricFamily family({"ipc_objects", "IPC objects by kind, family and state."});
    for (const auto& [labels, count] : counts)
        family.add(labels, text(count));
    family.append_to(out);
}

void append_figures(const std::vector<Object>& objects, std::string& out) {
    std::vector<MetricFamily> families;
    for (const ObjectMetric& metric : object_metrics)
        families.emplace_back(metric.head);
    const auto home = static_cast<std::int64_t>(own_place().ipc_namespace);
    for (const Object& object : objects) {
        if (!kept_kinds.has(object.kind))
            continue;
        const std::string labels = object_labels(object, home).str();
        for (std::size_t i = 0; i < families.size(); ++i)
            if (object.kind == object_metrics[i].kind)
                if (const auto value = object.figures.get(object_metrics[i].figure))
                    families[i].add(labels, text(*value));
    }
    for (const MetricFamily& family : families)
        family.append_to(out);
}

void append_limits(const std::vector<LimitUse>& limits, std::string& out) {
    MetricFamily limit_family({"ipc_limit", "Limits of the kernel on IPC, in their own units."});
    MetricFamily used_family({"ipc_limit_used", "How much of a limit is used, or the most that one "
                                                "object uses of it, in its own unit."});
    for (const LimitUse& limit : limits) {
        Labels labels;
        labels.add("limit", printable(limit.name)).add("unit", limit.unit);
        if (!limit.who.empty())
            labels.add("user", printable(limit.who));
        if (limit.limit)
            limit_family.add(labels.str(), *limit.limit == no_limit ? "+Inf" : text(*limit.limit));
        if (limit.used)
            used_family.add(labels.str(), text(*limit.used));
    }
    limit_family.append_to(out);
    used_family.append_to(out);
}

} // namespace

std::string metric_name_label(std::string_view name) {
    std::string out;
    for (std::size_t at = 0; at < name.size();) {
        const std::size_t next = name.find("\\x", at);
        out += printable(name.substr(at, next - at));
        if (next == std::string_view::npos)
            break;
        out += "\\x5cx";
        at = next + 2;
    }
    return out;
}

std::string open_metrics(const std::vector<Object>& objects, const std::vector<LimitUse>& limits,
                         std::size_t unexamined) {
    std::string out;
    append_counts(objects, out);
    append_figures(objects, out);
    append_limits(limits, out);
    MetricFamily processes(
        {"ipc_unexamined_processes", "Processes that could not be examined for what they use."});
    processes.add({}, text(unexamined));
    processes.append_to(out);
    return out + "# EOF\n";
}

} // namespace ipc
