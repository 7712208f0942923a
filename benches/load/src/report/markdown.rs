//! The report as Markdown.

use super::{Report, compare, plot_name, spread};
use crate::{
    contender::Contender,
    figures::{Column, Spread, digits, one, several},
    run::{Measured, Result},
};

pub fn report(report: &Report) -> String {
    let mut text = format!(
        "# What the last run showed\n\nWritten by `benches/run`; how to read it is told in \
         [benchmarks.md](../benchmarks.md).\n\n{}\n\n{}\n",
        report.machine, report.manner
    );
    for result in &report.results {
        text.push_str(&workload(result));
    }
    for section in &report.sections {
        text.push_str(&format!("\n## {}\n\n{}", section.title, section.markdown));
    }
    text
}

fn workload(result: &Result) -> String {
    let workload = result.workload;
    let mut text = format!("\n## {}\n\n{}.\n\n", workload.name, capital(workload.title));
    if result
        .measured
        .iter()
        .any(|measured| !measured.turns.is_empty())
    {
        text.push_str(&format!("![{}]({})\n\n", workload.name, plot_name(result)));
    }
    text.push_str(&figures(result));
    text.push_str(&audits(result));
    text.push_str(&comparisons(result));
    for (contender, reason) in &result.skipped {
        text.push_str(&format!(
            "\nNot measured: {}: {reason}.\n",
            contender.title()
        ));
    }
    text
}

fn capital(text: &str) -> String {
    let (first, rest) = text.split_at(text.chars().next().map_or(0, char::len_utf8));
    first.to_uppercase() + rest
}

/// Medians with the least and the greatest of the turns.
fn figures(result: &Result) -> String {
    let shown: Vec<_> = Column::ALL
        .into_iter()
        .filter(|column| {
            result
                .measured
                .iter()
                .any(|it| spread(it, *column).is_some())
        })
        .collect();
    let titles: Vec<_> = shown
        .iter()
        .map(|column| title(*column, result.workload.unit))
        .collect();
    let mut text = format!(
        "| | {} |\n|---|{}\n",
        titles.join(" | "),
        "---|".repeat(shown.len())
    );
    for measured in &result.measured {
        let cells = shown
            .iter()
            .map(|column| spread(measured, *column).map_or_else(|| "-".to_owned(), Spread::text));
        let cells: Vec<_> = cells.collect();
        text.push_str(&format!(
            "| {} | {} |\n",
            measured.contender.title(),
            cells.join(" | ")
        ));
    }
    text
}

fn title(column: Column, unit: &str) -> String {
    match column {
        Column::Rate => format!("{} a second", several(unit)),
        Column::Processor => format!("server's CPU {}, us", one(unit)),
        Column::Memory => format!("memory {}, KiB", one(unit)),
        other => other.title().to_owned(),
    }
}

/// What was sent against what arrived.
fn audits(result: &Result) -> String {
    let mut text = "\n| | sent | answered | to be delivered | delivered | lost | doubled | out of order | rows: due | found |\n\
                    |---|---|---|---|---|---|---|---|---|---|\n"
        .to_owned();
    for measured in &result.measured {
        let audit = &measured.audit;
        let (due, found) = audit.rows.map_or_else(
            || ("-".to_owned(), "-".to_owned()),
            |(due, found)| (due.to_string(), found.to_string()),
        );
        text.push_str(&format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {due} | {found} |\n",
            name_and_fault(measured),
            audit.sent,
            audit.answered,
            audit.expected,
            audit.delivered,
            audit.lost(),
            audit.doubled,
            audit.disordered,
        ));
    }
    text
}

fn name_and_fault(measured: &Measured) -> String {
    let title = measured.contender.title();
    match &measured.failure {
        Some(failure) => {
            let failure = failure.replace(['|', '\n'], " ");
            format!("{title}: **failed**, {failure}")
        }
        None if measured.audit.is_clean() => title.to_owned(),
        None => format!("{title}: **does not add up**"),
    }
}

fn comparisons(result: &Result) -> String {
    let found = compare::comparisons(result);
    if found.is_empty() {
        return String::new();
    }
    let mut text = "\n| | | times | target | |\n|---|---|---|---|---|\n".to_owned();
    for comparison in found {
        let other = comparison.other.map_or("as it is", Contender::title);
        let (target, verdict) = match (comparison.target, comparison.is_met()) {
            (Some(target), Some(met)) => {
                let bound = if comparison.column.more_is_better() {
                    "at least"
                } else {
                    "at most"
                };
                let verdict = if met { "met" } else { "**missed**" };
                (format!("{bound} {}", digits(target)), verdict)
            }
            _ => (String::new(), ""),
        };
        text.push_str(&format!(
            "| {}: {} | {other} | {} | {target} | {verdict} |\n",
            comparison.ours.title(),
            title(comparison.column, result.workload.unit),
            comparison.ratio.text(),
        ));
    }
    text
}
