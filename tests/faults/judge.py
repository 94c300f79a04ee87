# SPDX-License-Identifier: MIT
"""What every run is held to, and the accounts of each kind of tool. A judge says what is wrong."""

import collections
import os
import pwd
import re
import signal

import errnos
import queues

DEADLY = {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGILL, signal.SIGFPE,
          signal.SIGTRAP, signal.SIGSYS, signal.SIGPIPE, signal.SIGXFSZ}
TROUBLE, WRAPPER_TROUBLE, LOST = 2, 125, 3


def problems(run, sound):
    """Of `run`, where `sound` is one of the same case without a fault."""
    found = [f"{stranger} is left" for stranger in run.strangers]
    if run.hung:
        return [*found, "it hangs"]
    if -run.status in DEADLY:
        found.append(f"killed by {signal.Signals(-run.status).name}")
    if b"Sanitizer" in run.stderr or b"runtime error" in run.stderr:
        found.append("the sanitizer complains")
    if not is_killed(run):
        found += status_problems(run, sound)
    return found + run.case.account(run, sound)


def is_killed(run):
    return run.status == -signal.SIGKILL


def is_ended(run):
    """By the signal that was to end it."""
    return run.fault.effect in ("SIGTERM", "SIGUSR1") and \
        run.status == -getattr(signal, run.fault.effect)


def is_sound(run, sound):
    """Whether it claims that the fault did not matter."""
    return run.status == sound.status


def status_problems(run, sound):
    effect = run.fault.effect
    if is_sound(run, sound):
        return [f"it ignores {line.split(maxsplit=1)[1]}" for line in run.hits
                if sound.status == 0 and re.search(errnos.UNIGNORABLE, line)]
    if is_ended(run):
        return []
    if run.fault.is_signal:
        number = getattr(signal, effect)
        if run.hit_child and run.status in (128 + number, WRAPPER_TROUBLE):
            return []
        return [f"status {run.status} after {effect}"]
    if effect and not run.fault.lasts and \
            any(re.search(errnos.INVISIBLE, line) for line in run.hits):
        return [f"status {run.status} after {effect}"]
    allowed = {LOST, *run.case.statuses}
    allowed |= {WRAPPER_TROUBLE, 126, 127} if run.case.command else {TROUBLE}
    found = [] if run.status in allowed else [f"status {run.status}"]
    if run.status == LOST and not queues.carried(run.stderr):
        found.append("status 3, and nothing on stderr")
    return found + diagnostic_problems(run)


def diagnostic_problems(run):
    tool = run.case.argv[0]
    lines = [line for line in run.stderr.decode(errors="replace").splitlines()
             if line.startswith(f"{tool}: ")]
    if not lines:
        return ["no diagnostic"]
    named = "|".join(map(re.escape, [*run.case.queues, *run.case.memory, *run.case.semaphores,
                                     *run.case.names, *run.case.command[:1],
                                     "COMMAND", "MQ_", "stdin", "stdout"]))
    named += "|cannot (create a timer|read signals|wait):"
    named += r"|\d+(?=:)" if "PID" in run.case.argv or run.case.is_tracer else ""
    if not any(re.match(rf"{tool}: ({named}|out of memory)", line) for line in lines):
        return [f"the diagnostic names no object: {lines[0]}"]
    return []


# ---- The accounts ----


def messages_in(run, *names):
    return [message for name in names or run.left for message in run.left.get(name, [])]


def compare(wanted, found, what):
    wanted, found = collections.Counter(wanted), collections.Counter(found)
    return [f"{what}: {word} {message!r:.60}"
            for word, rest in (("lost", wanted - found), ("too much", found - wanted))
            for message in rest]


def sending(run, sound):
    """Each record was sent, in order and whole, or is still in the input, and we are told."""
    case = run.case
    before = [message for messages, _ in case.queues.values() for message in messages]
    after = collections.Counter(messages_in(run) + run.taken)
    for count in range(len(case.records) + 1):
        if after == collections.Counter(before + case.records[:count]):
            break
    else:
        return [*compare(before + case.records, after.elements(), "sent"), "it is no beginning"]
    if is_sound(run, sound):
        return [] if count == case.sends else [f"status {run.status}, {count} sent"]
    if is_killed(run) or not case.sizes:
        return []
    said = re.search(rb"(\d+) sent", run.stderr)
    if said:
        return [] if int(said[1]) == count * case.packed else \
            [f"it says {int(said[1])} sent, but sent {count}"]
    if count in (0, case.sends) if case.stdin_is_pipe else run.offset == sum(case.sizes[:count]):
        return []
    return [f"{count} sent, and neither stdin nor stderr says so"]


def receiving(run, sound):
    """Each message is delivered, queued, or on stderr; SIGKILL may lose what was in hand."""
    sent = [message for messages, _ in run.case.queues.values() for message in messages]
    sent += run.added
    output = output_of(run)
    found = queues.discrepancies(sent, output, messages_in(run), stderr_of(run))
    if is_killed(run):
        found = [problem for problem in found if problem.startswith("too much")]
    if is_sound(run, sound) and not same(output, output_of(sound), run.case):
        found.append("the output differs, and the status does not say so")
    return found


def output_of(run):
    """What was received, in the form of -P."""
    if run.case.command:
        return run.files.get("out", b"")
    if run.case.is_json:
        whole = run.stdout[:len(run.stdout) - len(cut_record(run))]
        return b"".join(queues.record(message) + b"\n" for message in queues.carried(whole))
    return run.stdout


def cut_record(run):
    """What was written of a record that did not get to its end."""
    return run.stdout.rpartition(b"\n")[2]


def stderr_of(run):
    """Without the cut of a record that is not in the form of -P, if it is as stderr says."""
    if run.case.is_json:
        return run.stderr.replace(b", the first was cut after %d bytes" % len(cut_record(run)), b"")
    return run.stderr


def same(output, expected, case):
    """What others send meanwhile may come early."""
    if case.asleep:
        return sorted(output.splitlines()) == sorted(expected.splitlines())
    return output == expected


def watching(run, sound):
    """Nothing is taken; what is printed is what there is."""
    sent = [message for messages, _ in run.case.queues.values() for message in messages]
    there = messages_in(run) + run.taken
    found = [] if is_killed(run) else compare(sent + run.added, there, "queued")
    found += memory_problems(run, sound)
    if is_sound(run, sound) and stable(run) != stable(sound):
        found.append("the output differs, and the status does not say so")
    return found


def memory_problems(run, sound):
    """Of objects that are not stored into: each is as it was, or as it is when all is well."""
    return [f"the content of {name} is {content!r:.60}" for name, content in run.memory.items()
            if content not in (run.case.memory.get(name, content), sound.memory.get(name))]


def stable(run):
    """Output without what differs from run to run; a number may stand for a name."""
    text = run.stdout.decode(errors="replace")
    passing = r"inode|device|id|\w*time|send|recv|sender|receiver|attach|detach|cpid|lastpid"
    text = re.sub(rf'\b({passing})("?[=:])"?[^",\n]*', r"\1\2", text)
    text = re.sub(r'\b(owner|group|creator)("?[=:]"?)0\b', r"\1\2root", text)
    return re.sub(r"(\S+) \d+ (\d+)$", r"\1 PID \2", text, flags=re.M)


def changing(run, sound):
    """Nothing is taken, and what is claimed to have been changed was."""
    return watching(run, sound) + mode_problems(run, sound)


def mode_problems(run, sound):
    return [f"the mode of {name} is {mode:o}" for name, mode in run.modes.items()
            if is_sound(run, sound) and mode != sound.modes.get(name, mode)]


def using(run, sound):
    """The values of semaphores are as they were, but for what the status says; nobody can tell
    whether the last call of what was killed was done."""
    case = run.case
    found = []
    for name, before in case.semaphores.items():
        before = [before[0] + len(run.added), *before[1:]]
        done = [value + change for value, change in zip(before, case.changes or (0, 0))]
        allowed = [done] if is_sound(run, sound) else [before]
        if is_killed(run) or (is_ended(run) and case.argv[1] != "wait"):
            allowed = [before, done]
        if run.values.get(name) not in allowed:
            found.append(f"{name} is {run.values.get(name)} and not {allowed}")
    if is_sound(run, sound) and stable(run) != stable(sound):
        found.append("the output differs, and the status does not say so")
    return found


def creating(run, sound):
    """What was made is named on stdout, and what is not named was not made."""
    there = {*run.left, *run.memory}
    made = there - {*run.case.queues, *run.case.memory, *run.case.semaphores}
    named = {line.decode() for line in run.stdout.split(b"\n")[:-1]}
    if is_killed(run) or is_ended(run):
        return []
    found = [f"{name} is named but not there" for name in named - there]
    if not is_sound(run, sound):
        found += [f"{name} was made, and nobody is told" for name in made - named]
    elif len(made) != len(run.case.creates):
        found.append(f"made: {made}")
    return found + mode_problems(run, sound)


def removing(run, sound):
    there = [*run.left, *run.memory]
    return [f"{name} is still there" for name in there] if is_sound(run, sound) else []


def listing(run, sound):
    """What is listed is as it is, or left empty, or `unknown` where it is a state. What is not listed
    was said to be gone by the kernel, or it is said that it is missing."""
    if not is_sound(run, sound) or run.stderr:
        return []
    is_limits = "--limits" in run.case.argv
    own = {pwd.getpwuid(os.getuid()).pw_name.encode(), b"%d" % os.getuid()}

    def rows(output):
        for cells in (line.split(b" ") for line in output.splitlines()):
            # Other users come and go.
            if not (is_limits and cells[0].startswith(b"RLIMIT_") and not own & {*cells[1:2]}):
                yield cells

    expected = {cells[0]: cells for cells in rows(sound.stdout)}
    found = []
    for cells in rows(run.stdout):
        wanted = expected.pop(cells[0], None)
        if wanted is None or len(cells) != len(wanted) or not is_limits and \
                any(not is_part(cell, other) for cell, other in zip(cells, wanted)):
            found.append(f"listed: {b' '.join(cells)!r}, not {wanted}")
    return found + [f"{name!r} is not listed" for name in expected if not is_refused(run)]


def is_part(cell, whole):
    """Whether a cell has nothing that is not so: a process may be there without its command."""
    return cell in (b"", b"unknown", whole) or (cell.isdigit() and whole.startswith(cell + b":"))


def is_refused(run):
    """Whether the kernel said that something is gone, or not to be seen."""
    return any(re.search(r" (ENOENT|ESRCH|EINVAL|EIDRM|EACCES|EPERM) ", line) for line in run.hits)


def is_unexamined(run):
    """Whether the kernel showed less of a process, and not for want of something of ours: such are
    only counted."""
    return is_refused(run) or any(re.search(r"(openat|getdents64)\(.* (ELOOP|EIO) ", line)
                                  for line in run.hits)


def drawing(run, sound):
    """What is drawn is as it is, but for what is not known: second lines of labels, which way an edge
    points, and, where nobody is seen to use it, that an object is used. An object that is not drawn
    was said to be gone, or not to be seen, or it is said that it is missing; a process may also be
    one that could not be examined."""
    if not is_sound(run, sound) or run.stderr:
        return []
    drawn, expected = (output.stdout.decode().splitlines() for output in (run, sound))
    has_edges = any(" -> " in line for line in drawn)
    found = []
    for line in expected:
        is_of_process = "shape=box" in line or " -> " in line
        is_excused = is_unexamined(run) if is_of_process else is_refused(run) and "[label=" in line
        short = re.sub(r'(label="[^"\\]*)\\n[^"]*"', r'\1"', line)
        forms = {line, short, line.replace("dir=both", "dir=none")}
        if not has_edges:
            forms |= {form.replace("style=filled", "style=dotted, color=gray50, fontcolor=gray50")
                      for form in (line, short)}
        there = [form for form in drawn if form in forms]
        if not there and not is_excused:
            found.append(f"not drawn: {line}")
        drawn = [other for other in drawn if other not in there[:1]]
    return found + [f"drawn: {line}" for line in drawn]


def measuring(run, sound):
    """Each figure is as it is, and each object counts, in its state or as unknown. What is left out
    was said to be gone, or not to be seen, or it is said that it is missing, but for the figures of
    one object."""
    if not is_sound(run, sound) or run.stderr:
        return []
    own = pwd.getpwuid(os.getuid()).pw_name

    def lines(output):
        for line in output.decode().replace(f'user="{os.getuid()}"', f'user="{own}"').splitlines():
            # Others use up the same limits, and other users and processes come and go.
            user = re.search(r'user="([^"]*)"', line)
            if (not user or user[1] == own) and not re.match(
                    r'ipc_limit_used\{limit="(RLIMIT_|fs\.file)|ipc_unexamined', line):
                yield line

    def counts(series):
        """By kind and family, then by state."""
        table = collections.defaultdict(collections.Counter)
        for line in series:
            if match := re.fullmatch(r'ipc_objects\{(.*),state="(.*)"\} (\d+)', line):
                table[match[1]][match[2]] = int(match[3])
        return table

    given, expected = list(lines(run.stdout)), list(lines(sound.stdout))
    found = [] if given[-1:] == ["# EOF"] else ["the end is missing"]
    for kind, states in counts(expected).items():
        ours = counts(given)[kind]
        found += [f"{kind} {state}: {ours[state]}, not {count}" for state, count in states.items()
                  if ours[state] > count and state != "unknown"]
        difference = ours.total() - states.total()
        if difference > 0 or (difference < 0 and not is_refused(run)):
            found.append(f"{kind}: there are {ours.total()}")
    apart = ["ipc_objects{"]
    if counts(given) != counts(expected):  # the limits are used accordingly
        apart.append('ipc_limit_used{limit="fs.mqueue.')
    others = [[line for line in series if not line.startswith(tuple(apart))]
              for series in (given, expected)]
    found += [f"given: {line}" for line in others[0] if line not in others[1]]
    return found + [f"not given: {line}" for line in others[1] if line not in others[0]
                    and not is_refused(run) and not re.match(r"(# \w+ )?ipc_queue_", line)]


def cleaning(run, sound):
    """What is said to be removed is gone, and what is gone is said, but by who was killed between
    the two, or cannot say it."""
    all_names = {*run.case.queues, *run.case.memory}
    there = {*run.left, *run.memory} & all_names
    said = {name for name in all_names
            if re.search(rf"(?m)(^|\()removed \w+:{re.escape(name)}: ",
                         (run.stdout + b"\n" + run.stderr).decode(errors="replace"))}
    found = [f"{name} is said to be removed, and is there" for name in said & there]
    if not is_killed(run):
        found += [f"{name} is gone, and nobody is told" for name in all_names - there - said]
    if is_sound(run, sound):
        found += [f"{name} is still there" for name in there]
    return found


def stored(before, offset, data):
    """What an object holds when `data` was stored at the offset."""
    if not data:
        return before
    return before[:offset].ljust(offset, b"\0") + data + before[offset + len(data):]


def storing(run, sound):
    """What is stored is a beginning of the input, and as long as stderr says. If it does not say,
    that is all of it, or nothing is changed and nothing made."""
    case = run.case
    if run.status == 0:
        return [] if run.memory == sound.memory else [f"stored: {run.memory!r:.80}"]
    if not run.memory:
        return [] if case.creates else ["the object is gone"]
    (name, after), = run.memory.items()
    before = case.memory.get(name, bytes(case.new_size))
    said = re.search(rb"(\d+) bytes stored", run.stderr)
    if is_killed(run) or spoilt_stderr(run):
        counts = range(len(case.stdin) + 1)
    elif said:
        counts = [int(said[1])]
    else:
        counts = [len(case.stdin)] if name in case.creates else [0, len(case.stdin)]
    if any(after == stored(before, case.offset, case.stdin[:count]) for count in counts):
        return []
    return [f"it says {said and said[0]}, and there is {after!r:.80}"]


def fanning_out(run, sound):
    """Each output is a beginning of the input, and all of it if nothing is said. What was made is
    gone, unless it is said that it cannot be removed."""
    found = [] if is_killed(run) or b"cannot remove" in run.stderr else \
        [f"{name} is left" for name in run.fifos_left]
    found += [f"{name} is gone" for name in run.case.readers if not (run.fifos.keys() & {name})]
    outputs = {"stdout": run.stdout, **run.fifos}
    for name, output in outputs.items():
        expected = sound.stdout if name == "stdout" else run.case.stdin
        if not expected.startswith(output):
            found.append(f"{name} got {output[-80:]!r}")
        elif is_sound(run, sound) and output != expected:
            found.append(f"{name} got {len(output)} bytes, and the status does not say so")
    return found


def fanning_in(run, sound):
    """What is printed are whole records, each FIFO's in its order, and all if nothing is said."""
    found = [] if is_killed(run) or b"cannot remove" in run.stderr else \
        [f"{name} is left" for name in run.fifos_left]
    records, expected = (re.findall(rb"[^\n\0]*[\n\0]?", text)[:-1]
                         for text in (run.stdout, sound.stdout))
    if is_sound(run, sound):
        found += compare(expected, records, "printed")
    elif run.fault.what != "fsize" and not set(records) <= set(expected):
        found.append(f"the output is {run.stdout!r:.80}")
    return found


def spoilt_stderr(run):
    return any(re.search(r"write\(2,", line) for line in run.hits)


def printing(run, sound):
    """What is printed is a beginning of what should be, and all of it if nothing is said."""
    found = memory_problems(run, sound)
    if run.status == 0 and run.stdout != sound.stdout:
        found.append("the output differs, and the status does not say so")
    if not sound.stdout.startswith(run.stdout):
        found.append(f"the output is {run.stdout!r:.80}")
    return found


def following(run, sound):
    """The same where the object changes once it was printed, and goes once that was, too."""
    (before,), (after,) = run.case.memory.values(), run.case.later.values()
    if run.stdout == before + after:
        return []
    if run.status == 0 or not (before + after).startswith(run.stdout):
        return [f"printed: {run.stdout!r:.80}"]
    return []


def streaming(run, sound):
    """What arrives is a beginning of what was sent, and all of it where either side says so. The
    other side learns of our end, and nothing is left."""
    writes, sent, peer = "-W" in run.case.argv, run.case.stdin, run.peer
    received = peer.stdout if writes else run.stdout
    found = []
    if not sent.startswith(received):
        found.append(f"what arrived is not what was sent: {len(received)} bytes")
    elif received != sent and 0 in (run.status, peer.status):
        found.append(f"{len(received)} bytes arrived, and one side says all")
    if peer.is_unaware:
        found.append("the other side does not notice")
    if peer.status not in (0, TROUBLE, -signal.SIGTERM):
        found.append(f"status {peer.status} of the other side")
    if run.memory and not is_killed(run) and not is_removal_spoilt(run):
        found.append("the object is left")
    return found


def is_removal_spoilt(run):
    return any(re.search(r"unlink|renameat2|IPC_RMID|IPC_STAT|newfstatat", line) for line in run.hits)


def signalling(run, sound):
    """What it says that it sent has come, and what it says that it waited for has ended."""
    if not is_sound(run, sound):
        return []
    found = []
    if run.stdout != sound.stdout:
        found.append("the output differs, and the status does not say so")
    if run.victim != sound.victim and b"still there" not in run.stderr:
        found.append(f"the process is {run.victim}, not {sound.victim}")
    return found


def telling(run, sound):
    """What it says that it told of is told, and what it was to run has run."""
    if not is_sound(run, sound):
        return []
    found = []
    if told_in(run.stdout + run.stderr) != told_in(sound.stdout + sound.stderr):
        found.append("the output differs, and the status does not say so")
    if run.files != sound.files:
        found.append(f"what ran wrote {run.files}")
    if run.case.victim and run.victim != sound.victim:
        found.append(f"the process is {run.victim}, not {sound.victim}")
    return found


def told_in(lines):
    """Of each line about a signal, what does not differ from run to run: signal and code."""
    return [re.findall(rb'"(?:signal|code)":"([^"]*)"', line) or line.split()[1:3]
            for line in lines.splitlines() if re.match(rb"\{|\d{4}-", line)]
