//! A plot of a workload: for each column that counts a bar for each server, with the spread of its turns.

use std::fmt::Write as _;

use super::spread;
use crate::{
    contender::Role,
    figures::{Column, Spread, digits, several},
    run::Result,
};

const COLUMNS: [Column; 4] = [
    Column::Rate,
    Column::Last,
    Column::Processor,
    Column::Memory,
];
/// Where bars begin and how long the longest may be, in pixels.
const START: f64 = 250.0;
const LENGTH: f64 = 380.0;
const WIDTH: f64 = 740.0;
const STEP: f64 = 26.0;
const BAR: f64 = 16.0;

/// The plot as SVG; none if nothing was measured.
pub fn plot(result: &Result) -> Option<String> {
    let (mut body, mut top) = (String::new(), 24.0);
    for column in COLUMNS {
        let bars: Vec<_> = result
            .measured
            .iter()
            .filter_map(|it| Some((it.contender, spread(it, column)?)))
            .collect();
        let most = bars
            .iter()
            .map(|(_, spread)| spread.most)
            .fold(0.0, f64::max);
        if most <= 0.0 {
            continue;
        }
        let title = match column {
            Column::Rate => format!("{} a second", several(result.workload.unit)),
            _ => column.title().to_owned(),
        };
        let better = if column.more_is_better() {
            "more"
        } else {
            "less"
        };
        text(
            &mut body,
            (8.0, top),
            "bold",
            &format!("{title} ({better} is better)"),
        );
        for (contender, spread) in bars {
            top += STEP;
            text(&mut body, (8.0, top), "normal", contender.title());
            bar(
                &mut body,
                top,
                colour(contender.role()),
                spread,
                LENGTH / most,
            );
        }
        top += STEP * 1.6;
    }
    (!body.is_empty()).then(|| {
        let height = top - STEP;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {WIDTH} {height:.0}\" font-family=\"sans-serif\" font-size=\"13\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n{body}</svg>\n"
        )
    })
}

fn colour(role: Role) -> &'static str {
    match role {
        Role::Ours => "#1f6feb",
        Role::Variant => "#9ec1f7",
        Role::Peer => "#8b949e",
        Role::Ceiling => "#d8dee4",
    }
}

fn text(body: &mut String, (left, top): (f64, f64), weight: &str, words: &str) {
    let words = words.replace('&', "&amp;").replace('<', "&lt;");
    // Writing to a String does not fail.
    let _ = writeln!(
        body,
        "<text x=\"{left:.1}\" y=\"{top:.1}\" font-weight=\"{weight}\" fill=\"#1f2328\">{words}</text>"
    );
}

fn bar(body: &mut String, base: f64, colour: &str, spread: Spread, scale: f64) {
    let (top, middle) = (base - BAR + 4.0, base + 4.0 - BAR / 2.0);
    let width = spread.median * scale;
    let (least, most) = (START + spread.least * scale, START + spread.most * scale);
    let _ = writeln!(
        body,
        "<rect x=\"{START:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{BAR:.1}\" fill=\"{colour}\"/>\n\
         <line x1=\"{least:.1}\" y1=\"{middle:.1}\" x2=\"{most:.1}\" y2=\"{middle:.1}\" stroke=\"#1f2328\"/>"
    );
    text(body, (most + 8.0, base), "normal", &digits(spread.median));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        audit::Audit, contender::Contender, figures::Figures, run::Measured, workloads::WORKLOADS,
    };

    #[test]
    fn a_plot_has_a_bar_for_each_who_was_measured() {
        let turn = |rate| {
            let mut figures = Figures::default();
            figures.set(Column::Rate, rate);
            figures
        };
        let measured = |contender, rates: &[f64]| Measured {
            contender,
            turns: rates.iter().map(|rate| turn(*rate)).collect(),
            audit: Audit::default(),
            failure: None,
        };
        let mut result = Result {
            workload: &WORKLOADS[0],
            measured: vec![
                measured(Contender::Axum, &[50.0, 100.0]),
                measured(Contender::Node, &[]),
            ],
            skipped: Vec::new(),
        };
        let plot = plot(&result).expect("something was measured");
        assert_eq!(plot.matches("stroke=").count(), 1);
        assert!(plot.contains("width=\"285.0\"") && plot.contains(">75.0</text>"));
        result.measured.clear();
        assert!(super::plot(&result).is_none());
    }
}
