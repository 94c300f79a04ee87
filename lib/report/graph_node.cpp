// SPDX-License-Identifier: MIT
#include "report/graph_node.hpp"

#include "base/display_width.hpp"
#include "base/format_size.hpp"
#include "base/text.hpp"

namespace ipc {

namespace {

bool is_memory(ObjectKind kind) noexcept {
    return kind == ObjectKind::shm || kind == ObjectKind::memfd || kind == ObjectKind::map;
}

std::string counted(std::int64_t count, std::string_view what) {
    return text(count, ' ', what, count == 1 ? "" : "s");
}

std::string_view look(ObjectKind kind) noexcept {
    switch (kind) {
    case ObjectKind::mq:
        return "shape=ellipse, fillcolor=\"#fde9b8\"";
    case ObjectKind::sem:
        return "shape=hexagon, fillcolor=\"#f8d0c8\"";
    case ObjectKind::shm:
    case ObjectKind::memfd:
    case ObjectKind::map:
        return "shape=cylinder, fillcolor=\"#cfe8cf\"";
    case ObjectKind::lock:
        return "shape=octagon, fillcolor=\"#e6d5ee\"";
    default:
        return "shape=ellipse, fillcolor=\"#d5e4f7\"";
    }
}

} // namespace

std::string dot_id(std::string_view name) {
    std::string out = "\"";
    for (const char c : name) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += c;
    }
    return out += '"';
}

std::string dot_label(std::string_view lines) {
    std::string out = "\"";
    for (const char c : lines)
        if (c == '\n')
            out += "\\n";
        else if (c == '&')
            out += "&amp;";
        else if (c == '"' || c == '\\')
            out += text('\\', c);
        else
            out += c;
    return out += '"';
}

std::string graph_line(std::string_view name) {
    constexpr std::size_t widest = 48;
    std::string line = printable(name);
    if (display_width(line) > widest)
        line = text(std::string_view(line).substr(0, bytes_within(line, widest - 1)), "\u2026");
    return line;
}

bool is_joint(const Object& object) noexcept {
    switch (object.kind) {
    case ObjectKind::pipe:
    case ObjectKind::eventfd:
        return true;
    case ObjectKind::unix_socket:
        return object.name.starts_with("socket:[");
    default:
        return false;
    }
}

std::string graph_words(const Object& object) {
    const Figures& figures = object.figures;
    if (is_memory(object.kind)) {
        const auto size = figures.get(Figure::size);
        return !size ? std::string() : *size < 1024 ? counted(*size, "byte") : short_size(*size);
    }
    switch (object.kind) {
    case ObjectKind::mq: {
        if (!figures.has(Figure::msgs))
            return {};
        std::string line = counted(figures.get_or(Figure::msgs, 0), "message");
        if (figures.has(Figure::maxmsg))
            line += text(" of ", figures.get_or(Figure::maxmsg, 0));
        return line;
    }
    case ObjectKind::sem:
    case ObjectKind::eventfd: {
        std::string line;
        if (figures.has(Figure::value))
            line = text("value ", figures.get_or(Figure::value, 0));
        else if (figures.has(Figure::nsems))
            line = counted(figures.get_or(Figure::nsems, 0), "semaphore");
        if (const std::int64_t waiters = figures.get_or(Figure::waiters, 0); waiters > 0)
            line += text(line.empty() ? "" : ", ", waiters, " waiting");
        return line;
    }
    case ObjectKind::lock:
        return text(object.detail(Detail::type), ' ', object.detail(Detail::region));
    case ObjectKind::fifo:
    case ObjectKind::pipe: {
        const std::int64_t unread = figures.get_or(Figure::used, 0);
        return unread > 0 ? text(short_size(unread), " unread") : std::string();
    }
    default:
        return std::string(object.detail(Detail::type));
    }
}

std::string graph_node(const Object& object, std::string_view id) {
    const bool is_unused = object.state == State::unused || object.state == State::idle ||
                           object.state == State::orphan;
    const std::string words = graph_words(object);
    std::string name = graph_line(object.full_name());
    if (object.state == State::malformed)
        name += "\nmalformed";
    std::string out = text("    ", id, " [");
    if (is_joint(object)) {
        out += text("shape=point, width=0.08, tooltip=", dot_label(name));
        if (!words.empty() && object.kind != ObjectKind::unix_socket)
            out += text(", xlabel=", dot_label(words), ", fontsize=8");
        if (is_unused)
            out += ", color=gray";
    } else {
        if (!words.empty())
            name += text('\n', graph_line(words));
        out += text("label=", dot_label(name), ", ", look(object.kind));
        out += is_unused ? ", style=dotted, color=gray50, fontcolor=gray50" : ", style=filled";
    }
    return out += "];\n";
}

} // namespace ipc
