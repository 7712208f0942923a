"""Runs the receivers of a document against a server: each is told a message, and believes nobody else."""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).parent
# Longer than anything here takes.
FOREVER = 60


def free_port():
    return int(subprocess.check_output([HERE.parent / "free-port"]))


def listens(port, process):
    end = time.monotonic() + FOREVER
    while time.monotonic() < end:
        if process.poll() is not None:
            raise SystemExit(f"{process.args} ended")
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nobody listens on {port}")


def post(url, body, headers):
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=FOREVER) as answer:
        return json.load(answer)


def status(url, headers):
    """What a receiver answers to a request that the server did not sign."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, b"{}", headers), timeout=FOREVER) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def receivers(document, folder):
    blocks = re.findall(r"```(js|python)\n(.*?)```", document, re.S)
    code = {language: text for language, text in blocks}
    (folder / "node_modules").symlink_to(HERE / "node_modules")
    (folder / "receiver.mjs").write_text(code["js"])
    (folder / "receiver.py").write_text(code["python"])
    return [["node", str(folder / "receiver.mjs")], [sys.executable, str(folder / "receiver.py")]]


def main(document, folder, started):
    port = free_port()
    account = {"email": "admin@example.com", "password": "correct-horse"}
    settings = {
        "ROCKET_PORT": str(port),
        "ROCKET_SOCKET_PORT": "0",
        "ROCKET_BCRYPT_COST": "4",
        "ROCKET_ADMIN_EMAIL": account["email"],
        "ROCKET_ADMIN_PASSWORD": account["password"],
        "ROCKET_VERIFY_ALLOW": '["127.0.0.0/8"]',
    }
    server = subprocess.Popen([os.environ["PARLANCE_BIN"]], cwd=folder, env={**os.environ, **settings})
    started.append(server)
    listens(port, server)
    base = f"http://127.0.0.1:{port}"
    token = post(f"{base}/auth/login", account, {})["token"]
    app = post(f"{base}/app", {"name": "shop"}, {"Authorization": token})["applicationId"]
    post(f"{base}/user", {"appId": app, "appUserId": 1, "firstName": "Ann", "token": "a-token-of-hers"}, {})
    post(f"{base}/room", {"appId": app, "room": "tea", "users": [1]}, {})
    told = []
    for command in receivers(document, folder):
        there = free_port()
        url = f"http://127.0.0.1:{there}/hook"
        body = {"url": url, "kinds": ["message.created"], "dialect": "embed"}
        secret = post(f"{base}/webhook", body, {"appId": app})["secret"]
        environment = {**os.environ, "PORT": str(there), "WEBHOOK_SECRET": secret}
        receiver = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        started.append(receiver)
        listens(there, receiver)
        forged = {"webhook-id": "msg_1_1", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,AAAA"}
        assert status(url, forged) == 400, command
        assert status(url, {}) == 400, command
        told.append(receiver)
    for text in ["hello", "\N{TEACUP WITHOUT HANDLE} and a \N{SNOWMAN}"]:
        post(f"{base}/api/events/send_message?room=tea", {"message": text}, {"Authorization": "Bearer a-token-of-hers"})
        for receiver in told:
            kind, _, data = receiver.stdout.readline().strip().partition(" ")
            assert kind == "message.created", kind
            assert json.loads(data)["msg"] == text, data
            print(f"{receiver.args[0]}: {text}")


if __name__ == "__main__":
    started = []
    with tempfile.TemporaryDirectory() as folder:
        try:
            main(Path(sys.argv[1]).read_text(), Path(folder), started)
        finally:
            for process in reversed(started):
                process.kill()
                process.wait()
