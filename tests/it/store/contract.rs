//! What the store guarantees on either engine: the log's order, the results of a batch, unique keys.

use std::sync::Arc;

use parlance::{
    Kind,
    model::{
        ChangeKind, ChatId, ChatKind, Lane, Membership, MembershipStatus, Mentions, Message,
        MessageId, MessageKind, Name, Names, Person, PersonId, PersonKind, Position, Role, Seq,
        TenantId, Timestamp, Title,
    },
    store::{
        NewPerson, Store, Tx,
        batch::{
            ChatUpdate, LastMessage, MembershipUpdate, NewChat, ReadLookup, SendLookup, WriteSet,
        },
    },
};

use tokio::sync::watch;

use crate::support::place::Place;

const HOME: TenantId = TenantId::new(1);
const NOW: Timestamp = Timestamp::new(1_700_000_000_000);

/// A store with two people and an open chat of theirs.
struct Ground {
    place: Place,
    store: Store,
    ann: Person,
    bo: Person,
    chat: ChatId,
}

impl Ground {
    async fn new() -> Self {
        let place = Place::make().await;
        let store = place.store().await;
        let ann = person(&store, "ann").await;
        let bo = person(&store, "bo").await;
        let created_by = ann.id;
        let made = store.write_anyway(move |tx| {
            Box::pin(async move {
                let head = tx.lock_log(Lane::FIRST).await?.head;
                Ok(open(tx, "tea", created_by, head.plus(1)).await)
            })
        });
        let chat = made.await.expect("it is written").expect("a free title");
        Self {
            place,
            store,
            ann,
            bo,
            chat,
        }
    }

    /// Writes some messages of somebody in one transaction, each under a key or none.
    async fn say(&self, who: PersonId, lines: &[(&str, Option<&str>)]) -> parlance::Result<()> {
        say(&self.store, self.chat, who, lines).await
    }
}

async fn person(store: &Store, name: &str) -> Person {
    let id = add_person(store, name).await.expect("a free name");
    let found = store.person(HOME, id).await.expect("an answer");
    found.expect("who was just written")
}

async fn add_person(store: &Store, name: &str) -> parlance::Result<PersonId> {
    let new = new_person(name);
    let added = store.write(HOME, move |tx| {
        Box::pin(async move { tx.insert_person(&new, NOW).await })
    });
    added.await
}

fn new_person(name: &str) -> NewPerson {
    NewPerson {
        tenant: HOME,
        kind: PersonKind::Person,
        name: Name::parse(name).expect("a sound name"),
        names: Names::default(),
        photo: None,
        external_id: None,
        email: None,
        account_key: Some(name.to_owned()),
        password_hash: None,
    }
}

async fn open(
    tx: &mut Tx,
    title: &str,
    created_by: PersonId,
    position: Position,
) -> Option<ChatId> {
    let title = Title::parse(title).expect("a sound title");
    let new = NewChat {
        tenant: HOME,
        kind: ChatKind::Open,
        title: Some(&title),
        description: None,
        key: None,
        created_by,
        room: None,
        extra: None,
        domain: None,
        status: None,
        position,
    };
    tx.insert_chat(&new, NOW).await.expect("an answer")
}

async fn say(
    store: &Store,
    chat: ChatId,
    who: PersonId,
    lines: &[(&str, Option<&str>)],
) -> parlance::Result<()> {
    let lines: Vec<_> = lines
        .iter()
        .map(|(content, key)| ((*content).to_owned(), key.map(str::to_owned)))
        .collect();
    let said = store.write_anyway(move |tx| Box::pin(say_in(tx, chat, who, lines)));
    said.await
}

async fn say_in(
    tx: &mut Tx,
    chat: ChatId,
    who: PersonId,
    lines: Vec<(String, Option<String>)>,
) -> parlance::Result<()> {
    let head = tx.lock_log(Lane::FIRST).await?.head;
    let facts = tx.look_up_sends(&[question(chat, who, None)]).await?;
    let facts = facts[0].chat.expect("the chat is there");
    let mut set = WriteSet::default();
    let (mut position, mut seq) = (head, facts.last_seq.get());
    for (content, key) in lines {
        position = position.plus(1);
        seq += 1;
        let id = MessageId::from(position);
        let message = Message {
            id,
            chat,
            seq: Seq::new(seq),
            sender: who,
            kind: MessageKind::Text,
            content,
            client_id: key.clone(),
            at: NOW,
            edited_at: None,
            deleted_at: None,
            reply_to: None,
            mentions: Mentions::default(),
            reactions: Vec::new(),
        };
        set.messages
            .push((HOME, message, key.map(|key| format!("digest of {key}"))));
    }
    let id = MessageId::from(position);
    let chat_update = ChatUpdate {
        last_seq: Seq::new(seq),
        last: Some(LastMessage { id, sender: who }),
        last_position: position,
        members: facts.members,
        status: None,
    };
    set.chat_updates.push((chat, chat_update));
    let mark = mark(head.plus(1), id, Seq::new(seq));
    set.memberships.push((chat, who, mark));
    tx.write(&set, NOW).await
}

fn mark(joined: Position, read: MessageId, read_seq: Seq) -> MembershipUpdate {
    MembershipUpdate {
        tenant: HOME,
        standing: MembershipStatus::In,
        role: Role::Member,
        joined,
        read,
        read_seq,
    }
}

fn question(chat: ChatId, sender: PersonId, key: Option<&str>) -> SendLookup {
    SendLookup {
        tenant: HOME,
        chat,
        sender,
        client_id: key.map(str::to_owned),
    }
}

#[rocket::async_test]
async fn a_new_database_is_at_the_start_of_its_log_and_keeps_its_epoch() {
    let place = Place::make().await;
    let first = place.store().await;
    assert_eq!(
        (first.head().await.expect("a head"), first.floor()),
        (Position::START, Position::START)
    );
    let (epoch, _) = first.place(Lane::FIRST).await.expect("an epoch");
    assert_eq!(epoch.as_str().len(), 8);
    first.ping().await.expect("the database answers");
    first.close().await;
    let refused = first.ping().await.expect_err("a closed store");
    assert_eq!(refused.kind(), Kind::Unavailable);
    let again = place.store().await;
    let kept = again.place(Lane::FIRST).await.expect("an epoch");
    assert_eq!(kept, (epoch, Position::START), "and the next start");
    let mut beside = place.beside().await;
    assert_eq!(
        beside.numbers("select id from tenants order by id").await,
        [1, 2]
    );
}

#[rocket::async_test]
async fn positions_have_no_gaps_however_many_write() {
    let ground = Ground::new().await;
    let other = ground.place.store().await;
    let (chat, ann, bo) = (ground.chat, ground.ann.id, ground.bo.id);
    let mut writers = Vec::new();
    for number in 0..6_i64 {
        let store = if number % 2 == 0 {
            ground.store.clone()
        } else {
            other.clone()
        };
        let who = if number % 3 == 0 { ann } else { bo };
        writers.push(tokio::spawn(async move {
            for round in 0..10_i64 {
                if (round + number) % 4 == 0 {
                    // Work that is refused leaves no gap behind.
                    let refused = store.write_anyway::<()>(|tx| {
                        Box::pin(async move {
                            tx.lock_log(Lane::FIRST).await?;
                            Err(parlance::Error::invalid("refused"))
                        })
                    });
                    refused.await.expect_err("it is refused");
                    continue;
                }
                let lines: Vec<_> = (0..=number % 4).map(|_| ("hi", None)).collect();
                say(&store, chat, who, &lines).await.expect("it is written");
            }
        }));
    }
    let reader = ground.store.clone();
    let (done, end) = watch::channel(Position::new(i64::MAX));
    let tail = tokio::spawn(async move {
        let mut last = Position::START;
        while last < *end.borrow() {
            for change in reader.changes(last, 7).await.expect("an answer") {
                assert_eq!(change.position, last.plus(1), "a reader steps over nothing");
                last = change.position;
            }
        }
        last
    });
    for writer in writers {
        writer.await.expect("a writer does not fail");
    }
    let mut beside = ground.place.beside().await;
    let head = ground.store.head().await.expect("a head");
    assert_eq!(beside.head_without_gaps().await, head.get());
    let seqs = beside.numbers("select seq from messages order by id").await;
    assert_eq!(
        seqs,
        (1..=head.get()).collect::<Vec<_>>(),
        "one chat's numbers have no gaps either"
    );
    done.send(head).expect("the reader reads on");
    assert_eq!(tail.await.expect("the reader saw everything"), head);
}

#[rocket::async_test]
async fn work_that_fails_leaves_nothing() {
    let ground = Ground::new().await;
    let (ann, cy) = (ground.ann.id, new_person("cy"));
    let failed = ground.store.write_anyway::<()>(move |tx| {
        Box::pin(async move {
            tx.lock_log(Lane::FIRST).await?;
            tx.insert_person(&cy, NOW).await?;
            let made = open(tx, "other", ann, Position::new(1)).await;
            made.expect("a free title");
            Err(parlance::Error::conflict("and then it fails"))
        })
    });
    let failed = failed.await.expect_err("it fails");
    assert_eq!(failed.kind(), Kind::Conflict);
    assert!(!ground.store.account_exists("cy").await.expect("an answer"));
    let (chats, more) = ground
        .store
        .chats(&ground.ann, None, 10)
        .await
        .expect("a list");
    assert_eq!((chats.len(), more), (1, false));
}

#[rocket::async_test]
async fn every_question_of_a_batch_has_its_answer_in_order() {
    let ground = Ground::new().await;
    let Ground {
        store,
        ann,
        bo,
        chat,
        ..
    } = &ground;
    ground
        .say(
            ann.id,
            &[("one", Some("k1")), ("two", None), ("three", Some("k3"))],
        )
        .await
        .expect("written");
    let nowhere = ChatId::new(999);
    let elsewhere = SendLookup {
        tenant: TenantId::new(2),
        ..question(*chat, ann.id, Some("k1"))
    };
    let asked = [
        question(*chat, ann.id, Some("k3")),
        question(nowhere, ann.id, Some("k1")),
        question(*chat, bo.id, Some("k1")),
        elsewhere,
        question(*chat, ann.id, None),
        question(*chat, ann.id, Some("k3")),
        question(*chat, ann.id, Some("K1")),
        question(*chat, ann.id, Some("k1")),
    ];
    let looked_up = store.write_anyway(move |tx| {
        Box::pin(async move {
            assert_eq!(tx.lock_log(Lane::FIRST).await?.head, Position::new(3));
            tx.look_up_sends(&asked).await
        })
    });
    let told = looked_up.await.expect("answers");
    let seqs: Vec<_> = told
        .iter()
        .map(|answer| answer.chat.map(|chat| chat.last_seq.get()))
        .collect();
    assert_eq!(
        seqs,
        [
            Some(3),
            None,
            Some(3),
            None,
            Some(3),
            Some(3),
            Some(3),
            Some(3)
        ]
    );
    let earlier: Vec<_> = told
        .iter()
        .map(|answer| answer.earlier.as_ref().map(|earlier| earlier.id.get()))
        .collect();
    assert_eq!(
        earlier,
        [Some(3), None, None, None, None, Some(3), None, Some(1)]
    );
    let first = told[7].earlier.clone().expect("the first message");
    assert_eq!(
        (first.seq.get(), first.at, first.digest.as_str()),
        (1, NOW, "digest of k1")
    );
    let standings: Vec<_> = told.iter().map(|answer| answer.standing).collect();
    let is_in = Some(MembershipStatus::In);
    assert_eq!(
        standings,
        [is_in, None, None, None, is_in, is_in, is_in, is_in]
    );

    let reads = [2, 99, 0, 1].map(|up_to| ReadLookup {
        tenant: HOME,
        chat: *chat,
        reader: ann.id,
        up_to: MessageId::new(up_to),
    });
    let looked_up = store.write_anyway(move |tx| {
        Box::pin(async move {
            assert!(tx.look_up_sends(&[]).await?.is_empty());
            assert!(tx.look_up_reads(&[]).await?.is_empty());
            tx.look_up_reads(&reads).await
        })
    });
    let told = looked_up.await.expect("answers");
    let newest: Vec<_> = told
        .iter()
        .map(|answer| answer.newest.map(|(id, _)| id.get()))
        .collect();
    assert_eq!(newest, [Some(2), Some(3), None, Some(1)]);
}

#[rocket::async_test]
async fn a_key_is_unique_for_its_sender_and_chat() {
    let ground = Ground::new().await;
    let (ann, bo) = (ground.ann.id, ground.bo.id);
    ground
        .say(ann, &[("one", Some("k"))])
        .await
        .expect("written");
    ground
        .say(bo, &[("one", Some("k"))])
        .await
        .expect("another sender");
    ground
        .say(ann, &[("none", None), ("none", None)])
        .await
        .expect("no key is no key");
    let refused = ground
        .say(ann, &[("fine", Some("k2")), ("again", Some("k"))])
        .await;
    assert_eq!(
        refused.expect_err("the key is taken").kind(),
        Kind::Internal
    );
    let mut beside = ground.place.beside().await;
    assert_eq!(
        beside.number("select count(*) from messages").await,
        4,
        "nothing of that batch is left"
    );
    assert_eq!(ground.store.head().await.expect("a head"), Position::new(4));
}

#[rocket::async_test]
async fn a_title_is_unique_among_open_chats_that_are_there() {
    let ground = Ground::new().await;
    let (ann, tea) = (ground.ann.id, ground.chat);
    let work = ground
        .store
        .write_anyway(move |tx| Box::pin(titles(tx, tea, ann)));
    work.await.expect("it is written");
    let gone = ground.store.chat(HOME, tea, ann).await.expect("an answer");
    assert!(gone.is_none());
}

/// With the open chat `tea` there: which titles are free.
async fn titles(tx: &mut Tx, tea: ChatId, ann: PersonId) -> parlance::Result<()> {
    let at = Position::new(1);
    for same in ["tea", "TEA", "  Tea "] {
        assert_eq!(open(tx, same, ann, at).await, None, "{same:?}");
    }
    let title = Title::parse("tea").expect("a sound title");
    let private = NewChat {
        tenant: HOME,
        kind: ChatKind::Private,
        title: Some(&title),
        description: None,
        key: None,
        created_by: ann,
        room: None,
        extra: None,
        domain: None,
        status: None,
        position: at,
    };
    for _ in 0..2 {
        assert!(tx.insert_chat(&private, NOW).await?.is_some());
    }
    let elsewhere = NewChat {
        tenant: TenantId::new(2),
        kind: ChatKind::Open,
        ..private
    };
    assert!(tx.insert_chat(&elsewhere, NOW).await?.is_some());
    tx.delete_chat(tea, NOW).await?;
    assert!(
        open(tx, "Tea", ann, at).await.is_some(),
        "the title is free again"
    );
    Ok(())
}

#[rocket::async_test]
async fn a_name_is_taken_once_and_a_refusal_undoes_its_transaction() {
    let ground = Ground::new().await;
    let refused = add_person(&ground.store, "ann").await;
    let refused = refused.expect_err("the name is taken");
    assert_eq!(refused.kind(), Kind::Conflict);
    assert!(ground.store.account_exists("ann").await.expect("an answer"));
    assert!(
        !ground.store.account_exists("Ann").await.expect("an answer"),
        "keys are compared by bytes"
    );
}

#[rocket::async_test]
async fn a_mark_makes_no_member_and_keeps_when_one_joined_until_they_join_again() {
    let ground = Ground::new().await;
    let Ground {
        store, bo, chat, ..
    } = &ground;
    let (chat, bo) = (*chat, bo.id);
    let place = async || {
        let found = store.write_anyway(move |tx| Box::pin(tx.membership(chat, bo)));
        found.await.expect("an answer").expect("a place")
    };
    let write = async |standing: MembershipStatus, joined: i64, read: i64, role: Role| {
        let new = MembershipUpdate {
            standing,
            role,
            ..mark(Position::new(joined), MessageId::new(read), Seq::new(read))
        };
        let set = WriteSet {
            memberships: vec![(chat, bo, new)],
            ..WriteSet::default()
        };
        let written =
            store.write_anyway(move |tx| Box::pin(async move { tx.write(&set, NOW).await }));
        written.await.expect("it is durable");
    };
    let is = |now: Membership, joined: i64, read: i64, role: Role, standing: MembershipStatus| {
        let now = (now.joined.get(), now.read.get(), now.role, now.standing);
        assert_eq!(now, (joined, read, role, standing));
    };
    let (observer, member) = (MembershipStatus::Observer, MembershipStatus::In);
    write(observer, 4, 4, Role::Member).await;
    is(place().await, 4, 4, Role::Member, observer);
    assert!(store.memberships(bo).await.expect("a list").is_empty());
    write(member, 5, 5, Role::Member).await;
    write(member, 9, 9, Role::Admin).await;
    is(place().await, 5, 9, Role::Member, member);
    write(observer, 10, 10, Role::Admin).await;
    is(place().await, 5, 10, Role::Member, member);
    assert_eq!(
        store.memberships(bo).await.expect("a list"),
        [(chat, Position::new(5))]
    );
    let ended = store.write_anyway(move |tx| {
        Box::pin(async move {
            tx.end_memberships(chat, &[bo], MembershipStatus::Left)
                .await
        })
    });
    ended.await.expect("it ends");
    assert!(store.memberships(bo).await.expect("a list").is_empty());
    write(observer, 11, 11, Role::Admin).await;
    is(place().await, 5, 11, Role::Member, MembershipStatus::Left);
    write(member, 12, 11, Role::Admin).await;
    is(place().await, 12, 11, Role::Admin, member);
}

#[rocket::async_test]
async fn what_the_log_tells_is_what_was_written() {
    let ground = Ground::new().await;
    let Ground { store, ann, bo, .. } = &ground;
    let text = "q\"uo'te \\ \u{1F375} \u{7f} \u{2028} {\"a\":[1]} $1 \t\r\n";
    ground
        .say(ann.id, &[(text, Some("k"))])
        .await
        .expect("written");
    let changes = store.changes(Position::START, 10).await.expect("a list");
    let ChangeKind::Message(message) = &changes[0].what else {
        panic!("{changes:?}")
    };
    assert_eq!(
        (message.content.as_str(), message.client_id.as_deref()),
        (text, Some("k"))
    );
    assert_eq!(
        (changes[0].at, &changes[0].actor),
        (NOW, &Arc::new(ann.clone()))
    );
    let page = store
        .messages_before((HOME, ground.chat), None, 10)
        .await
        .expect("a page");
    assert_eq!(page.messages[0].0, *message);
    let whole = (Position::START, Position::new(10));
    assert_eq!(
        store.changes_for(ann, whole, 10).await.expect("a list"),
        changes
    );
    assert_eq!(
        store.changes_for(bo, whole, 10).await.expect("a list"),
        [],
        "bo is no member"
    );
}
