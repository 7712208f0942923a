"""Generated requests against a running server, by schemathesis: no answer may be a fault of the server's, have
a status or a media type that is not described, or hold something else than its schema says."""

import json
import os
import subprocess
import sys
import time
import urllib.parse
import urllib.request

URL = os.environ["SERVER_URL"]
PASSWORD = "correct horse"
# What ends the login or the account that all other requests need.
LAST = [
    "sign_out", "sign_out_by_get", "sign_out_everywhere", "end_login", "delete_me", "change_password",
    "begin_second_factor", "confirm_second_factor", "delete_chat", "leave_chat", "remove_member", "delete_app",
    "delete_user", "delete_room", "admin_delete_chat", "admin_delete_person", "admin_deactivate_person",
    "admin_end_login", "admin_sign_person_out", "admin_suspend_tenant", "sign_owner_out",
]


def ask(path, body, headers=(), method="POST"):
    data = json.dumps(body).encode()
    request = urllib.request.Request(URL + path, data=data, method=method)
    request.add_header("Content-Type", "application/json")
    for name, value in dict(headers).items():
        request.add_header(name, value)
    with urllib.request.urlopen(request) as answer:
        return answer.headers, json.load(answer)


def cookies(headers):
    pairs = (line.split(";")[0] for line in headers.get_all("Set-Cookie"))
    return "; ".join(pair for pair in pairs if pair.startswith(("user_id=", "token=")))


def prepare(administrator):
    """People, a chat, an app and a site; returns the headers of requests, and ids that exist."""
    # A name that no generated request has taken.
    name = f"{'root' if administrator else 'ann'}{time.time_ns()}"
    account = {"name": name, "password": PASSWORD, "email": "ann@example.com"}
    headers, _ = ask("/api/reg", account)
    cookie = {"Cookie": cookies(headers)}
    if administrator:
        subprocess.run([os.environ["PARLANCE_BIN"], "admin", name], check=True, cwd=os.environ["SERVER_FOLDER"])
    headers, _ = ask("/api/chats", {"title": f"chat {name}", "private": True}, cookie)
    chat = headers["Location"].rsplit("/")[-1]
    headers, _ = ask(f"/api/chats/{chat}", {"content": "hello"}, cookie)
    message = headers["X-Message-Id"]
    _, invite = ask(f"/api/chats/{chat}/invites", {}, cookie)
    email, password = os.environ["ADMIN_EMAIL"], os.environ["ADMIN_PASSWORD"]
    _, account = ask("/auth/login", {"email": email, "password": password})
    bearer = {"Authorization": f"Bearer {account['token']}"}
    _, app = ask("/app", {"name": "shop"}, bearer)
    key = app["applicationId"]
    user = {"appId": key, "appUserId": 7, "firstName": "Ann", "token": f"token-of-{name}"}
    _, row = ask("/user", user)
    _, room = ask("/room", {"appId": key, "room": "usr-1-2", "users": [7]})
    owner = {"email": f"{name}@example.com", "password": PASSWORD, "domain": f"{name}.example"}
    ask("/owner/register", owner)
    _, owner = ask("/owner/login", owner)
    person = cookie["Cookie"].split("user_id=")[1].split(";")[0]
    known = {
        "chat": chat, "message": message, "invite": 1, "code": invite["code"], "person": person, "host": f"{name}.example",
        "app": app["id"], "id": key, "room": "usr-1-2", "login": 1, "tenant": 2, "invitation": 1, "emoji": "👍",
        "appId": key, "token": owner["data"]["token"], "password": PASSWORD, "members": [int(person)],
        "users": [7], "up_to": int(message), "reply_to": int(message), "timeout": 0, "user": row["id"], "room_id": room["id"],
    }
    return {**cookie, **bearer, "appId": key}, known


def run(name, choice, most, administrator=False):
    headers, known = prepare(administrator)
    environment = {**os.environ, "KNOWN": json.dumps(known), "SCHEMATHESIS_HOOKS": "hooks"}
    command = [
        os.path.join(os.path.dirname(sys.executable), "st"), "run", "generated/openapi.json", "--url", URL,
        "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,"
        "response_schema_conformance,response_headers_conformance",
        "--max-examples", str(most), "--phases", "examples,coverage,fuzzing", "--mode", "all",
        "--request-timeout", "20", "--continue-on-failure", "--seed", "1", "--no-color",
        "--suppress-health-check", "all",
    ]
    for header, value in headers.items():
        command += ["--header", f"{header}: {value}"]
    for operation in LAST:
        command += [f"--{choice}-operation-id", operation]
    print("#", name, flush=True)
    return subprocess.run(command, env=environment).returncode


most = max(1, int(sys.argv[1]) // 95)
failed = run("as somebody", "exclude", most)
failed |= run("as an administrator", "exclude", most, administrator=True)
failed |= run("what ends a login", "include", most)
sys.exit(failed)
