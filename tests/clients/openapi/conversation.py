"""A whole conversation by a client that openapi-python-client generates from the server's own description."""

import os
import threading

from parlance_client import Client
from parlance_client.api.events import emit_event, events
from parlance_client.api.messenger import (
    chats, create_chat, edit_message, me, message, react, search, send_message, sign_in, sign_out, sign_up,
)
from parlance_client.api.service import create_app, create_room, put_user, sign_developer_in, users
from parlance_client.api.support import find_domain, register_owner, sign_owner_in, sign_owner_out
from parlance_client import models

URL = os.environ["SERVER_URL"]
PASSWORD = "correct horse"


def good(answer, status=200):
    assert answer.status_code == status, (answer.status_code, answer.content)
    assert answer.parsed is not None or not answer.content, answer.content
    return answer.parsed


def person(name):
    client = Client(base_url=URL)
    body = models.SignUpRequest(name=name, password=PASSWORD, email="someone@example.com")
    good(sign_up.sync_detailed(client=client, body=body), 201)
    good(sign_out.sync_detailed(client=client))
    good(sign_in.sync_detailed(client=client, body=models.SignInRequest(name=name, password=PASSWORD)))
    return client


def messenger():
    ann, bo = person("ann.py"), person("bo.py")
    friend = good(me.sync_detailed(client=bo))
    body = models.CreateChatRequest(title="Python", private=True, members=[friend.id])
    made = create_chat.sync_detailed(client=ann, body=body)
    good(made, 201)
    chat = int(made.headers["Location"].rsplit("/")[-1])

    cursor = good(events.sync_detailed(client=bo, after="now", timeout=0)).cursor
    told = []
    wait = lambda: told.append(events.sync_detailed(client=bo, after=cursor, timeout=20, types="message"))
    waiting = threading.Thread(target=wait)
    waiting.start()
    body = models.SendMessageRequest(content="Hello from Python", client_id="py-1")
    sent = good(send_message.sync_detailed(chat, client=ann, body=body, prefer="return=representation"), 201)
    waiting.join()
    event = good(told[0]).events[0]
    assert event.message.id == sent.message.id, event

    body = models.EditMessageRequest(content="Hello, edited in Python")
    good(edit_message.sync_detailed(chat, sent.message.id, client=ann, body=body))
    good(react.sync_detailed(chat, sent.message.id, "👍", client=bo))
    read = good(message.sync_detailed(chat, sent.message.id, client=ann))
    assert read.edited_at and read.reactions[0].count == 1, read
    hits = good(search.sync_detailed(client=bo, query="edited")).hits
    assert hits[0].message.content == "Hello, edited in Python", hits
    assert good(chats.sync_detailed(client=bo)).chats[0].last_message == "Hello, edited in Python"
    refused = chats.sync_detailed(client=Client(base_url=URL))
    assert refused.status_code == 401 and refused.parsed.code == "unauthenticated", refused


def service():
    client = Client(base_url=URL)
    account = models.SignDeveloperInRequest(email=os.environ["ADMIN_EMAIL"], password=os.environ["ADMIN_PASSWORD"])
    token = good(sign_developer_in.sync_detailed(client=client, body=account)).token
    developer = Client(base_url=URL, headers={"Authorization": f"Bearer {token}"})
    app = good(create_app.sync_detailed(client=developer, body=models.CreateAppRequest(name="shop")), 201)
    ann = models.PutUserRequest(app_id=app.application_id, app_user_id=7, first_name="Ann", token="py-token-of-ann")
    row = good(put_user.sync_detailed(client=client, body=ann))
    bo = models.PutUserRequest(app_id=app.application_id, app_user_id="eight", first_name="Bo")
    good(put_user.sync_detailed(client=client, body=bo))
    room = models.CreateRoomRequest(app_id=app.application_id, room="py-7-8", users=[7, "eight"])
    assert len(good(create_room.sync_detailed(client=client, body=room)).users) == 2
    assert create_room.sync_detailed(client=client, body=room).status_code == 400
    assert any(user.id == row.id for user in good(users.sync_detailed(app.application_id, client=client)))


def support():
    client = Client(base_url=URL)
    owner = models.RegisterOwnerRequest(email="py@example.com", password=PASSWORD, domain="py.example")
    good(register_owner.sync_detailed(client=client, body=owner))
    body = models.SignOwnerInRequest(email="py@example.com", password=PASSWORD)
    token = good(sign_owner_in.sync_detailed(client=client, body=body)).data.token
    assert good(find_domain.sync_detailed("py.example", client=client)).data.domain == "py.example"
    good(sign_owner_out.sync_detailed(client=client, body=models.SignOwnerOutRequest(token=token)))


messenger()
service()
support()
print("conversation by openapi-python-client: ok")
