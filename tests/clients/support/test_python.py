"""Live support with python-socketio: a guest and an owner over each transport, on both ports."""

import json
import os
import queue
import unittest
import urllib.request

import socketio

URLS = [os.environ["SUPPORT_URL"], os.environ["SUPPORT_URL_2"]]
PATIENCE = 60


def post(path, body):
    request = urllib.request.Request(
        URLS[0] + path, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        return json.load(answer)


class Teller:
    """A client, and what it was told: answers carry a status, pushes do not."""

    NAMES = ["getNewChat", "newMessage", "getChatMessages", "getActiveChats", "getWaitingChats", "waitingChat"]

    def __init__(self, url, transports):
        self.client = socketio.Client()
        self.replies = queue.Queue()
        self.pushes = queue.Queue()
        for name in self.NAMES:
            self.client.on(name, self.hear(name))
        self.client.connect(url, transports=transports, wait_timeout=PATIENCE)

    def hear(self, name):
        def note(body):
            (self.replies if "statusCode" in body else self.pushes).put((name, body))

        return note

    def ask(self, name, argument):
        acknowledged = self.client.call(name, argument, timeout=PATIENCE)
        event, reply = self.replies.get(timeout=PATIENCE)
        assert (event, reply) == (name, acknowledged)
        return reply

    def push(self, name):
        event, body = self.pushes.get(timeout=PATIENCE)
        assert event == name, (event, body)
        return body


class Conversation(unittest.TestCase):
    def test_the_documents_conversation(self):
        for number, transports in enumerate((None, ["polling"], ["websocket"])):
            for port, url in enumerate(URLS):
                with self.subTest(transports=transports, url=url):
                    self.converse(url, transports, f"python{number}{port}")

    def converse(self, url, transports, domain):
        account = {"email": f"owner@{domain}", "password": "correct horse"}
        self.assertEqual(post("/owner/register", {**account, "domain": domain})["data"], "Owner registered")
        signed_in = post("/owner/login", account)["data"]
        self.assertEqual(signed_in["level"], "owner")
        token = signed_in["token"]
        guest, owner = Teller(url, transports), Teller(url, transports)
        try:
            self.assertEqual(owner.ask("getWaitingChats", {"token": token})["data"], [])
            chat = guest.ask("getNewChat", {"email": "email@mail.com", "name": "Name", "domain": domain})
            mine = {"chatId": chat["chatId"], "token": chat["guestToken"]}
            self.assertEqual(owner.push("waitingChat")["_id"], chat["chatId"])
            said = guest.ask("newMessage", {**mine, "message": "hi"})
            told = {key: said["data"][key] for key in ("message", "from")}
            self.assertEqual(told, {"message": "hi", "from": chat["guestId"]})
            heard = owner.push("newMessage")
            self.assertEqual(heard["message"], {"message": "hi", "from": chat["guestId"]})
            waiting = owner.ask("getWaitingChats", {"token": token})["data"]
            self.assertEqual([entry["_id"] for entry in waiting], [chat["chatId"]])
            owner.ask("newMessage", {"chatId": waiting[0], "token": token, "message": "hello"})
            self.assertEqual(guest.push("newMessage")["message"]["message"], "hello")
            listed = guest.ask("getChatMessages", {**mine, "limit": 10, "skip": 1})["data"]
            self.assertEqual([entry["message"] for entry in listed], ["hello"])
            active = owner.ask("getActiveChats", {"token": token})["data"]
            self.assertEqual([entry["_id"] for entry in active], [chat["chatId"]])
            self.assertTrue(guest.pushes.empty() and owner.pushes.empty())
        finally:
            guest.client.disconnect()
            owner.client.disconnect()


if __name__ == "__main__":
    unittest.main()
