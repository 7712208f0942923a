//! The run: every workload, its servers in turns, so that whatever else the machine does falls on all.

use std::path::Path;

use crate::{
    Outcome,
    audit::Audit,
    contender::Contender,
    figures::Figures,
    options::Options,
    server::{Server, Setup},
    workloads::{Ground, Workload},
};

/// What one server showed in a workload.
pub struct Measured {
    pub contender: Contender,
    pub turns: Vec<Figures>,
    pub audit: Audit,
    /// What ended its turns before their time.
    pub failure: Option<String>,
}

/// What a workload showed.
pub struct Result {
    pub workload: &'static Workload,
    pub measured: Vec<Measured>,
    /// Who was not measured, and why.
    pub skipped: Vec<(Contender, String)>,
}

struct Running {
    server: Server,
    ground: Ground,
    /// Rows that were there before the first turn.
    rows: Option<u64>,
    measured: Measured,
}

pub async fn run(workload: &'static Workload, folder: &Path, options: &Options) -> Outcome<Result> {
    let (mut running, mut measured, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    for contender in workload.contenders {
        if let Some(absence) = contender.absence(options) {
            skipped.push((*contender, absence));
            continue;
        }
        match start(workload, *contender, folder, options).await {
            Ok(one) => running.push(one),
            Err(error) => measured.push(failed(*contender, error.to_string())),
        }
    }
    for round in 1..=options.rounds {
        eprintln!("{}: round {round} of {}", workload.name, options.rounds);
        for one in &mut running {
            take_turn(workload, one, options).await;
        }
    }
    for one in running {
        measured.push(finish(workload, one).await?);
    }
    let place = |one: &Measured| {
        workload
            .contenders
            .iter()
            .position(|it| *it == one.contender)
    };
    measured.sort_by_key(place);
    Ok(Result {
        workload,
        measured,
        skipped,
    })
}

fn failed(contender: Contender, error: String) -> Measured {
    eprintln!("  {}: {error}", contender.title());
    Measured {
        contender,
        turns: Vec::new(),
        audit: Audit::default(),
        failure: Some(error),
    }
}

async fn start(
    workload: &Workload,
    contender: Contender,
    folder: &Path,
    options: &Options,
) -> Outcome<Running> {
    let name = format!("{}_{}", workload.name, contender.key()).replace('-', "_");
    let setup = Setup {
        folder,
        name: &name,
        bcrypt_cost: workload.bcrypt_cost,
        settings: workload.settings(),
    };
    let server = Server::start(contender, &setup).await?;
    let ground = workload.prepare(&server, options).await?;
    let rows = match workload.table {
        Some(table) => server.rows(table).await?,
        None => None,
    };
    Ok(Running {
        server,
        ground,
        rows,
        measured: Measured {
            contender,
            turns: Vec::new(),
            audit: Audit::default(),
            failure: None,
        },
    })
}

async fn take_turn(workload: &Workload, one: &mut Running, options: &Options) {
    let measured = &mut one.measured;
    if measured.failure.is_some() {
        return;
    }
    match workload.turn(&one.server, &mut one.ground, options).await {
        Ok((figures, audit)) => {
            measured.turns.push(figures);
            measured.audit += audit;
        }
        Err(error) => {
            eprintln!("  {}: {error}", measured.contender.title());
            measured.failure = Some(error.to_string());
        }
    }
}

/// Counts the rows, and ends the server.
async fn finish(workload: &Workload, one: Running) -> Outcome<Measured> {
    let Running {
        server,
        rows,
        mut measured,
        ..
    } = one;
    if let (Some(table), Some(before)) = (workload.table, rows) {
        let found = server.rows(table).await?.unwrap_or_default();
        measured.audit.rows = Some((before + measured.audit.sent, found));
    }
    if let Err(error) = server.end().await {
        measured.failure.get_or_insert(error.to_string());
    }
    Ok(measured)
}
