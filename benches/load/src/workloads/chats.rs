//! People who talk: alone with themselves, and in pairs.

use std::rc::Rc;

use tokio::{task::JoinSet, time::Instant};

use crate::{
    Outcome, audit::Audit, figures::Figures, member::Member, options::Options, server::Server,
    stage::Stage,
};

const SOCKETS: usize = 64;

/// Each in a chat of its own.
pub async fn echoes(server: &Server, options: &Options) -> Outcome<(Figures, Audit)> {
    let stage = Rc::new(Stage::new());
    let mut members = Member::crowd(server.port, "echo", SOCKETS).await?;
    for member in &mut members {
        let users = [member.user.clone()];
        let chat = member.open_chat(&users).await?;
        member.enter(&chat);
    }
    let mut talking = JoinSet::new();
    for member in members {
        talking.spawn_local(echo(member, Rc::clone(&stage)));
    }
    let figures = stage.run(server, options).await?;
    Ok((figures, sum(talking).await?))
}

async fn echo(mut member: Member, stage: Rc<Stage>) -> Outcome<Audit> {
    while !stage.is_over() {
        let began = Instant::now();
        member.say().await?;
        let said = member.said;
        let done = member
            .until(|heard| heard.answers.has(said) && heard.speakers[0].has(said))
            .await?;
        if !done {
            break;
        }
        stage.count(1);
        stage.time(began);
    }
    Ok(member.audit([member.said, 0]))
}

/// Two in a chat, who take turns.
pub async fn pairs(server: &Server, options: &Options) -> Outcome<(Figures, Audit)> {
    let stage = Rc::new(Stage::new());
    let mut members = Member::crowd(server.port, "pair", SOCKETS).await?;
    let mut talking = JoinSet::new();
    while let (Some(mut one), Some(mut other)) = (members.pop(), members.pop()) {
        let chat = one
            .open_chat(&[one.user.clone(), other.user.clone()])
            .await?;
        one.enter(&chat);
        other.enter(&chat);
        other.speaker = 1;
        talking.spawn_local(talk(one, other, Rc::clone(&stage)));
    }
    let figures = stage.run(server, options).await?;
    Ok((figures, sum(talking).await?))
}

async fn talk(mut one: Member, mut other: Member, stage: Rc<Stage>) -> Outcome<Audit> {
    while !stage.is_over() {
        if !tell(&mut one, &mut other, &stage).await? || !tell(&mut other, &mut one, &stage).await?
        {
            break;
        }
    }
    let said = [one.said, other.said];
    let mut audit = one.audit(said);
    audit += other.audit(said);
    Ok(audit)
}

/// One says something, and both hear it; false if one of them does not.
async fn tell(speaker: &mut Member, hearer: &mut Member, stage: &Stage) -> Outcome<bool> {
    let began = Instant::now();
    speaker.say().await?;
    let (who, said) = (speaker.speaker, speaker.said);
    let (answered, heard) = tokio::try_join!(
        speaker.until(|heard| heard.answers.has(said) && heard.speakers[who].has(said)),
        async {
            let heard = hearer.until(|heard| heard.speakers[who].has(said)).await?;
            stage.time(began);
            Ok(heard)
        }
    )?;
    stage.count(1);
    Ok(answered && heard)
}

/// The accounts of all who took part.
pub async fn sum(mut parts: JoinSet<Outcome<Audit>>) -> Outcome<Audit> {
    let mut audit = Audit::default();
    while let Some(part) = parts.join_next().await {
        audit += part??;
    }
    Ok(audit)
}
