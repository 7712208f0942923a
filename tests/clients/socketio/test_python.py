"""What an application does with Socket.IO, with python-socketio over every transport."""

import os
import queue
import socket
import unittest

import requests
import socketio

LAB = os.environ["LAB_URL"]
PATIENCE = 60
BYTES = bytes([0, 1, 2, 3, 254, 255])


class Heard:
    """The events of one name, in the order in which they came."""

    def __init__(self, client, event, namespace="/"):
        self._events = queue.Queue()
        client.on(event, lambda *args: self._events.put(args), namespace=namespace)

    def next(self):
        return self._events.get(timeout=PATIENCE)


class Application:
    """The tests; a class for each transport runs them."""

    transports = None

    def setUp(self):
        self._clients = []

    def tearDown(self):
        for client in self._clients:
            client.disconnect()

    def client(self, **options):
        client = socketio.Client(reconnection_delay=0.05, reconnection_delay_max=0.1, **options)
        self._clients.append(client)
        return client

    def connected(self, namespaces=("/",), **options):
        client = self.client()
        client.connect(
            LAB, transports=self.transports, namespaces=list(namespaces), wait_timeout=PATIENCE, **options
        )
        return client

    def ask(self, client, event, *args, namespace="/"):
        return client.call(event, args, namespace=namespace, timeout=PATIENCE)

    def test_connects_over_the_transport(self):
        client = self.connected()
        expected = "polling" if self.transports == ["polling"] else "websocket"
        self.assertEqual(client.transport(), expected)
        self.assertNotEqual(client.get_sid(), client.eio.sid)

    def test_text_comes_back_as_it_went(self):
        client = self.connected()
        echo = Heard(client, "echo")
        args = ("text", "é 漢 😀 \u2028 \"\\", 0, -1.5, True, None, [], {"deep": [{"er": [1]}]})
        client.emit("echo", args)
        self.assertEqual(echo.next(), args)
        self.assertEqual(self.ask(client, "echo", *args), args)

    def test_binary_comes_back_as_it_went(self):
        client = self.connected()
        echo = Heard(client, "echo")
        args = (BYTES, b"", {"inside": [BYTES, {"deeper": BYTES}]}, "text")
        client.emit("echo", args)
        self.assertEqual(echo.next(), args)
        self.assertEqual(self.ask(client, "echo", *args), args)

    def test_the_server_makes_binary_of_its_own(self):
        client = self.connected()
        self.assertEqual(self.ask(client, "reverse", BYTES), BYTES[::-1])
        pack = Heard(client, "pack")
        client.emit("pack", 5)
        self.assertEqual(pack.next(), ("text", {"parts": [bytes([at]) for at in range(5)]}, b""))

    def test_the_server_acknowledges(self):
        client = self.connected()
        self.assertEqual([self.ask(client, "sum", n, 10) for n in range(5)], [10, 11, 12, 13, 14])

    def test_the_client_acknowledges(self):
        client = self.connected()
        answered = Heard(client, "answered")
        client.on("question", lambda *args: ("re", *args))
        client.emit("ask", ("why", BYTES))
        self.assertEqual(answered.next(), ("re", "why", BYTES))

    def test_the_handshake_is_known_to_the_server(self):
        client = self.client()
        client.connect(
            f"{LAB}?colour=a%20b%26c",
            headers={"X-Lab": "yes"},
            auth={"token": "t"},
            transports=self.transports,
            wait_timeout=PATIENCE,
        )
        who = self.ask(client, "whoami")
        self.assertEqual((who["query"]["colour"], who["query"]["EIO"]), ("a b&c", "4"))
        self.assertEqual((who["lab"], who["auth"], who["id"]), ("yes", {"token": "t"}, client.get_sid()))

    def test_a_namespace_lets_in_who_may(self):
        client = self.connected(["/admin"], auth={"token": "letmein"})
        self.assertEqual(self.ask(client, "echo", "in", namespace="/admin"), "in")

    def test_a_namespace_refuses_with_a_message_and_data(self):
        client = self.client(reconnection=False)
        error = Heard(client, "connect_error", "/admin")
        with self.assertRaises(socketio.exceptions.ConnectionError):
            client.connect(
                LAB,
                transports=self.transports,
                namespaces=["/admin"],
                auth={"token": "please"},
                wait_timeout=PATIENCE,
            )
        self.assertEqual(
            error.next(),
            ({"message": "that is not the word", "data": {"code": 403, "given": "please"}},),
        )

    def test_an_unknown_namespace_is_refused(self):
        client = self.client(reconnection=False)
        error = Heard(client, "connect_error", "/nowhere")
        with self.assertRaises(socketio.exceptions.ConnectionError):
            client.connect(
                LAB, transports=self.transports, namespaces=["/nowhere"], wait_timeout=PATIENCE
            )
        self.assertEqual(error.next(), ({"message": "Invalid namespace"},))

    def test_namespaces_share_a_connection(self):
        client = self.connected(["/", "/team-3"])
        self.assertEqual(self.ask(client, "where", namespace="/team-3"), "/team-3")
        self.assertEqual(self.ask(client, "sum", 1, 2), 3)

    def test_rooms_are_heard_by_those_inside(self):
        ann, bo = self.connected(), self.connected()
        heard, own = Heard(bo, "said"), Heard(ann, "said")
        room = f"py-{ann.get_sid()}"
        self.assertEqual(self.ask(ann, "join", room), [room])
        self.ask(bo, "join", room)
        ann.emit("say", (room, "to others", BYTES))
        ann.emit("shout", (room, "to all"))
        self.assertEqual([heard.next(), heard.next()], [("to others", BYTES), ("to all",)])
        self.assertEqual(own.next(), ("to all",))

    def test_order_is_kept(self):
        client = self.connected()
        burst = Heard(client, "burst")
        client.emit("burst", 200)
        self.assertEqual([burst.next()[0] for _ in range(200)], list(range(200)))
        for number in range(200):
            client.emit("number", number)
        self.assertEqual(self.ask(client, "numbers"), list(range(200)))

    def test_large_messages_pass_both_ways(self):
        client = self.connected()
        self.assertEqual(self.ask(client, "big", 200_000), ("x" * 200_000, b"\x07" * 200_000))
        sent = ("é" * 50_000, b"\x09" * 300_000)
        self.assertEqual(self.ask(client, "echo", *sent), sent)

    def test_the_server_ends_a_socket(self):
        client = self.connected()
        gone = Heard(client, "disconnect")
        client.emit("kick")
        self.assertEqual(gone.next(), ("server disconnect",))

    def test_comes_back_after_its_connection_is_lost(self):
        client = self.connected()
        again = Heard(client, "connect")
        if client.transport() == "polling":
            session = f"{LAB}/socket.io/?EIO=4&transport=polling&sid={client.eio.sid}"
            requests.post(session, data="1", timeout=PATIENCE)
        else:
            client.eio.ws.sock.shutdown(socket.SHUT_RDWR)
        again.next()
        self.assertEqual(self.ask(client, "sum", 20, 22), 42)


class OverWebSocket(Application, unittest.TestCase):
    transports = ["websocket"]


class OverPolling(Application, unittest.TestCase):
    transports = ["polling"]


class OverUpgrade(Application, unittest.TestCase):
    transports = ["polling", "websocket"]


if __name__ == "__main__":
    unittest.main()
