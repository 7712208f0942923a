#!/usr/bin/env python3
"""Kills the server with SIGKILL while clients write, starts it again, and compares what the
clients were told with what the database holds.

After every crash: each 201 is there exactly once, nothing is there that nobody sent, what was sent
again under its key is there exactly once, the log has no gap, and those who follow by long-poll or
stream have heard every message once and in order; a chat that is made again under its key is
the same. On PostgreSQL the database server itself is
killed too, while ours stays up: it must answer 503 until the database is back, and lose nothing.

At the end rows are damaged on purpose: a check that does not notice is a failure of this test.
"""

import argparse
import os
import random
import sys
import tempfile
import threading
import time

from server import Postgres, Server, Sqlite, wait_until
from traffic import Follower, Ledger, People, Storm, begin_again, retry
from verify import expected_to_hear, faults

# What a broken server might have done: each must be noticed.
DAMAGE = {
    "a lost message": "delete from messages where id = {message}",
    "a message twice": "insert into messages (id, tenant_id, chat_id, seq, sender_id, kind, content, created_at) "
                       "select id + 1000000, tenant_id, chat_id, seq, sender_id, kind, content, created_at "
                       "from messages where id = {message}",
    "a changed message": "update messages set content = content || '.' where id = {message}",
    "a lost line of the log": "delete from changes where position = (select min(position) from changes)",
    "a head that lags": "update log set head = head - 1",
    "a chat that miscounts": "update chats set last_seq = last_seq + 1 "
                             "where id = (select chat_id from messages where id = {message})",
    "a lost key": "update messages set client_id = null where client_id is not null",
    "a lost key of a chat": "delete from creations",
}


class Trial:
    def __init__(self, folder, database, seed):
        self.database = database
        self.chance = random.Random(seed)
        self.seed = seed
        self.ledger = Ledger()
        self.begun_before = 0
        self.server = Server(folder, database)
        self.server.start()
        self.people = People(self.server.port)
        first = self.people.client(0)
        self.chats = []
        for number in range(3):
            answer = first.ask("POST", "/api/chats", {"title": f"room {number}"})
            assert answer.status == 201, answer.body
            self.chats.append(int(answer.headers["Location"].rsplit("/", 1)[1]))
        # The followers are in every chat from the start: what they hear is then everything.
        for number in (0, 1):
            for chat in self.chats:
                answer = self.people.client(number).ask("POST", f"/api/chats/{chat}/join")
                assert answer.status == 200, answer.body
        self.followers = [
            Follower(self.people, 0, self.ledger, "events", None),
            Follower(self.people, 1, self.ledger, "stream", None),
            Follower(self.people, 2, self.ledger, "chat", self.chats[0]),
        ]
        for follower in self.followers:
            follower.begin()
        self.start = int(self.followers[0].cursor.rsplit(".", 1)[1])

    def storm(self, name):
        storm = Storm(self.people, self.chats, self.ledger, f"{self.seed}-{name}")
        before = self.ledger.accepted()
        storm.start()
        enough = before + self.chance.randint(20, 150)
        wait_until("posts are accepted", lambda: self.ledger.accepted() >= enough or self.ledger.faults)
        # Any moment of a batch is as good as another.
        time.sleep(self.chance.uniform(0, 0.02))
        return storm

    def server_crash(self, name):
        storm = self.storm(name)
        self.server.kill()
        storm.end()
        self.server.start()
        self.send_again()
        self.check(name)

    def database_crash(self, name, how):
        storm = self.storm(name)
        refused = self.ledger.statuses.get(503, 0)
        how()
        wait_until("requests are refused while the database is away",
                   lambda: self.ledger.statuses.get(503, 0) > refused + 3 or self.ledger.faults)
        self.database.start()
        accepted = self.ledger.accepted()
        wait_until("posts are accepted again",
                   lambda: self.ledger.accepted() > accepted + 20 or self.ledger.faults)
        storm.end()
        self.send_again()
        self.check(name)

    def send_again(self):
        open_posts = [p for p in self.ledger.posts if p.key and not p.id]
        threads = [
            threading.Thread(target=retry, args=(self.people.client(post.person), post, self.ledger))
            for post in open_posts
        ]
        # Whether or not it was answered, a chat is made once under its key.
        threads += [
            threading.Thread(target=begin_again, args=(self.people.client(begun.person), begun, self.ledger))
            for begun in self.ledger.begun[self.begun_before:]
        ]
        self.begun_before = len(self.ledger.begun)
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def check(self, name):
        self.ledger.faults += faults(self.database, self.ledger, self.people.ids)
        for follower in self.followers:
            expected = expected_to_hear(self.database, self.start, follower.chat)
            try:
                wait_until("a follower hears everything",
                           lambda: len(follower.heard) >= len(expected) or self.ledger.faults, 20)
            except AssertionError as error:
                self.ledger.fault(str(error))
            if follower.heard[:len(expected)] != expected:
                self.ledger.fault(
                    f"the follower by {follower.kind} heard {len(follower.heard)} messages, not "
                    f"exactly the {len(expected)} there are: {first_difference(follower.heard, expected)}")
        if self.ledger.faults:
            raise AssertionError(f"round {name}")

    def notices(self):
        """Damages copies of the database in every way listed; returns what went unnoticed."""
        for follower in self.followers:
            follower.stop.set()
        self.server.kill()
        keyed = [post.id for post in self.ledger.posts if post.key and post.id]
        missed = []
        for number, (what, sql) in enumerate(DAMAGE.items()):
            copy = self.database.copy(f"damaged_{number}")
            copy.change(sql.format(message=self.chance.choice(keyed)))
            if not faults(copy, self.ledger, self.people.ids):
                missed.append(what)
        return missed


def first_difference(heard, expected):
    for place, (one, other) in enumerate(zip(heard, expected)):
        if one != other:
            return f"at {place} {heard[max(0, place - 2):place + 3]}, not {expected[max(0, place - 2):place + 3]}"
    return f"after {len(heard)}"


def run(arguments, folder):
    database = {"sqlite": Sqlite, "postgres": Postgres}[arguments.engine](folder)
    began = time.monotonic()
    trial = None
    try:
        trial = Trial(folder, database, arguments.seed)
        for number in range(arguments.rounds):
            trial.server_crash(f"{number}")
        outages = 0
        if arguments.engine == "postgres":
            for number in range(arguments.outages):
                how = (database.kill, database.stop)[number % 2]
                trial.database_crash(f"outage{number}", how)
                outages += 1
        missed = trial.notices()
        ledger = trial.ledger
        unanswered = sum(1 for post in ledger.posts if post.id is None)
        print(f"{arguments.engine}: {arguments.rounds} kills of the server, {outages} of the database; "
              f"{len(ledger.posts)} posts, {unanswered} of them without an answer and without a key; "
              f"answers {dict(sorted(ledger.statuses.items()))}; "
              f"{len(trial.followers[0].heard)} messages heard by each follower of everything; "
              f"{len(DAMAGE) - len(missed)} of {len(DAMAGE)} damages noticed; "
              f"{time.monotonic() - began:.0f} s")
        for what in missed:
            print(f"FAILED: {what} went unnoticed")
        return not missed
    except AssertionError as error:
        print(f"FAILED ({arguments.engine}, --seed {arguments.seed}): {error}")
        if trial:
            for fault in trial.ledger.faults[:20]:
                print(f"  {fault}")
            print(trial.server.log())
        return False
    finally:
        if trial:
            for follower in trial.followers:
                follower.stop.set()
            trial.server.kill()
        database.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=["sqlite", "postgres"], required=True)
    parser.add_argument("--rounds", type=int, default=20, help="kills of the server")
    parser.add_argument("--outages", type=int, default=4, help="kills of PostgreSQL")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parlance-crash-") as folder:
        os.chmod(folder, 0o711)
        sys.exit(0 if run(arguments, folder) else 1)


if __name__ == "__main__":
    main()
