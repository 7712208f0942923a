"""python-socketio against the embed and service dialects: every event of both documents."""

import base64
import json
import os
import queue
import unittest
import urllib.request
import uuid

import socketio

URL = os.environ["SERVER_URL"]
FOREVER = 60


def fresh(word):
    return f"{word}-{uuid.uuid4().hex[:12]}"


def ask(method, path, body=None, **headers):
    request = urllib.request.Request(
        URL + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **headers},
    )
    with urllib.request.urlopen(request) as response:
        return json.load(response)


class Line:
    """A connection that keeps every event until somebody asks for it."""

    def __init__(self, **auth):
        self.heard = {}
        self.client = socketio.Client(reconnection=False)
        self.client.on("*", lambda name, *args: self.inbox(name).put(args[0] if args else None))
        self.client.connect(URL, auth=auth or None)

    def inbox(self, name):
        return self.heard.setdefault(name, queue.Queue())

    def hear(self, name):
        return self.inbox(name).get(timeout=FOREVER)

    def say(self, name, body=None):
        self.client.emit(name, body)

    def call(self, name, body=None):
        return self.client.call(name, body, timeout=FOREVER)

    def close(self):
        self.client.disconnect()


class Embed(unittest.TestCase):
    def test_the_document(self):
        line = Line(twin=True)
        self.addCleanup(line.close)
        user = {"external_id": fresh("some-id"), "id": "chat-id", "name": "Name", "photo": "Photo"}
        line.say("create-user", {"user": user})
        made = line.hear("create-user")["user"]
        self.assertEqual(made["external_id"], user["external_id"])
        line.say("create-chat", {"chat": {"name": "chat-name"}, "users": [made["id"]]})
        chat = line.hear("create-chat")["chat"]
        self.assertEqual(chat["users"], [made["id"]])
        message = {
            "chat": {"id": chat["id"]},
            "user": {"id": made["id"]},
            "message": {"value": "message", "type": "text"},
        }
        line.say("new-message", message)
        self.assertEqual(line.hear("new-message")["msg"], "message")
        self.assertEqual(line.hear(f"/chat/{chat['id']}/new-message")["user_id"], made["id"])
        line.say("list-chats", {"user": {"id": made["id"]}})
        self.assertEqual(line.hear("list-chats")["chats"][0]["id"], chat["id"])
        line.say("list-messages", {"query": {}, "chat": {"id": chat["id"]}})
        self.assertEqual([m["msg"] for m in line.hear("list-messages")["messages"]], ["message"])
        self.assertEqual(line.call("list-chats", {"user": {"id": "999999"}})["status"], "error")


class Service(unittest.TestCase):
    def test_the_document(self):
        account = {"email": os.environ["ADMIN_EMAIL"], "password": os.environ["ADMIN_PASSWORD"]}
        token = ask("POST", "/auth/login", account)["token"]
        app = ask("POST", "/app", {"name": fresh("app")}, Authorization=token)["applicationId"]
        tokens = [fresh("token"), fresh("token")]
        for number, own in enumerate(tokens, 1):
            row = {"appId": app, "appUserId": number, "firstName": "a", "lastName": "b", "token": own}
            ask("POST", "/user", row)
        room = fresh("usr-1-2")
        ask("POST", "/room", {"room": room, "appId": app, "users": [1, 2]})
        ann, bo = (Line(token=own) for own in tokens)
        self.addCleanup(ann.close)
        for line in (ann, bo):
            line.say("join", room)
            self.assertEqual(line.hear("info"), "You have joined the room")
            self.assertEqual(line.hear("room_info")["room"], room)
        self.assertTrue(ann.hear("info").endswith("has joined!"))
        ann.say("send_message", "Hey, you there")
        for line in (ann, bo):
            text = base64.b64decode(line.hear("message")["message"]).decode()
            self.assertEqual(text, "Hey, you there")
        bo.say("typing", True)
        self.assertIs(ann.hear("is_typing")["typing"], True)
        bo.say("seen")
        self.assertIsNone(ann.hear("seen_by")["token"])
        ann.say("load_more", {"page": 1, "limit": 20})
        self.assertEqual(len(ann.hear("load_more")), 1)
        bo.close()
        self.assertTrue(ann.hear("info").endswith("has left"))
        with self.assertRaises(socketio.exceptions.ConnectionError):
            Line(token="nobody has this one")


if __name__ == "__main__":
    unittest.main()
