#!/usr/bin/env python3
"""Takes the disk, or the database, away from a running server, gives it back, and compares what the
clients were told with what the database holds.

While it is away every request has an answer within 10 seconds: writes 503 with Retry-After, reads what
they ask for where the database can be read, and /health says 503. When it is back writes succeed
within 10 seconds, without a restart. Every 201 is there exactly once, and what was refused may be sent
again under its key and is then there exactly once. A server that is told to stop meanwhile does so in
time, and says nothing untrue.

A full disk needs a file system of its own, which only root can mount; elsewhere a limit of file size
(ulimit -f) stands in for it, which is tried in any case.
"""

import argparse
import errno
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "crash"))

from server import Client, Postgres, Server, Sqlite, wait_until  # noqa: E402

# What any answer may take.
IN_TIME = 10
# What a server may take to stop: grace, mercy, and what the README names for a database that is away.
STOP = 20


class People:
    """A few accounts and a chat, and everything that they were told."""

    def __init__(self, server):
        self.server = server
        self.accepted = {}
        self.refused = {}
        self.faults = []
        self.stopping = False
        self.lock = threading.Lock()
        self.cookies = [self.register(f"person {number}") for number in range(4)]
        answer = self.client(0).ask("POST", "/api/chats", {"title": "room"})
        assert answer.status == 201, answer.body
        self.chat = answer.headers["Location"].rsplit("/", 1)[1]
        self.count = 0

    def register(self, name):
        answer = Client(self.server.port).ask("POST", "/api/reg", {
            "name": name, "password": "secret-7", "email": "p@example.com"})
        assert answer.status == 201, answer.body
        return "; ".join(line.split(";")[0] for line in answer.headers.get_all("Set-Cookie"))

    def client(self, number):
        return Client(self.server.port, self.cookies[number])

    def fault(self, sentence):
        with self.lock:
            self.faults.append(sentence)

    def ask(self, who, method, path, fields=None, headers=None):
        """One request, which must be answered in time."""
        client = Client(self.server.port, self.cookies[who] if who is not None else None)
        began = time.monotonic()
        answer = client.ask(method, path, fields, headers)
        took = time.monotonic() - began
        if took > IN_TIME:
            self.fault(f"{method} {path} was answered {answer.status} after {took:.1f} s")
        if answer.status == 503 and "Retry-After" not in answer.headers:
            self.fault(f"{method} {path}: a 503 without Retry-After")
        return answer

    def post(self, who, content=None):
        with self.lock:
            self.count += 1
            content = content or f"{self.count} " + "x" * 900
        answer = self.ask(who, "POST", f"/api/chats/{self.chat}", {"content": content},
                          {"Idempotency-Key": f"key-{content[:12].split()[0]}"})
        with self.lock:
            if answer.status == 201:
                self.accepted[content] = answer.headers["X-Message-Id"]
                self.refused.pop(content, None)
            else:
                self.refused[content] = answer.status
                if answer.status != 503:
                    self.faults.append(f"a post was answered {answer.status} {answer.body!r}")
        return answer.status

    def post_together(self, rounds):
        """Everybody posts at once; returns the statuses."""
        statuses = []

        def run(who):
            for _ in range(rounds):
                try:
                    statuses.append(self.post(who))
                except OSError as error:
                    # A server that is gone answers nobody.
                    if not self.stopping:
                        self.fault(f"a post had no answer: {error!r}")
                    return

        threads = [threading.Thread(target=run, args=(who,)) for who in range(len(self.cookies))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return statuses

    def post_until_refused(self):
        end = time.monotonic() + 60
        while 503 not in self.post_together(8):
            if time.monotonic() > end or self.faults:
                raise AssertionError("nothing was refused, however much was written")

    def expect(self, what, answer, status):
        if answer.status != status:
            self.fault(f"{what} was answered {answer.status} {answer.body!r}, not {status}")

    def look_while_away(self, readable):
        """Asks for everything that must work, or must be refused, while nothing can be written."""
        for _ in range(3):
            if set(self.post_together(2)) != {503}:
                self.fault("a post was accepted while nothing can be written")
            for path in ("/health", "/health/ready"):
                self.expect(path, self.ask(None, "GET", path), 503)
            self.expect("/health/live", self.ask(None, "GET", "/health/live"), 200)
        read = 200 if readable else 503
        for path in ("/api/chats", f"/api/chats/{self.chat}", "/api/events?after=now&timeout=1"):
            answer = self.ask(1, "GET", path)
            # A PostgreSQL without room may still answer, or have given up.
            if readable is not None or answer.status not in (200, 503):
                self.expect(path, answer, read)
        login = {"name": "person 0", "password": "secret-7"}
        self.expect("a login", self.ask(None, "POST", "/api/login", login), 503)
        account = {"name": f"late {time.monotonic_ns()}", "password": "secret-7", "email": "l@example.com"}
        self.expect("a registration", self.ask(None, "POST", "/api/reg", account), 503)
        owner = {"email": f"o{time.monotonic_ns()}@x.example", "password": "secret-7",
                 "domain": f"d{time.monotonic_ns()}.example"}
        answer = self.ask(None, "POST", "/owner/register", owner)
        self.expect("an owner's registration", answer, 503)
        if answer.status == 503 and answer.json()["statusCode"] != 503:
            self.fault(f"an owner was told {answer.body!r}")

    def back(self):
        """Everything works again, soon."""
        began = time.monotonic()
        wait_until("posts are accepted again", lambda: self.post(0) == 201, IN_TIME)
        took = time.monotonic() - began
        wait_until("/health is well again",
                   lambda: self.ask(None, "GET", "/health").status == 200, IN_TIME)
        for content in list(self.refused):
            wait_until("what was refused is accepted",
                       lambda: self.post(0, content) == 201 or self.faults, IN_TIME)
        self.expect("a login", self.ask(None, "POST", "/api/login",
                                        {"name": "person 0", "password": "secret-7"}), 200)
        return took

    def compare(self, database):
        rows = database.rows("select content, id from messages")
        found = {}
        for content, id in rows:
            if content in found:
                self.fault(f"{content[:12]} is there twice")
            found[content] = id
        for content, id in self.accepted.items():
            if found.get(content) != id:
                self.fault(f"{content[:12]} was accepted as {id}, but there is {found.get(content)}")
        for content in found.keys() - self.accepted.keys() - self.refused.keys():
            self.fault(f"nobody sent {content[:12]}")
        (head,), = database.rows("select head from log")
        positions = [int(position) for position, in
                     database.rows("select position from changes union all select id from messages order by 1")]
        if positions != list(range(1, int(head) + 1)):
            self.fault(f"the log's head is {head}, and it has {len(positions)} lines")


@contextmanager
def tmpfs(folder, size):
    """A file system of its own, which can be full."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=711", "none", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def can_mount(folder):
    try:
        with tmpfs(Path(folder) / "probe", "1m"):
            return True
    except (subprocess.CalledProcessError, OSError):
        return False


def fill(folder, leave):
    """Fills a file system but for so many bytes; returns the file that does."""
    filler = folder / "filler"
    with open(filler, "wb", buffering=0) as file:
        status = os.statvfs(folder)
        rest = status.f_bavail * status.f_frsize - leave
        while rest > 0:
            try:
                rest -= file.write(b"\0" * min(rest, 1 << 20))
            except OSError as error:
                # The database writes beside it.
                if error.errno != errno.ENOSPC:
                    raise
                break
    return filler


def stop_while_away(server, people):
    """SIGTERM while nothing can be written: it ends in time, and what it says is true."""
    beside = threading.Thread(target=people.post_together, args=(4,))
    beside.start()
    time.sleep(0.5)
    people.stopping = True
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    try:
        code = server.process.wait(STOP)
    except subprocess.TimeoutExpired:
        people.fault(f"the server has not stopped within {STOP} s")
        server.kill()
        return None
    finally:
        beside.join()
        people.stopping = False
    said = server.log()
    if "cannot start" in said or "panicked" in said:
        people.fault(f"the server said: {said[-400:]}")
    if code not in (0, 1) or (code == 1) != ("database did not answer" in said):
        people.fault(f"the server ended with {code} and said: {said[-400:]}")
    return f"stopped in {time.monotonic() - began:.1f} s with {code}"


def trial(name, server, database, take, give, readable=True):
    """One outage, a recovery, and a stop during another one."""
    server.start()
    people = People(server)
    try:
        told = outages(server, people, database, (take, give), readable)
        print(f"{name}: {len(people.accepted)} posts accepted, {told}")
        return not people.faults
    finally:
        for fault in people.faults[:20]:
            print(f"  FAILED: {fault}")


def outages(server, people, database, ways, readable):
    take, give = ways
    people.post_together(2)
    people.expect("/health", people.ask(None, "GET", "/health"), 200)
    take()
    people.post_until_refused()
    people.look_while_away(readable)
    give()
    took = people.back()
    people.compare(database)
    take()
    # Where the database hangs, these posts are on their way when the server is told to stop.
    stopped = stop_while_away(server, people)
    give()
    server.start()
    people.back()
    people.compare(database)
    server.stop()
    return f"again {took:.1f} s after there was room; {stopped}"


def full_disk(folder):
    with tmpfs(folder / "small", "12m") as small:
        database = Sqlite(small)
        server = Server(folder, database)
        filler = small / "filler"
        try:
            # What is posted fills the rest.
            return trial("a full disk", server, database,
                         take=lambda: fill(small, 200_000), give=lambda: filler.unlink())
        finally:
            server.kill()


def file_size_limit(folder):
    database = Sqlite(folder)
    server = Server(folder, database)
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(bytes):
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (bytes, hard))

    def take():
        largest = max(Path(f"{database.file}{end}").stat().st_size for end in ("", "-wal"))
        limit(largest + 50_000)

    def give():
        if server.process.poll() is None:
            limit(hard)

    try:
        return trial("a limit of file size", server, database, take, give)
    finally:
        server.kill()


def paused(folder):
    database = Postgres(folder)
    server = Server(folder, database)

    def processes():
        main = (database.cluster / "data" / "postmaster.pid").read_text().split()[0]
        children = subprocess.run(["ps", "-o", "pid=", "--ppid", main],
                                  stdout=subprocess.PIPE, text=True, check=False).stdout.split()
        return [int(main), *map(int, children)]

    def send(number):
        for process in processes():
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass

    try:
        return trial("PostgreSQL paused", server, database, take=lambda: send(signal.SIGSTOP),
                     give=lambda: send(signal.SIGCONT), readable=False)
    finally:
        send(signal.SIGCONT)
        server.kill()
        database.close()


def postgres_full_disk(folder):
    with tmpfs(folder / "small", "220m") as small:
        database = Postgres(small)
        server = Server(folder, database)
        filler = small / "filler"

        def give():
            filler.unlink()
            # It may have given up altogether: its operator starts it again.
            database.start()

        try:
            return trial("PostgreSQL's disk full", server, database,
                         take=lambda: fill(small, 0), give=give, readable=None)
        finally:
            server.kill()
            database.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=["sqlite", "postgres"], required=True)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parlance-outage-") as folder:
        os.chmod(folder, 0o711)
        mounts = can_mount(folder)
        if not mounts:
            print("Nothing may be mounted here: a full disk is not tried, only its likes.")
        trials = {
            "sqlite": [file_size_limit] + [full_disk] * mounts,
            "postgres": [paused] + [postgres_full_disk] * mounts,
        }[arguments.engine]
        sound = True
        for number, work in enumerate(trials):
            place = Path(folder) / str(number)
            place.mkdir(mode=0o711)
            try:
                sound &= work(place)
            except AssertionError as error:
                log = place / "server.log"
                print(f"FAILED: {work.__name__}: {error}\n{log.read_text()[-4000:] if log.exists() else ''}")
                sound = False
        sys.exit(0 if sound else 1)


if __name__ == "__main__":
    main()
