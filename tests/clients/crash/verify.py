"""What the database must say after all that happened: one function, a list of faults."""

from collections import Counter, defaultdict


def faults(database, ledger, people_ids):
    """Every way in which the database differs from what the clients were told."""
    found = []
    messages = database.rows(
        "select id, chat_id, sender_id, content, client_id, seq from messages order by id")
    by_content = defaultdict(list)
    for id, chat, sender, content, key, seq in messages:
        by_content[content].append((int(id), int(chat), int(sender), key))

    attempts = defaultdict(list)
    for post in ledger.posts:
        attempts[post.content].append(post)
    for content in by_content.keys() - attempts.keys():
        found.append(f"nobody sent {content!r}")
    for content, posts in attempts.items():
        rows = by_content.get(content, [])
        if len(rows) > 1:
            found.append(f"{content} is there {len(rows)} times")
        told = {post.id for post in posts if post.id}
        # A post that never got an answer may have arrived; one that was refused may not.
        if rows and all(post.id is False for post in posts):
            found.append(f"{content} is there although the server said it was not sent")
        for id in told:
            post = posts[0]
            expected = (id, post.chat, people_ids[post.person], post.key or "")
            if rows != [expected]:
                found.append(f"{content} was accepted as {expected}, but there is {rows}")

    found += chats(database, messages, ledger, people_ids)
    found += log(database, messages)
    return found


def chats(database, messages, ledger, people_ids):
    found = []
    seqs = defaultdict(list)
    newest = {}
    for id, chat, _, _, _, seq in messages:
        seqs[chat].append(int(seq))
        newest[chat] = id
    rows = database.rows("select id, title, last_seq, last_message_id, members_count from chats")
    # Who sent the last message of a chat has read it.
    places = database.rows(
        "select m.chat_id, m.person_id, m.standing, case when c.last_sender_id = m.person_id "
        "and c.last_message_id > m.read_id then c.last_message_id else m.read_id end "
        "from members m join chats c on c.id = m.chat_id")
    counts = Counter(chat for chat, _, standing, _ in places if standing == "in")
    for chat, title, last_seq, last_message, members in rows:
        if seqs[chat] != list(range(1, int(last_seq) + 1)):
            found.append(f"chat {chat} says it has {last_seq} messages, but they are {seqs[chat]}")
        if last_message != newest.get(chat, ""):
            found.append(f"chat {chat} says its last message is {last_message}")
        if int(members) != counts[chat]:
            found.append(f"chat {chat} says {members} members, but there are {counts[chat]}")
        if title.startswith("chat ") and title not in ledger.tried_titles:
            found.append(f"nobody made the chat {title!r}")
    titles = Counter(title for _, title, *_ in rows)
    found += [f"the chat {title!r} is there {n} times" for title, n in titles.items() if n > 1]
    known = {(title, int(chat)) for chat, title, *_ in rows}
    found += [f"the chat {made} is gone" for made in ledger.titles.items() if made not in known]
    keys = {key: int(chat) for key, chat in database.rows("select client_id, chat_id from creations")}
    for begun in ledger.begun:
        if begun.chat is not None and keys.get(begun.key) != begun.chat:
            found.append(f"the chat {begun.title!r} was made under a key that is now {keys.get(begun.key)}'s")
    standing = {(int(chat), int(person)): (place, int(read))
                for chat, person, place, read in places}
    for chat, person in ledger.joins:
        if standing.get((chat, people_ids[person]), ("", 0))[0] != "in":
            found.append(f"person {person} joined chat {chat} and is not in it")
    for (chat, person), up_to in ledger.reads.items():
        if standing.get((chat, people_ids[person]), ("", 0))[1] < up_to:
            found.append(f"person {person} read chat {chat} up to {up_to}, which is forgotten")
    return found


def log(database, messages):
    found = []
    (head,), = database.rows("select head from log")
    # A message is its own row of the log.
    positions = [int(position) for position, in database.rows(
        "select position from changes union all select id from messages order by 1")]
    if positions != list(range(1, int(head) + 1)):
        gaps = sorted(set(range(1, int(head) + 1)) ^ set(positions))
        found.append(f"the log's head is {head}, and of its places {gaps[:10]} are wrong")
    return found


def expected_to_hear(database, start, chat=None):
    """The messages after a position, in order: what a follower must have heard."""
    condition = f"id > {start}" + (f" and chat_id = {chat}" if chat else "")
    rows = database.rows(f"select id, chat_id, content from messages where {condition} order by id")
    return [(int(id), int(chat), content) for id, chat, content in rows]
