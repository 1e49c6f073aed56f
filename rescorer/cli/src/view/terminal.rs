use std::io::{self, Write};

use console::{Style, Term, measure_text_width, pad_str};
use rescorer_perturb::EditOp;

use super::grid::{Cell, Grid};

/// What stands where a word is missing.
const HOLE: &str = "***";

/// Writes a grid in columns, folded to the width of the terminal. Errors are marked `S`, `D` and `I` below, and coloured where the
/// output is a terminal (`NO_COLOR` and `CLICOLOR_FORCE` overrule).
pub fn write(out: &mut impl Write, title: &str, grid: &Grid<'_>) -> io::Result<()> {
    let term = Term::stdout();
    let width = if term.is_term() { usize::from(term.size().1) } else { usize::MAX };
    write_within(out, title, grid, width)
}

fn write_within(out: &mut impl Write, title: &str, grid: &Grid<'_>, width: usize) -> io::Result<()> {
    let errors = |(errors, name): (usize, &str)| {
        let plural = if errors == 1 { "" } else { "s" };
        format!("{name} {errors} error{plural}")
    };
    let all: Vec<String> = grid.rows.iter().map(|row| errors((row.errors, row.name))).collect();
    writeln!(out, "{title}: {}", all.join(", "))?;
    let names = grid.rows.iter().map(|row| measure_text_width(row.name));
    let label = names.chain([measure_text_width("reference")]).max().unwrap_or(0) + 2;
    let columns: Vec<usize> = (0..grid.reference.len()).map(|column| column_width(grid, column)).collect();
    for part in folded(&columns, width.saturating_sub(label + 2)) {
        let line = |name: &str, cells: Vec<(String, Style)>| {
            let cells = cells.into_iter().zip(&columns[part.clone()]).map(|((text, style), &width)| {
                let room = " ".repeat(width.saturating_sub(measure_text_width(&text)));
                format!("{}{room}", style.apply_to(text))
            });
            let line = cells.collect::<Vec<_>>().join(" ");
            format!("  {}{}", pad_str(name, label, console::Alignment::Left, None), line.trim_end())
        };
        let reference = grid.reference[part.clone()].iter();
        let reference = reference.map(|word| (word.unwrap_or(HOLE).to_owned(), Style::new()));
        writeln!(out, "{}", line("reference", reference.collect()))?;
        for row in &grid.rows {
            let cells = &row.cells[part.clone()];
            let words = cells.iter().map(|cell| (text(cell).to_owned(), style(cell.op)));
            writeln!(out, "{}", line(row.name, words.collect()))?;
            if cells.iter().any(|cell| !mark(cell.op).is_empty()) {
                let marks = cells.iter().map(|cell| (mark(cell.op).to_owned(), style(cell.op)));
                writeln!(out, "{}", line("", marks.collect()))?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn text<'a>(cell: &Cell<'a>) -> &'a str {
    match cell.op {
        None => "",
        Some(EditOp::Deletion) => HOLE,
        Some(_) => cell.word.unwrap_or_default(),
    }
}

fn mark(op: Option<EditOp>) -> &'static str {
    match op {
        None | Some(EditOp::Correct) => "",
        Some(EditOp::Substitution) => "S",
        Some(EditOp::Insertion) => "I",
        Some(EditOp::Deletion) => "D",
    }
}

fn style(op: Option<EditOp>) -> Style {
    match op {
        None | Some(EditOp::Correct) => Style::new(),
        Some(EditOp::Substitution) => Style::new().yellow().bold(),
        Some(EditOp::Insertion) => Style::new().cyan().bold(),
        Some(EditOp::Deletion) => Style::new().red().bold(),
    }
}

fn column_width(grid: &Grid<'_>, column: usize) -> usize {
    let reference = grid.reference[column].unwrap_or(HOLE);
    let rows = grid.rows.iter().map(|row| text(&row.cells[column]));
    rows.chain([reference]).map(measure_text_width).max().unwrap_or(0)
}

/// Ranges of columns that fit into a width, with a space between columns; each has one column at least, and there is one range at
/// least.
fn folded(columns: &[usize], width: usize) -> Vec<std::ops::Range<usize>> {
    let mut parts = Vec::new();
    let (mut start, mut taken) = (0, 0usize);
    for (column, &own) in columns.iter().enumerate() {
        if column > start && taken + 1 + own > width {
            parts.push(start..column);
            (start, taken) = (column, 0);
        }
        taken += own + usize::from(column > start);
    }
    parts.push(start..columns.len());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(width: usize) -> String {
        let grid = Grid::new(
            rescorer_perturb::Unit::Word,
            "show me flights",
            &[("first", "show flight now"), ("second", "show me flights")],
        );
        let mut out = Vec::new();
        write_within(&mut out, "u1", &grid, width).unwrap();
        console::strip_ansi_codes(&String::from_utf8(out).unwrap()).into_owned()
    }

    #[test]
    fn columns_stand_below_each_other() {
        let expected = "\
u1: first 2 errors, second 0 errors
  reference  show me     flights
  first      show flight now
                  S      S
  second     show me     flights

";
        assert_eq!(plain(usize::MAX), expected);
    }

    #[test]
    fn a_narrow_terminal_folds_them() {
        let narrow = plain(25);
        assert_eq!(narrow.lines().filter(|line| line.starts_with("  reference")).count(), 2, "{narrow}");
        assert!(narrow.lines().all(|line| line.len() <= 36), "{narrow}");
        assert_eq!(folded(&[3, 3, 9, 2], 7), [0..2, 2..3, 3..4]);
        assert_eq!(folded(&[], 7).len(), 1);
    }
}
