"""Many clients at once, and what each of them was told: the ledger that the database must match."""

import json
import random
import threading
import time
from dataclasses import dataclass, field

from server import Client

PEOPLE = 6


@dataclass
class Post:
    """One message that somebody tried to send."""
    person: int
    chat: int
    content: str
    key: str | None
    # The id that a 201 gave, None while nobody knows, False when the server said it was not sent.
    id: int | None | bool = None


@dataclass
class Begun:
    """One private chat that somebody tried to make under a key."""
    person: int
    title: str
    key: str
    chat: int | None = None


@dataclass
class Ledger:
    """Everything the clients were told."""
    posts: list = field(default_factory=list)
    begun: list = field(default_factory=list)
    titles: dict = field(default_factory=dict)
    tried_titles: set = field(default_factory=set)
    joins: set = field(default_factory=set)
    reads: dict = field(default_factory=dict)
    faults: list = field(default_factory=list)
    statuses: dict = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def fault(self, sentence):
        with self.lock:
            self.faults.append(sentence)

    def count(self, status):
        with self.lock:
            self.statuses[status] = self.statuses.get(status, 0) + 1

    def accepted(self):
        return self.statuses.get(201, 0)


class People:
    """The accounts, made once; their logins outlive every crash."""

    def __init__(self, port):
        self.port = port
        self.cookies = []
        self.ids = []
        for number in range(PEOPLE):
            answer = Client(port).ask("POST", "/api/reg", {
                "name": f"person {number}", "password": "secret-7", "email": "p@example.com"})
            assert answer.status == 201, answer.body
            pairs = [line.split(";")[0] for line in answer.headers.get_all("Set-Cookie")]
            self.cookies.append("; ".join(pairs))
            self.ids.append(int(dict(pair.split("=") for pair in pairs)["user_id"]))

    def client(self, number):
        return Client(self.port, self.cookies[number])


def retry(client, post, ledger):
    """Sends a post again under its key until the server says what became of it."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            answer = client.ask("POST", f"/api/chats/{post.chat}", {"content": post.content},
                                {"Idempotency-Key": post.key})
        except OSError:
            time.sleep(0.05)
            continue
        if answer.status == 201:
            post.id = int(answer.headers["X-Message-Id"])
            return
        if answer.status != 503:
            ledger.fault(f"{post.content} sent again got {answer.status} {answer.body!r}")
            return
        time.sleep(0.05)
    ledger.fault(f"{post.content} sent again was never accepted")


def begin(client, begun, ledger):
    """Makes a chat under its key, for the first time or again."""
    answer = client.ask("POST", "/api/chats", {"title": begun.title, "private": "true"},
                        {"Idempotency-Key": begun.key})
    if answer.status == 201:
        chat = int(answer.headers["Location"].rsplit("/", 1)[1])
        with ledger.lock:
            before = ledger.titles.setdefault(begun.title, chat)
        if chat != before:
            ledger.fault(f"{begun.title!r} was made as {before} and as {chat}")
        begun.chat = chat
    return answer


def begin_again(client, begun, ledger):
    """The same until the server says what became of it."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            answer = begin(client, begun, ledger)
        except OSError:
            time.sleep(0.05)
            continue
        if answer.status == 201:
            return
        if answer.status != 503:
            ledger.fault(f"{begun.title!r} made again got {answer.status} {answer.body!r}")
            return
        time.sleep(0.05)
    ledger.fault(f"{begun.title!r} made again was never accepted")


class Storm:
    """The clients of one round. They end by themselves when the server is gone, or when told."""

    def __init__(self, people, chats, ledger, name):
        self.people, self.chats, self.ledger, self.name = people, chats, ledger, name
        self.stop = threading.Event()
        works = [self.post_plain] * 4 + [self.post_keyed] * 4 + [self.post_twice] * 2
        works += [self.create, self.create_keyed, self.join_and_read, self.look]
        self.threads = [
            threading.Thread(target=self.run, args=(work, number), daemon=True)
            for number, work in enumerate(works)
        ]

    def start(self):
        for thread in self.threads:
            thread.start()

    def end(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(60)
            if thread.is_alive():
                self.ledger.fault(f"{thread.name} of round {self.name} hangs")

    def run(self, work, number):
        chance = random.Random(f"{self.name}/{number}")
        client = self.people.client(number % PEOPLE)
        turn = 0
        try:
            while not self.stop.is_set():
                turn += 1
                try:
                    answer = work(client, number % PEOPLE, f"{self.name}-{number}-{turn}", chance)
                except OSError:
                    # Killed: this one goes unanswered. Where only the database is gone, the
                    # server must answer, so this happens in no other round.
                    return
                self.ledger.count(answer.status)
                if answer.status not in (200, 201, 503):
                    self.ledger.fault(f"{work.__name__}: {answer.status} {answer.body!r}")
                if answer.status == 503:
                    if "Retry-After" not in answer.headers:
                        self.ledger.fault(f"{work.__name__}: a 503 without Retry-After")
                    time.sleep(0.02)
        except Exception as error:  # noqa: BLE001: whatever it is, it must not pass silently
            self.ledger.fault(f"{work.__name__}: {error!r}")

    def send(self, client, post, headers):
        with self.ledger.lock:
            self.ledger.posts.append(post)
        answer = client.ask("POST", f"/api/chats/{post.chat}", {"content": post.content}, headers)
        if answer.status == 201:
            post.id = int(answer.headers["X-Message-Id"])
        elif answer.status == 503:
            post.id = False
        return answer

    def post_plain(self, client, person, content, chance):
        return self.send(client, Post(person, chance.choice(self.chats), content, None), {})

    def post_keyed(self, client, person, content, chance):
        post = Post(person, chance.choice(self.chats), content, f"key-{content}")
        return self.send(client, post, {"Idempotency-Key": post.key})

    def post_twice(self, client, person, content, chance):
        """The same key on two connections at the same time."""
        post = Post(person, chance.choice(self.chats), content, f"key-{content}")
        again = Post(person, post.chat, content, post.key)

        def second():
            try:
                self.send(self.people.client(person), again, {"Idempotency-Key": post.key})
            except OSError:
                pass
            except Exception as error:  # noqa: BLE001
                self.ledger.fault(f"post_twice: {error!r}")

        beside = threading.Thread(target=second)
        beside.start()
        try:
            return self.send(client, post, {"Idempotency-Key": post.key})
        finally:
            beside.join()

    def create(self, client, person, name, _):
        title = f"chat {name}"
        with self.ledger.lock:
            self.ledger.tried_titles.add(title)
        answer = client.ask("POST", "/api/chats", {"title": title})
        if answer.status == 201:
            chat = int(answer.headers["Location"].rsplit("/", 1)[1])
            with self.ledger.lock:
                self.ledger.titles[title] = chat
        return answer

    def create_keyed(self, client, person, name, _):
        begun = Begun(person, f"chat {name}", f"key-{name}")
        with self.ledger.lock:
            self.ledger.tried_titles.add(begun.title)
            self.ledger.begun.append(begun)
        return begin(client, begun, self.ledger)

    def join_and_read(self, client, person, _, chance):
        chat = chance.choice(self.chats)
        answer = client.ask("POST", f"/api/chats/{chat}/join")
        if answer.status != 200:
            return answer
        with self.ledger.lock:
            self.ledger.joins.add((chat, person))
        answer = client.ask("GET", f"/api/chats/{chat}?limit=1")
        messages = answer.json().get("messages") if answer.status == 200 else None
        if not messages:
            return answer
        up_to = messages[-1]["id"]
        answer = client.ask("POST", f"/api/chats/{chat}/read", {"up_to": up_to})
        if answer.status == 200:
            with self.ledger.lock:
                place = (chat, person)
                self.ledger.reads[place] = max(self.ledger.reads.get(place, 0), up_to)
        return answer

    def look(self, client, _, __, chance):
        return client.ask("GET", chance.choice(
            ["/api/chats", f"/api/chats/{chance.choice(self.chats)}"]))


class Follower:
    """Somebody who hears everything: by long-poll or as a stream, resuming after every crash."""

    def __init__(self, people, number, ledger, kind, chat):
        self.client = people.client(number)
        self.ledger, self.kind, self.chat = ledger, kind, chat
        self.heard = []
        self.cursor = None
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def begin(self):
        """Takes the present cursor: what comes after it must be heard."""
        answer = self.client.ask("GET", "/api/events?after=now&timeout=0")
        assert answer.status == 200, answer.body
        self.cursor = answer.json()["cursor"]
        self.thread.start()

    def run(self):
        step = {"events": self.poll_events, "chat": self.poll_chat, "stream": self.stream}
        while not self.stop.is_set():
            try:
                step[self.kind]()
            except OSError:
                time.sleep(0.02)
            except Exception as error:  # noqa: BLE001
                self.ledger.fault(f"the follower by {self.kind}: {error!r}")
                return

    def poll(self, path):
        answer = self.client.ask("GET", path)
        if answer.status == 503:
            time.sleep(0.05)
            return {}
        assert answer.status == 200, (path, answer.status, answer.body)
        body = answer.json()
        self.cursor = body["cursor"]
        return body

    def poll_events(self):
        body = self.poll(f"/api/events?after={self.cursor}&timeout=2&types=message&poll=f")
        for event in body.get("events", []):
            self.hear(event["message"])

    def poll_chat(self):
        body = self.poll(f"/api/chats/{self.chat}?after={self.cursor}&timeout=2&poll=c")
        for message in body.get("messages", []):
            self.hear(message)

    def stream(self):
        response = self.client.send("GET", "/api/events?types=message&poll=s", headers={
            "Accept": "text/event-stream", "Last-Event-ID": self.cursor})
        try:
            if response.status == 503:
                time.sleep(0.05)
                return
            assert response.status == 200, response.status
            place = data = None
            while not self.stop.is_set():
                line = response.readline().decode()
                if line == "":
                    return
                line = line.rstrip("\n")
                if line.startswith("id:"):
                    place = line[3:].strip()
                elif line.startswith("data:"):
                    data = line[5:].strip()
                elif line == "":
                    if data:
                        self.hear(json.loads(data)["message"])
                    # The cursor moves only once the event is whole.
                    self.cursor, data = place or self.cursor, None
        finally:
            self.client.connection.close()

    def hear(self, message):
        self.heard.append((message["id"], message["chat_id"], message["content"]))
