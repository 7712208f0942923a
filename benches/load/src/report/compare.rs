//! Parlance against whom it is held to: the best peer of the same run, one server of it, or a figure.

use serde_json::{Value, json};

use super::{is_sound, spread};
use crate::{
    contender::{Contender, Role},
    figures::{Column, Spread},
    run::{Measured, Result},
    workloads::{Against, Target},
};

/// One figure of Parlance's over that of another.
pub struct Comparison {
    pub ours: Contender,
    pub column: Column,
    /// None is a figure that does not depend on the run.
    pub other: Option<Contender>,
    /// Turn by turn.
    pub ratio: Spread,
    /// What the median must reach.
    pub target: Option<f64>,
}

impl Comparison {
    pub fn is_met(&self) -> Option<bool> {
        self.target.map(|target| {
            if self.column.more_is_better() {
                self.ratio.median >= target
            } else {
                self.ratio.median <= target
            }
        })
    }

    pub fn json(&self) -> Value {
        json!({
            "ours": self.ours.key(), "column": self.column.key(),
            "other": self.other.map(Contender::key), "ratio": self.ratio.median,
            "least": self.ratio.least, "most": self.ratio.most,
            "target": self.target, "met": self.is_met(),
        })
    }
}

/// Every comparison of a workload: those with a target, and each column with the best peer.
pub fn comparisons(result: &Result) -> Vec<Comparison> {
    let ours = result
        .measured
        .iter()
        .filter(|it| it.contender.role() == Role::Ours);
    ours.flat_map(|ours| {
        let targets = result.workload.targets;
        let aimed = targets
            .iter()
            .filter_map(|target| aimed(result, ours, target));
        let others = [
            Column::Rate,
            Column::Processor,
            Column::Last,
            Column::Memory,
        ];
        let named = |column: &Column| {
            let mut targets = targets.iter().filter(|target| target.column == *column);
            targets.any(|target| matches!(target.against, Against::BestPeer))
        };
        let plain = others.into_iter().filter(move |column| !named(column));
        aimed
            .chain(
                plain.filter_map(|column| compare(ours, best_peer(result, column)?, column, None)),
            )
            .collect::<Vec<_>>()
    })
    .collect()
}

fn aimed(result: &Result, ours: &Measured, target: &Target) -> Option<Comparison> {
    let column = target.column;
    match target.against {
        Against::BestPeer => compare(ours, best_peer(result, column)?, column, Some(target.times)),
        Against::One(other) => {
            let other = result.measured.iter().find(|it| it.contender == other)?;
            compare(ours, other, column, Some(target.times))
        }
        Against::Figure(figure) => {
            let values = ours.turns.iter().filter_map(|turn| turn.get(column));
            Some(Comparison {
                ours: ours.contender,
                column,
                other: None,
                ratio: Spread::of(values.map(|value| value / figure))?,
                target: Some(target.times),
            })
        }
    }
}

/// Each turn of ours over the turn of theirs in the same round: the machine's own pace changes.
fn compare(
    ours: &Measured,
    other: &Measured,
    column: Column,
    target: Option<f64>,
) -> Option<Comparison> {
    let pairs = ours.turns.iter().zip(&other.turns);
    let ratios = pairs.filter_map(|(ours, other)| {
        // What is too little to be measured has no multiple.
        let other = other.get(column).filter(|other| *other > 0.0)?;
        Some(ours.get(column)? / other)
    });
    Some(Comparison {
        ours: ours.contender,
        column,
        other: Some(other.contender),
        ratio: Spread::of(ratios)?,
        target,
    })
}

/// The peer with the best median, among those whose account adds up.
fn best_peer(result: &Result, column: Column) -> Option<&Measured> {
    let peers = result
        .measured
        .iter()
        .filter(|it| it.contender.role() == Role::Peer && is_sound(it));
    let known = peers.filter_map(|peer| Some((peer, spread(peer, column)?.median)));
    let best = known.max_by(|(_, one), (_, other)| {
        if column.more_is_better() {
            one.total_cmp(other)
        } else {
            other.total_cmp(one)
        }
    });
    best.map(|(peer, _)| peer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audit::Audit,
        database::Engine::Sqlite,
        figures::{Figures, digits},
        workloads::WORKLOADS,
    };

    fn measured(contender: Contender, rates: &[f64], audit: Audit) -> Measured {
        let turn = |rate: &f64| {
            let mut figures = Figures::default();
            figures.set(Column::Rate, *rate);
            figures
        };
        Measured {
            contender,
            turns: rates.iter().map(turn).collect(),
            audit,
            failure: None,
        }
    }

    fn echoes(measured: Vec<Measured>) -> Vec<Comparison> {
        let workload = WORKLOADS
            .iter()
            .find(|it| it.name == "echoes")
            .expect("it is there");
        comparisons(&Result {
            workload,
            measured,
            skipped: Vec::new(),
        })
    }

    #[test]
    fn ours_is_held_against_the_best_peer_turn_by_turn() {
        let found = echoes(vec![
            measured(
                Contender::Parlance(Sqlite),
                &[200.0, 90.0, 300.0],
                Audit::default(),
            ),
            measured(Contender::Axum, &[100.0, 100.0, 100.0], Audit::default()),
            measured(Contender::Node, &[50.0, 50.0, 50.0], Audit::default()),
        ]);
        assert_eq!(found.len(), 1);
        let Spread {
            median,
            least,
            most,
        } = found[0].ratio;
        assert_eq!(
            (found[0].other, found[0].is_met()),
            (Some(Contender::Axum), Some(true))
        );
        assert_eq!([median, least, most].map(digits), ["2.00", "0.90", "3.00"]);
    }

    #[test]
    fn a_peer_that_loses_messages_is_not_the_best() {
        let lossy = Audit {
            expected: 2,
            delivered: 1,
            ..Audit::default()
        };
        let found = echoes(vec![
            measured(Contender::Parlance(Sqlite), &[20.0], Audit::default()),
            measured(Contender::Axum, &[100.0], lossy),
            measured(Contender::Node, &[40.0], Audit::default()),
        ]);
        assert_eq!(
            (found[0].other, found[0].is_met()),
            (Some(Contender::Node), Some(false))
        );
    }
}
