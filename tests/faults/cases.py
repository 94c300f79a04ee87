# SPDX-License-Identifier: MIT
"""The runs that faults are done to: a row for each. A new tool joins with rows of its own."""

import dataclasses
import os
import signal

import judge
import memory
import queues
import semaphores

POSIX, SYSV, OTHER = "/faults", "key:0x6661756c", "/others"


@dataclasses.dataclass(frozen=True)
class Case:
    name: str
    argv: tuple
    account: object  # of judge.py
    status: int = 0  # when all is well
    statuses: tuple = ()  # others that are right as well
    queues: dict = dataclasses.field(default_factory=dict)  # name: its messages, its settings
    is_held: bool = False  # these are open elsewhere while it runs
    memory: dict = dataclasses.field(default_factory=dict)  # name: its content
    semaphores: dict = dataclasses.field(default_factory=dict)  # name: its values
    changes: tuple = ()  # what it does to them when all is well
    stdin: bytes = b""
    stdin_is_pipe: bool = False
    fifos: dict = dataclasses.field(default_factory=dict)  # name: bytes that come from writers
    readers: tuple = ()  # FIFOs that are there, and have a reader
    makes: tuple = ()  # FIFOs that it makes, and removes
    asleep: object = None  # what others do each time that it sleeps
    names: tuple = ()  # what a diagnostic may name besides these objects
    creates: tuple = ()  # patterns of the objects that it makes
    writes: tuple = ()  # files that its COMMAND writes
    is_json: bool = False  # what it prints
    is_tracer: bool = False  # of its COMMAND, which strace leaves to it
    victim: str = ""  # what the process does whose number stands for PID in argv: ends, ignores, stays
    # Senders:
    records: tuple = ()  # what its input holds
    sizes: tuple = ()  # of what stands for each in the input
    packed: int = 1  # records that each of them is said to be
    sends: int = 0  # of those, when all is well

    # Shared memory:
    offset: int = 0  # where it stores
    new_size: int = 0  # of what it makes
    later: dict = dataclasses.field(default_factory=dict)  # what others store meanwhile
    # Streams:
    peer: tuple = ()  # the other side, to which no fault is done; with the same stdin

    @property
    def tool(self):
        return self.argv[0]

    @property
    def command(self):
        """That it runs, if it does."""
        return self.argv[self.argv.index("--") + 1:] if "--" in self.argv else ()


MESSAGES = [(3, b"three"), (1, b""), (5, b"five " * 10), (1, b"one")]


def queue(name=POSIX, messages=MESSAGES, **settings):
    return {name: (messages, settings)}


# ---- What others do meanwhile ----


def take_one(run, _):
    """Room comes, one message at a time."""
    found = queues.open_queue(next(iter(run.case.queues)))
    try:
        run.taken.append(found.receive())
    except OSError:
        pass


def send_then_remove(run, times):
    """A message comes; after that the queue goes."""
    name = next(iter(run.case.queues))
    if times == 0:
        add_one(run, times)
    elif name in queues.list_queues():
        queues.remove_queue(name)


def remove_late(run, times):
    """The queue goes when it is looked after but rarely, which begins after an eighth of a second."""
    if times == 60:
        queues.remove_queue(next(iter(run.case.queues)))


def add_one(run, times):
    if times == 0:
        message = (2, b"late")
        queues.open_queue(next(iter(run.case.queues))).send(*message)
        run.added.append(message)


def add_then_remove_late(run, times):
    add_one(run, times)
    if times == 60:
        run.taken += queues.drain(queues.open_queue(next(iter(run.case.queues))))
        remove_late(run, times)


def change_then_remove(run, _):
    """Memory changes when it has been printed; after the next print it goes."""
    (name, content), = run.case.later.items()
    printed = run.output.stat().st_size
    if printed == len(content) and memory.read(name) != content:
        memory.write(name, content)
    if printed == 2 * len(content) and name in memory.names():
        memory.remove(name)


def come_to_read(run, times):
    """The reader of a FIFO that the tool has made."""
    for name in run.case.makes:
        run.open_reader(name)


def leave(run, times):
    """The writers of all FIFOs leave."""
    run.close_writers()


def leave_and_remove(run, times):
    """The same; and later the FIFOs go."""
    leave(run, times)
    if times == 60:
        for name in run.case.fifos:
            (run.work / name).unlink(missing_ok=True)


def read_on(run, times):
    run.read_fifos()


def come_late_to_read(run, times):
    """The same when it has been waited for so long that inotify(7) is to tell."""
    if times == 60:
        come_to_read(run, times)


# ---- The rows ----


def sender(name, *options, target=None, pipe=False, records=MESSAGES, text=None, **more):
    """It sends MESSAGES, of which `text` is the form, by default that of -P."""
    pieces = text or [queues.record(record) + b"\n" for record in records]
    target = target or queue(messages=[])
    more = {"sends": len(records), **more}
    yield Case(name, ("mqsend", *options, next(iter(target))), judge.sending, queues=target,
               stdin=b"".join(pieces), stdin_is_pipe=pipe, records=list(records),
               sizes=[len(piece) for piece in pieces], **more)


def senders():
    one = [(1, b"x" * 100)]
    big = [(1, b"y" * 8000)]
    for family, name in ("posix", POSIX), ("sysv", SYSV):
        yield from sender(f"mqsend.{family}", "-P", target=queue(name, []))
        yield from sender(f"mqsend.{family}.pipe", "-P", target=queue(name, []), pipe=True)
        full = queue(name, one * 2, maxmsg=2) if family == "posix" else queue(name, big * 2)
        block = MESSAGES if family == "posix" else [(2, b"z" * 1000)] * 3
        yield from sender(f"mqsend.{family}.full", "-P", target=full, records=block,
                          asleep=take_one)
        yield from sender(f"mqsend.{family}.full.n", "-nP", target=full, records=block, status=1,
                          sends=0)
        yield from sender(f"mqsend.{family}.full.w", "-w", "0.02", "-P", target=full,
                          records=block, status=124, sends=0)
    plain = [(0, message) for _, message in MESSAGES]
    yield from sender("mqsend.null", "-0", records=plain,
                      text=[message + b"\0" for _, message in plain])
    yield from sender("mqsend.netstring", "-F", "netstring", records=plain,
                      text=[b"%d:%s," % (len(m), m) for _, m in plain])
    yield from sender("mqsend.json", "-J", text=[
        b'{"priority":%d,"data":"%s"}\n' % message for message in MESSAGES])
    yield from sender("mqsend.whole", "-F", "whole", records=plain[2:3], text=[plain[2][1]])
    yield from sender("mqsend.pack", "--pack", records=[(0, b"a\nb\nc")], text=[b"a\nb\nc\n"],
                      packed=3)
    yield Case("mqsend.operands", ("mqsend", "-v", POSIX, "one", "two"), judge.sending,
               queues=queue(messages=[]), records=[(0, b"one"), (0, b"two")], sends=2)


SMALL = ("--maxmsg", "5", "--msgsize", "128")


def creating_senders():
    for family, name, size in ("posix", POSIX, SMALL), ("sysv", SYSV, ()):
        pieces = [queues.record(message) + b"\n" for message in MESSAGES]
        yield Case(f"mqsend.{family}.create",
                   ("mqsend", "--create", "-m", "0640", *size, "-P", name), judge.sending,
                   creates=(name,), records=MESSAGES, sends=len(MESSAGES), names=(name,),
                   stdin=b"".join(pieces),
                   sizes=[len(piece) for piece in pieces])


def receivers():
    command = ("sh", "-ec", 'text=$(cat); printf "%s\\t%s\\n" "$MQ_PRIORITY" "$text" >>out')
    for family, name in ("posix", POSIX), ("sysv", SYSV):
        def receiver(what, *options, account=judge.receiving, **more):
            return Case(f"mqreceive.{family}.{what}", ("mqreceive", *options), account,
                        **{"queues": queue(name), **more})
        yield receiver("all", "-aP", name)
        yield receiver("count", "-P", "-c", "3", name)
        yield receiver("unbuffered", "-auP", name)
        yield receiver("json", "-aJ", name, is_json=True)
        yield receiver("progress", "-aPv", "--progress", name)
        yield receiver("none", "-n", name, queues=queue(name, []), status=1)
        yield receiver("timeout", "-P", "-w", "0.02", "-c", "9", name, status=124)
        yield receiver("wait", "-P", "-c", "5", name, asleep=add_one)
        yield receiver("follow", "-fP", name, asleep=send_then_remove)
        yield receiver("removed", "-fP", name, asleep=remove_late)
        yield receiver("command", "-a", name, "--", *command, writes=("out",))
        yield receiver("retries", "--retries", "1", name, "--", "sh", "-c", "exit 5", status=5)
        yield receiver("missing", name, "--", "./no-such-command", status=127)
    yield Case("mqreceive.dead-letter",
               ("mqreceive", "-a", "--dead-letter", OTHER, POSIX, "--", "false"),
               judge.receiving, queues={**queue(), **queue(OTHER, [])}, statuses=(1,))
    yield Case("mqreceive.type", ("mqreceive", "-aP", "-t", "1", SYSV), judge.receiving,
               queues=queue(SYSV))
    yield Case("mqreceive.peek", ("mqreceive", "-aP", "--peek", SYSV), judge.watching,
               queues=queue(SYSV))


def watchers():
    empty = queue(messages=[])

    def watcher(what, *options, **more):
        return Case(f"mqnotify.{what}", ("mqnotify", *options), judge.watching,
                    **{"queues": empty, **more})
    yield watcher("there", POSIX, queues=queue())
    yield watcher("wait", POSIX, asleep=add_one)
    yield watcher("wait.ready", "--ready-fd", "1", POSIX, asleep=add_one,
                  names=("--ready-fd", "descriptor"))
    yield watcher("two", POSIX, OTHER, queues={**empty, **queue(OTHER, [])}, asleep=add_one)
    yield watcher("poll", "-e", POSIX, asleep=add_one)
    yield watcher("follow", "-f", POSIX, asleep=add_then_remove_late)
    yield watcher("timeout", "-w", "0.02", POSIX, status=124)
    yield watcher("timeout.poll", "-e", "-w", "0.02", POSIX, status=124)
    yield watcher("command", POSIX, "--", "true", asleep=add_one)


def controllers():
    def controller(what, *arguments, **more):
        return Case(f"mqctl.{what}", ("mqctl", *arguments), **more)
    yield controller("create.private", "create", "private", account=judge.creating,
                     creates=("id:*",), names=("private", "id:"))
    for family, name, size in ("posix", POSIX, SMALL), ("sysv", SYSV, ("--maxbytes", "4096")):
        yield controller(f"create.{family}", "create", "-x", "-m", "0640", *size, name,
                         account=judge.creating, creates=(name,), names=(name,))
        yield controller(f"create.{family}.there", "create", name, account=judge.creating,
                         queues=queue(name))
        yield controller(f"show.{family}", "show", name, account=judge.watching,
                         queues=queue(name))
        yield controller(f"show.{family}.json", "show", "-J", name, account=judge.watching,
                         queues=queue(name))
        yield controller(f"set.{family}", "set", "-m", "0620", "--owner", "root", name,
                         account=judge.changing, queues=queue(name), names=("root", "--owner"))
        yield controller(f"rm.{family}", "rm", name, account=judge.removing, queues=queue(name))
        yield controller(f"rm.{family}.none", "rm", "-f", name, account=judge.removing,
                         names=(name,))


CONTENT, INPUT = b"the content of it", b"some input"


def memory_readers():
    for family, name in ("posix", POSIX), ("sysv", SYSV):
        def reader(what, *options, account=judge.printing, **more):
            return Case(f"shmcat.{family}.{what}", ("shmcat", *options, name), account,
                        memory={name: CONTENT}, **more)
        yield reader("all")
        yield reader("range", "-o", "4", "-l", "7")
        yield reader("short", "-o", "4", "-l", "70", status=2)
        yield reader("follow", "-f0.01", account=judge.following, asleep=change_then_remove,
                     later={name: CONTENT.upper()})


def memory_writers():
    for family, name in ("posix", POSIX), ("sysv", SYSV):
        def writer(what, *options, content=CONTENT, **more):
            return Case(f"shmcat.{family}.{what}", ("shmcat", "-W", *options, name), judge.storing,
                        **{"stdin": INPUT, "memory": {name: content}, **more})
        yield writer("file", "-o", "3", offset=3)
        yield writer("pipe", "-o", "3", offset=3, stdin_is_pipe=True)
        yield writer("create", "--create=20", memory={}, creates=(name,), new_size=20,
                     names=(name,))
        if family == "posix":
            yield writer("grow", "-o", "30", offset=30)
            yield writer("truncate", "--truncate", content=b"")
        else:
            yield writer("full", content=CONTENT[:4], stdin_is_pipe=True, status=2)


def memory_controllers():
    def controller(what, *arguments, **more):
        return Case(f"shmctl.{what}", ("shmctl", *arguments), **more)
    yield controller("create.private", "create", "-s", "10", "private", account=judge.creating,
                     creates=("id:*",), names=("private", "id:"))
    for family, name in ("posix", POSIX), ("sysv", SYSV):
        there = {name: CONTENT}
        yield controller(f"create.{family}", "create", "-x", "-m", "0640", "-s", "10", name,
                         account=judge.creating, creates=(name,), names=(name,))
        yield controller(f"create.{family}.there", "create", "-s", "10", name,
                         account=judge.creating, memory=there)
        yield controller(f"show.{family}", "show", name, account=judge.watching, memory=there)
        yield controller(f"show.{family}.json", "show", "-J", name, account=judge.watching,
                         memory=there)
        yield controller(f"set.{family}", "set", "-m", "0620", "--owner", "root", name,
                         account=judge.changing, memory=there, names=("root", "--owner"))
        yield controller(f"rm.{family}", "rm", name, account=judge.removing, memory=there)
        yield controller(f"rm.{family}.none", "rm", "-f", name, account=judge.removing,
                         names=(name,))
    yield controller("grow", "set", "-s", "100", POSIX, account=judge.changing,
                     memory={POSIX: CONTENT})
    yield controller("shrink", "set", "-s", "5", POSIX, account=judge.changing,
                     memory={POSIX: CONTENT})
    yield controller("lock", "set", "--lock", SYSV, account=judge.changing,
                     memory={SYSV: CONTENT})


def post_one(run, times):
    if times == 0:
        semaphores.post(next(iter(run.case.semaphores)))
        run.added.append(1)


def semaphore_users():
    def user(what, *arguments, **more):
        return Case(f"semctl.{what}", ("semctl", *arguments), **{"account": judge.using, **more})
    yield user("create.private", "create", "--value", "3", "private", account=judge.creating,
               creates=("id:*",), names=("private", "id:"))
    for family, name, values in ("posix", POSIX, [2]), ("sysv", SYSV, [2, 1]):
        there = {name: values}
        yield user(f"create.{family}", "create", "-x", "-m", "0640", "--value", "3", name,
                   account=judge.creating, creates=(name,), names=(name,))
        yield user(f"create.{family}.there", "create", name, semaphores=there,
                   account=judge.creating)
        yield user(f"show.{family}", "show", name, semaphores=there)
        yield user(f"show.{family}.json", "show", "-J", name, semaphores=there)
        yield user(f"value.{family}", "value", name, semaphores=there)
        yield user(f"post.{family}", "post", "-c", "2", name, semaphores=there, changes=(2, 0))
        yield user(f"wait.{family}", "wait", "-c", "2", name, semaphores=there, changes=(-2, 0))
        yield user(f"wait.{family}.n", "wait", "-nc", "3", name, semaphores=there, status=1)
        yield user(f"wait.{family}.w", "wait", "-w", "0.02", "-c", "3", name, semaphores=there,
                   status=124)
        yield user(f"wait.{family}.late", "wait", "-c", "3", name, semaphores=there,
                   asleep=post_one, changes=(-3, 0))
        yield user(f"set.{family}", "set", "-q", name, "5", semaphores=there, changes=(3, 0))
        yield user(f"run.{family}", "run", "-c", "2", name, "--", "true", semaphores=there)
        yield user(f"run.{family}.n", "run", "-nc", "3", name, "--", "true", semaphores=there,
                   status=1)
        yield user(f"run.{family}.missing", "run", name, "--", "./no-such-command",
                   semaphores=there, status=127)
        yield user(f"rm.{family}", "rm", name, semaphores=there, account=judge.removing)
        yield user(f"rm.{family}.none", "rm", "-f", name, account=judge.removing, names=(name,))
    yield user("op", "op", SYSV, "0-2", "1+4", semaphores={SYSV: [2, 1]}, changes=(-2, 4))


def streams():
    sent = bytes(i * i // 7 % 256 for i in range(6000))
    for family, name in ("posix", POSIX), ("sysv", SYSV):
        def stream(what, *options, peer=(), **more):
            return Case(f"shmpipe.{family}.{what}", ("shmpipe", *options, name), judge.streaming,
                        peer=(*peer, name), creates=(name,), names=(name,),
                        **{"stdin": sent, **more})
        reader, writer = ("shmpipe", "-R"), ("shmpipe", "-W", "-s", "4K")
        yield stream("write", *writer[1:], peer=reader)
        yield stream("write.pipe", *writer[1:], peer=reader, stdin_is_pipe=True)
        yield stream("write.lockstep", *writer[1:], "--lockstep", peer=reader)
        # An object that is never found is waited for.
        reading = ("-R", "-w", "2")
        yield stream("read", *reading, peer=writer, statuses=(124,))
        yield stream("read.lockstep", *reading, peer=(*writer, "--lockstep"), statuses=(124,))
    yield Case("shmpipe.write.timeout", ("shmpipe", "-W", "-w", "0.02", POSIX), judge.watching,
               status=124, names=(POSIX,), creates=(POSIX,))
    yield Case("shmpipe.read.timeout", ("shmpipe", "-R", "-w", "0.02", POSIX), judge.watching,
               status=124, names=(POSIX,))


def signallers():
    def signaller(what, *arguments, **more):
        return Case(f"sigsend.{what}", ("sigsend", *arguments), judge.signalling,
                    **{"victim": "ends", "names": ("/proc",), **more})
    yield signaller("term", "PID")
    yield signaller("zero", "-s", "0", "PID", victim="stays")
    yield signaller("value", "-s", "RTMIN", "--value", "3", "PID")
    yield signaller("wait", "-w", "10", "PID")
    yield signaller("insist", "-w", "0.02", "-k", "KILL", "PID", victim="ignores", status=124)
    yield signaller("group", "-g", "PID")
    yield signaller("group.value", "-g", "--value", "3", "PID")
    yield signaller("group.wait", "-g", "-w", "10", "PID")
    yield signaller("none", "4194304", victim="", status=2, names=("4194304",))
    yield signaller("list", "-l", victim="")


def send_signal(run, times):
    """One that is not among the faults."""
    if times == 0:
        run.send(signal.SIGRTMIN + 5)


def end_victim(run, times):
    if times == 0:
        os.kill(run.victim_pid, signal.SIGTERM)


def signal_watchers():
    def watcher(what, *arguments, **more):
        return Case(f"sigwatch.{what}", ("sigwatch", *arguments), judge.telling,
                    **{"names": ("/proc", "/bin/sh", "COMMAND", "SIG_"), **more})
    yield watcher("own", "-c", "1", "RTMIN+5", asleep=send_signal)
    yield watcher("own.json", "-J", "-c", "1", "RTMIN+5", asleep=send_signal)
    yield watcher("own.ready", "--ready-fd", "1", "-c", "1", "RTMIN+5", asleep=send_signal,
                  names=("descriptor", "--ready-fd"))
    yield watcher("own.timeout", "-w", "0.02", "RTMIN+5", status=124)
    yield watcher("own.execute", "-c", "1", "-x", "RTMIN+5=echo $SIG_NAME >>out",
                  asleep=send_signal, writes=("out",))
    yield watcher("none", "-p", "4194304", status=2, names=("4194304",))
    yield watcher("process.timeout", "-w", "0.02", "-p", "PID", victim="stays", status=124)
    yield watcher("process", "-p", "PID", victim="ends", asleep=end_victim)
    yield watcher("process.count", "-c", "1", "-p", "PID", "TERM", victim="ends",
                  asleep=end_victim)
    yield watcher("command", "USR1", "--", "sh", "-c", "trap 'echo >>out' USR1; kill -USR1 $$; exit 3",
                  is_tracer=True, writes=("out",), status=3)


def fifo_writers():
    lines = b"".join(b"line %d\n" % number for number in range(20000))

    def writer(what, *arguments, **more):
        return Case(f"fifotee.{what}", ("fifotee", *arguments), judge.fanning_out,
                    **{"stdin": lines[:80], "readers": ("a", "b"), "names": ("a", "b", "made"),
                       **more})
    yield writer("copy", "a", "b")
    yield writer("splice", "--no-stdout", "a", "b", stdin=2 * lines, stdin_is_pipe=True,
                 asleep=read_on)
    yield writer("drop", "--slow=drop", "a", "b", stdin_is_pipe=True)
    yield writer("buffer", "--buffer=1M", "--slow=disconnect", "a", "b")
    yield writer("made", "--progress", "a", "made", readers=("a",), makes=("made",),
                 asleep=come_to_read)
    yield writer("made.late", "-m", "0640", "made", readers=(), makes=("made",),
                 asleep=come_late_to_read)
    yield writer("skip", "--absent=skip", "--no-stdout", "a", "made", readers=("a",),
                 makes=("made",))


def fifo_readers():
    there = {"a": b"one\ntwo\nthr", "b": b"four\n"}

    def reader(what, *arguments, **more):
        return Case(f"fifocat.{what}", ("fifocat", *arguments), judge.fanning_in,
                    **{"fifos": there, "names": ("a", "b", "made"), "makes": ("made",), **more})
    yield reader("once", "--once", "a", "b", asleep=leave)
    yield reader("label", "--once", "-0L", "a", fifos={"a": b"one\0two"}, asleep=leave)
    yield reader("count", "-c", "2", "a")
    yield reader("timeout", "-w", "0.2", "--progress", "a", "made", status=124)
    yield reader("removed", "a", asleep=leave_and_remove)


def listers():
    def lister(what, *arguments, account=judge.listing, **more):
        form = ("-r", "--noheadings") if account is judge.listing else ()
        return Case(f"ipcstat.{what}", ("ipcstat", *form, *arguments), account,
                    statuses=(1,), names=("mq:", "shm:", "sem:", "/proc", "/dev", "POSIX",
                                          "System V", "object", "fs.", "kernel.", "net.",
                                          "RLIMIT"), **more)
    yield lister("queue", "-o", "NAME,MSGS,USED", f"mq:{POSIX}", queues=queue())
    yield lister("memory", "-o", "NAME,SIZE", f"shm:{POSIX}", memory={POSIX: CONTENT})
    yield lister("sysv", "-o", "NAME,MSGS", f"mq:{SYSV}", queues=queue(SYSV))
    judged = "-k", "mq", "-o", "NAME,STATE,USERS"
    yield lister("queue.unused", *judged, queues=queue())
    yield lister("queue.users", *judged, queues=queue(), is_held=True)
    yield lister("graph", "--graph", "-k", "mq", account=judge.drawing, queues=queue(),
                 is_held=True)
    yield lister("metrics", "--openmetrics", "-k", "mq", account=judge.measuring, queues=queue())
    yield lister("limits", "--limits")


def cleaners():
    def cleaner(what, *names, **more):
        return Case(f"ipcclean.{what}",
                    ("ipcclean", "-y", "-s", "unused", "--older-than", "0", "--with-data", *names),
                    judge.cleaning, statuses=(1,),
                    names=("left ", "mq:", "shm:", "sem:", "/proc", "/dev", "POSIX", "System V",
                           *more.pop("also", ())), **more)
    yield cleaner("segment", f"shm:{SYSV}", memory={SYSV: CONTENT})
    yield cleaner("queue", "-k", "mq", f"mq:{POSIX}", queues=queue())
    yield cleaner("stdin", "-0", "-", memory={SYSV: CONTENT}, stdin=b"shm:" + SYSV.encode() + b"\0",
                  also=("-", "stdin"))


def all_cases():
    for rows in (senders, creating_senders, receivers, watchers, controllers, memory_readers,
                 memory_writers, memory_controllers, semaphore_users, streams, signallers,
                 signal_watchers, fifo_writers, fifo_readers, listers, cleaners):
        yield from rows()
