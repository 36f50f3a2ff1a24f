//! The kill matrix: mutants down, layers across.

use crate::layer::Layer;
use crate::trial::{LayerVerdict, MutantTrial};

/// The matrix for a terminal or, without the names of what failed, for a README. A number is the seconds until the layer
/// failed; a dash: the layer did not fail; a blank: it was not run.
pub(crate) fn text(trials: &[MutantTrial], markdown: bool) -> String {
    let mut rows = vec![heading()];
    rows.extend(trials.iter().map(row));
    rows.push(totals(trials));
    if markdown {
        // A page has no room for the names of what failed.
        for row in &mut rows {
            row.truncate(1 + Layer::ALL.len());
        }
        rows.insert(1, vec!["---".to_owned(); rows[0].len()]);
    }
    let line = if markdown { markdown_line } else { plain_line };
    let widths: Vec<usize> = (0..rows[0].len())
        .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0))
        .collect();
    rows.iter().map(|row| line(row, &widths)).collect()
}

fn heading() -> Vec<String> {
    let layers = Layer::ALL.map(|layer| layer.name().to_owned());
    [vec!["mutant".to_owned()], layers.to_vec(), vec!["first to notice".to_owned(), "in the simulator".to_owned()]]
        .concat()
}

fn row(trial: &MutantTrial) -> Vec<String> {
    let cells = Layer::ALL.map(|layer| trial.verdict(layer).map_or_else(String::new, cell));
    let first = trial.first_killer().unwrap_or("SURVIVED").to_owned();
    let simulated = trial.verdict(Layer::Simulator).and_then(LayerVerdict::killer).unwrap_or_default().to_owned();
    [vec![trial.name.clone()], cells.to_vec(), vec![first, simulated]].concat()
}

/// How many mutants each layer kills.
fn totals(trials: &[MutantTrial]) -> Vec<String> {
    let kills =
        |layer| trials.iter().filter(|trial| trial.verdict(layer).and_then(LayerVerdict::killer).is_some()).count();
    let counts = Layer::ALL.map(|layer| kills(layer).to_string());
    [vec!["killed".to_owned()], counts.to_vec(), vec![String::new(); 2]].concat()
}

fn cell(verdict: &LayerVerdict) -> String {
    match verdict {
        LayerVerdict::Killed { after, .. } => format!("{:.2}", after.as_secs_f64()),
        LayerVerdict::Survived { .. } => "–".to_owned(),
    }
}

fn markdown_line(row: &[String], _: &[usize]) -> String {
    format!("| {} |\n", row.join(" | "))
}

fn plain_line(row: &[String], widths: &[usize]) -> String {
    let cells: Vec<String> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
    format!("{}\n", cells.join("  ").trim_end())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn trial() -> MutantTrial {
        let after = Duration::from_millis(1234);
        let killed = LayerVerdict::Killed { by: "bans: a_b".to_owned(), after };
        let verdicts = vec![(Layer::Unit, LayerVerdict::Survived { after }), (Layer::Stories, killed)];
        MutantTrial { name: "slot".to_owned(), verdicts }
    }

    #[test]
    fn a_row_shows_every_layer_and_the_first_killer() {
        let text = text(&[trial()], false);
        let cells: Vec<&str> = text.lines().nth(1).unwrap_or_default().split_whitespace().collect();
        assert_eq!(cells, ["slot", "–", "1.23", "bans:", "a_b"]);
    }

    #[test]
    fn a_page_shows_every_layer_alone_and_what_it_kills() {
        let text = text(&[trial()], true);
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(lines, ["| slot | – | 1.23 |  |  |  |  |", "| killed | 0 | 1 | 0 | 0 | 0 | 0 |"]);
    }
}
