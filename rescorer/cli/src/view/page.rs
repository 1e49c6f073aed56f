use maud::{DOCTYPE, Markup, PreEscaped, html};
use rescorer_perturb::EditOp;

use super::grid::{Cell, Grid};

const STYLE: &str = "
body { font: 15px/1.45 system-ui, sans-serif; max-width: 1290px; margin: 2em auto; padding: 0 1em; color: #222 }
h1 { font-size: 1.6em } h2 { font-size: 1.25em; margin-top: 2em; border-bottom: 1px solid #ccc }
table { border-collapse: collapse; margin: .8em 0; font-size: .92em }
th, td { padding: .2em .7em; text-align: right; border-bottom: 1px solid #e4e4e4; white-space: nowrap }
th { border-bottom: 1px solid #888; vertical-align: bottom } td:first-child, th:first-child { text-align: left }
.plots { display: flex; flex-wrap: wrap; gap: 8px } .plots svg { max-width: 100%; height: auto }
.key span { display: inline-block; width: 1.6em; height: .35em; margin: 0 .4em .2em 1.2em }
.small { font-size: .85em; color: #555 } code { font-size: .9em; overflow-wrap: anywhere } .sure { font-weight: 600 } .facts td { text-align: left; white-space: normal }
details { margin: .6em 0 } summary { cursor: pointer }
.grid { overflow-x: auto; margin: 1.1em 0 } .grid table { margin: .2em 0 }
.grid td, .grid th { text-align: left; padding: .05em .35em; border: 0; font-weight: normal } .grid th { color: #555; padding-right: 1em }
.s { background: #ffe9a8 } .i { background: #cfe8ff } .d { background: #ffd2cc }";

/// A page that needs nothing else.
pub fn document(title: &str, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                (body)
            }
        }
    };
    page.into_string()
}

/// Grids, each below its title; what the colours say comes first.
pub fn alignments<'a>(heading: &str, grids: impl IntoIterator<Item = (&'a str, Grid<'a>)>) -> Markup {
    let grids: Vec<Markup> = grids.into_iter().map(|(title, shown)| grid(title, &shown)).collect();
    html! {
        h2 { (heading) ": " (grids.len()) }
        @if !grids.is_empty() {
            p.small { span.s { "wrong word" } " " span.d { "missing word" } " " span.i { "extra word" } }
        }
        @for grid in grids { (grid) }
    }
}

fn grid(title: &str, grid: &Grid<'_>) -> Markup {
    html! {
        div.grid {
            b { (title) }
            table {
                tr { th { "reference" } @for word in &grid.reference { td { (word.unwrap_or_default()) } } td {} }
                @for row in &grid.rows {
                    tr {
                        th { (row.name) }
                        @for shown in &row.cells { (cell(shown)) }
                        td.small { (row.errors) " error" @if row.errors != 1 { "s" } }
                    }
                }
            }
        }
    }
}

fn cell(shown: &Cell<'_>) -> Markup {
    let word = shown.word.unwrap_or_default();
    match shown.op {
        None | Some(EditOp::Correct) => html! { td { (word) } },
        Some(EditOp::Substitution) => html! { td.s title="substitution" { (word) } },
        Some(EditOp::Insertion) => html! { td.i title="insertion" { (word) } },
        Some(EditOp::Deletion) => html! { td.d title="deletion" { "–" } },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_stands_alone_and_shows_what_was_written() {
        let grid = Grid::new(rescorer_perturb::Unit::Word, "a <b> c", &[("first", "a d")]);
        let page = document("A & B", &alignments("worse", [("u1", grid)]));
        for part in ["<title>A &amp; B</title>", "&lt;b&gt;", "worse: 1", "title=\"deletion\"", "2 errors"] {
            assert!(page.contains(part), "{part} is not in {page}");
        }
        for part in ["http", "src=", "<link"] {
            assert!(!page.contains(part), "{part} is in {page}");
        }
        assert!(!document("none", &alignments("worse", [])).contains("wrong word"));
    }
}
