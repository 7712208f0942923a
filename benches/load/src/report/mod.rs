//! The report of a run: what it says as Markdown, as JSON and as plots.

mod compare;
mod markdown;
mod plot;

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    Outcome,
    contender::Role,
    figures::{Column, Spread},
    options::Options,
    run::{Measured, Result},
};
use compare::Comparison;

/// A table of Parlance alone.
pub struct Section {
    pub name: String,
    pub title: String,
    pub markdown: String,
    pub json: Value,
    /// Whether its target is met.
    pub met: bool,
}

pub struct Report {
    machine: String,
    /// How it was measured.
    manner: String,
    results: Vec<Result>,
    sections: Vec<Section>,
}

impl Report {
    pub fn new(machine: String, options: &Options) -> Self {
        let manner = format!(
            "{}{} rounds, in which each server has a turn of {} s after {} s of warming up. At most {} sockets, \
             as many as a process may open files or as were asked for.",
            if options.quick { "A quick run: " } else { "" },
            options.rounds,
            options.turn.as_secs_f64(),
            options.warm_up.as_secs_f64(),
            options.sockets,
        );
        Self {
            machine,
            manner,
            results: Vec::new(),
            sections: Vec::new(),
        }
    }

    pub fn add(&mut self, result: Result) {
        self.results.push(result);
    }

    pub fn add_section(&mut self, section: Section) {
        self.sections.push(section);
    }

    /// Whether all that Parlance did adds up and reaches its targets. Peers may fail: that is told.
    pub fn is_good(&self) -> bool {
        let mut ours = self.results.iter().flat_map(|result| &result.measured);
        ours.all(|measured| measured.contender.role() != Role::Ours || is_sound(measured))
            && self
                .comparisons()
                .all(|comparison| comparison.is_met() != Some(false))
            && self.sections.iter().all(|section| section.met)
    }

    fn comparisons(&self) -> impl Iterator<Item = Comparison> {
        self.results.iter().flat_map(compare::comparisons)
    }

    /// Writes `report.md`, `report.json` and a plot for each workload.
    pub fn write(&self, folder: &Path) -> Outcome {
        fs::create_dir_all(folder)?;
        for result in &self.results {
            if let Some(plot) = plot::plot(result) {
                fs::write(folder.join(plot_name(result)), plot)?;
            }
        }
        fs::write(folder.join("report.md"), self.markdown())?;
        let json = serde_json::to_string_pretty(&self.json())?;
        fs::write(folder.join("report.json"), json + "\n")?;
        Ok(())
    }

    pub fn markdown(&self) -> String {
        markdown::report(self)
    }

    fn json(&self) -> Value {
        let sections = self.sections.iter().map(|section| {
            json!({"name": section.name, "title": section.title, "rows": section.json,
                "met": section.met})
        });
        json!({
            "version": env!("CARGO_PKG_VERSION"),
            "machine": self.machine,
            "manner": self.manner,
            "workloads": self.results.iter().map(result_json).collect::<Vec<_>>(),
            "parlance_alone": sections.collect::<Vec<_>>(),
        })
    }
}

fn plot_name(result: &Result) -> String {
    format!("{}.svg", result.workload.name)
}

/// Whether everything that one did adds up.
fn is_sound(measured: &Measured) -> bool {
    measured.failure.is_none() && measured.audit.is_clean()
}

/// One column of all turns.
fn spread(measured: &Measured, column: Column) -> Option<Spread> {
    Spread::of(measured.turns.iter().filter_map(|turn| turn.get(column)))
}

fn result_json(result: &Result) -> Value {
    let skipped = result
        .skipped
        .iter()
        .map(|(contender, reason)| json!({"server": contender.key(), "reason": reason}));
    json!({
        "name": result.workload.name,
        "title": result.workload.title,
        "unit": result.workload.unit,
        "servers": result.measured.iter().map(measured_json).collect::<Vec<_>>(),
        "skipped": skipped.collect::<Vec<_>>(),
        "comparisons": compare::comparisons(result).iter().map(Comparison::json).collect::<Vec<_>>(),
    })
}

fn measured_json(measured: &Measured) -> Value {
    let audit = &measured.audit;
    let columns = |get: &dyn Fn(Column) -> Option<f64>| -> Value {
        let found = Column::ALL
            .into_iter()
            .filter_map(|it| Some((it.key().to_owned(), get(it)?.into())));
        Value::Object(found.collect())
    };
    let turns = measured
        .turns
        .iter()
        .map(|turn| columns(&|column| turn.get(column)));
    json!({
        "server": measured.contender.key(),
        "title": measured.contender.title(),
        "failure": measured.failure,
        "medians": columns(&|column| Some(spread(measured, column)?.median)),
        "turns": turns.collect::<Vec<_>>(),
        "audit": {
            "sent": audit.sent, "answered": audit.answered, "expected": audit.expected,
            "delivered": audit.delivered, "lost": audit.lost(), "doubled": audit.doubled,
            "out_of_order": audit.disordered, "rows_due": audit.rows.map(|rows| rows.0),
            "rows_found": audit.rows.map(|rows| rows.1), "clean": audit.is_clean(),
        },
    })
}
