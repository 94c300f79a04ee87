// SPDX-License-Identifier: MIT
#include "report/graph.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "base/text.hpp"
#include "report/graph_node.hpp"

namespace ipc {

namespace {

/// What one process does with one object.
struct Edge {
    bool to_object = false;
    bool to_process = false;
    bool is_firm = false; ///< it has it open or mapped, or holds it
    std::set<std::string> words;
};

void add(Edge& edge, const Object& object, const Use& use) {
    const Figures& figures = object.figures;
    if (figures.get_or(Figure::notify, 0) == use.pid) {
        edge.to_process = true;
        edge.words.insert("is notified");
    }
    switch (use.role) {
    case Role::opens:
        edge.is_firm = true;
        break;
    case Role::reads:
        edge.is_firm = edge.to_process = true;
        break;
    case Role::writes:
        edge.is_firm = edge.to_object = true;
        break;
    case Role::both:
        edge.is_firm = edge.to_object = edge.to_process = true;
        break;
    case Role::holds:
        edge.is_firm = true;
        edge.words.insert("holds");
        break;
    case Role::waits:
        edge.words.insert("waits");
        break;
    case Role::last: {
        const bool has_sent = figures.get_or(Figure::sender, 0) == use.pid;
        const bool has_received = figures.get_or(Figure::receiver, 0) == use.pid;
        edge.to_object |= has_sent;
        edge.to_process |= has_received;
        if (has_sent)
            edge.words.insert("sent last");
        if (has_received)
            edge.words.insert("received last");
        if (!has_sent && !has_received)
            edge.words.insert("last");
        break;
    }
    }
}

class Drawing {
  public:
    explicit Drawing(const ProcessScan& scan) : scan_(scan) {}

    void add(const std::vector<Object>& objects) {
        pair_sockets(objects);
        find_targets(objects);
        for (std::size_t i = 0; i < objects.size(); ++i)
            ids_.push_back(is_connection(objects, i) ? std::string() : id_of(objects[i]));
        for (std::size_t i = 0; i < objects.size(); ++i)
            if (objects[i].kind != ObjectKind::sig)
                add(objects, i);
        for (const auto& [ends, count] : connections_) {
            const auto& [first, second, words] = ends;
            const std::string label = count == 1 ? words : text(words, " \u00d7", count);
            add_edge(process(first), process(second), text("dir=both, label=", dot_label(label)));
        }
    }

    std::string finish() && {
        std::string out = "digraph ipc {\n"
                          "    graph [rankdir=LR];\n"
                          "    node [fontname=\"sans-serif\", fontsize=10];\n"
                          "    edge [fontname=\"sans-serif\", fontsize=8, arrowsize=0.7];\n";
        for (const pid_t pid : processes_) {
            const std::string& command = scan_.command(pid);
            const std::string label =
                command.empty() ? text(pid) : text(pid, '\n', graph_line(command));
            out += text("    ", process_id(pid), " [shape=box, label=", dot_label(label), "];\n");
        }
        return out += nodes_ + edges_ + "}\n";
    }

  private:
    /// Connected sockets name each other. Names repeat, where a server has accepted several.
    void pair_sockets(const std::vector<Object>& objects) {
        std::map<std::pair<std::string_view, std::string_view>, std::vector<std::size_t>> waiting;
        peers_.assign(objects.size(), none);
        for (std::size_t i = 0; i < objects.size(); ++i) {
            const Object& object = objects[i];
            const std::string_view peer = object.detail(Detail::peer);
            if (object.kind != ObjectKind::unix_socket || peer.empty())
                continue;
            std::vector<std::size_t>& others = waiting[{peer, object.name}];
            if (others.empty()) {
                waiting[{object.name, peer}].push_back(i);
                continue;
            }
            peers_[i] = others.front();
            peers_[others.front()] = i;
            others.erase(others.begin());
        }
    }

    /// Any number of datagram sockets may send to one, which then names none of them.
    void find_targets(const std::vector<Object>& objects) {
        std::unordered_map<std::string_view, std::size_t> names;
        for (std::size_t i = 0; i < objects.size(); ++i)
            if (objects[i].kind == ObjectKind::unix_socket)
                names.emplace(objects[i].name, i);
        targets_.assign(objects.size(), none);
        are_targets_.assign(objects.size(), false);
        for (std::size_t i = 0; i < objects.size(); ++i) {
            if (peers_[i] != none)
                continue;
            if (const auto found = names.find(objects[i].detail(Detail::peer));
                found != names.end()) {
                targets_[i] = found->second;
                are_targets_[found->second] = true;
            }
        }
    }

    /// The same name may be there in several namespaces, or stand for several sockets.
    std::string id_of(const Object& object) {
        std::string id = printable(object.full_name());
        if (!taken_.insert(id).second) {
            if (const auto where = object.figures.get(Figure::ns))
                id += text('@', *where);
            while (!taken_.insert(id).second)
                id += '+';
        }
        return dot_id(id);
    }

    static std::string process_id(pid_t pid) { return text("\"process ", pid, '"'); }

    std::string process(pid_t pid) {
        processes_.insert(pid);
        return process_id(pid);
    }

    void add_edge(std::string_view from, std::string_view to, std::string_view attributes) {
        edges_ += text("    ", from, " -> ", to);
        edges_ += attributes.empty() ? std::string(";\n") : text(" [", attributes, "];\n");
    }

    void add(const std::vector<Object>& objects, std::size_t at) {
        const Object& object = objects[at];
        const std::size_t peer = peers_[at];
        if (is_connection(objects, at)) {
            if (at < peer)
                add_connection(object, objects[peer]);
            return;
        }
        // Nothing would be known of it.
        if (is_joint(object) && object.users.empty() &&
            (peer == none || (is_joint(objects[peer]) && objects[peer].users.empty())))
            return;
        if (targets_[at] != none)
            add_edge(ids_[at], ids_[targets_[at]], "");
        if (peer != none && at < peer)
            add_edge(ids_[at], ids_[peer], "dir=both");
        nodes_ += graph_node(object, ids_[at]);
        add_uses(object, ids_[at]);
    }

    /// Whether it and its peer stand between two processes and nobody else: an edge, not two nodes.
    bool is_connection(const std::vector<Object>& objects, std::size_t at) const {
        if (peers_[at] == none || are_targets_[at] || are_targets_[peers_[at]])
            return false;
        const std::vector<Use>& one = objects[at].users;
        const std::vector<Use>& other = objects[peers_[at]].users;
        return one.size() == 1 && other.size() == 1 && one[0].pid != other[0].pid;
    }

    void add_connection(const Object& one, const Object& other) {
        const Object& named = is_joint(one) ? other : one;
        const auto [first, second] = std::minmax(one.users[0].pid, other.users[0].pid);
        ++connections_[{first, second,
                        is_joint(named) ? graph_words(named) : graph_line(named.full_name())}];
    }

    void add_uses(const Object& object, std::string_view id) {
        std::map<pid_t, Edge> uses;
        for (const Use& use : object.users)
            ipc::add(uses[use.pid], object, use);
        for (const auto& [pid, edge] : uses) {
            std::string words;
            for (const std::string& word : edge.words)
                words += text(words.empty() ? "" : ", ", word);
            std::string attributes = edge.to_object && edge.to_process   ? "dir=both"
                                     : edge.to_object || edge.to_process ? ""
                                                                         : "dir=none";
            const auto attribute = [&attributes](std::string_view more) {
                attributes += text(attributes.empty() ? "" : ", ", more);
            };
            if (!words.empty())
                attribute(text("label=", dot_label(words)));
            if (!edge.is_firm)
                attribute("style=dashed");
            const bool is_from_object = edge.to_process && !edge.to_object;
            const std::string box = process(pid);
            add_edge(is_from_object ? id : box, is_from_object ? std::string_view(box) : id,
                     attributes);
        }
    }

    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    const ProcessScan& scan_;
    std::vector<std::string> ids_;
    std::set<std::string> taken_;
    std::vector<std::size_t> peers_;   ///< by object
    std::vector<std::size_t> targets_; ///< by object: where it sends to, of those without peer
    std::vector<bool> are_targets_;
    std::map<std::tuple<pid_t, pid_t, std::string>, std::size_t> connections_;
    std::set<pid_t> processes_;
    std::string nodes_;
    std::string edges_;
};

} // namespace

std::string graph(const std::vector<Object>& objects, const ProcessScan& scan) {
    Drawing drawing(scan);
    drawing.add(objects);
    return std::move(drawing).finish();
}

} // namespace ipc
