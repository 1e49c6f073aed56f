use rescorer_perturb::{EditOp, Unit, align, word_errors};

/// Several texts below their common reference, word by word, or by another unit.
pub struct Grid<'a> {
    /// The words of the reference; nothing where one of the texts has a word too many.
    pub reference: Vec<Option<&'a str>>,
    /// The texts, each with as many cells as the reference.
    pub rows: Vec<Row<'a>>,
}

/// A text of a grid.
pub struct Row<'a> {
    /// Whose text it is.
    pub name: &'a str,
    /// Its words.
    pub cells: Vec<Cell<'a>>,
    /// Its word errors, unit cost.
    pub errors: usize,
}

/// A word of a text, and what is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell<'a> {
    /// Nothing where the text lacks a word, or another text has one too many.
    pub word: Option<&'a str>,
    /// Nothing where another text has one too many.
    pub op: Option<EditOp>,
}

/// A text taken apart: the word for each word of the reference, and what stands before each of them and at the end.
struct Aligned<'a> {
    on: Vec<Cell<'a>>,
    before: Vec<Vec<&'a str>>,
}

impl<'a> Aligned<'a> {
    fn new(reference: &[&str], text: &[&'a str]) -> Self {
        let mut next = text.iter().copied();
        let mut aligned = Self { on: Vec::new(), before: vec![Vec::new()] };
        for &op in align(reference, text).ops() {
            let word = if op == EditOp::Deletion { None } else { next.next() };
            if op == EditOp::Insertion {
                aligned.before.last_mut().into_iter().for_each(|gap| gap.extend(word));
            } else {
                aligned.on.push(Cell { word, op: Some(op) });
                aligned.before.push(Vec::new());
            }
        }
        aligned
    }
}

impl<'a> Grid<'a> {
    /// Aligns each named text with the reference, as sclite does.
    pub fn new(unit: Unit, reference: &'a str, texts: &[(&'a str, &'a str)]) -> Self {
        let reference = unit.split(reference);
        let split: Vec<Vec<&str>> = texts.iter().map(|(_, text)| unit.split(text)).collect();
        let aligned: Vec<Aligned<'_>> = split.iter().map(|text| Aligned::new(&reference, text)).collect();
        let rows = texts.iter().zip(&split).map(|((name, _), text)| Row {
            name,
            cells: Vec::new(),
            errors: word_errors(&reference, text),
        });
        let mut grid = Self { reference: Vec::new(), rows: rows.collect() };
        for place in 0..=reference.len() {
            let most = aligned.iter().map(|text| text.before[place].len()).max().unwrap_or(0);
            grid.reference.extend((0..most).map(|_| None));
            grid.reference.extend(reference.get(place).map(|word| Some(*word)));
            for (row, text) in grid.rows.iter_mut().zip(&aligned) {
                let gap = &text.before[place];
                row.cells.extend((0..most).map(|number| {
                    let word = gap.get(number).copied();
                    Cell { word, op: word.map(|_| EditOp::Insertion) }
                }));
                row.cells.extend(text.on.get(place));
            }
        }
        grid
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(grid: &Grid<'_>) -> Vec<String> {
        let word = |word: Option<&str>| word.unwrap_or(".").to_owned();
        let reference = grid.reference.iter().map(|found| word(*found)).collect::<Vec<_>>().join(" ");
        let rows =
            grid.rows.iter().map(|row| row.cells.iter().map(|cell| word(cell.word)).collect::<Vec<_>>());
        std::iter::once(reference).chain(rows.map(|row| row.join(" "))).collect()
    }

    #[test]
    fn words_too_many_have_a_column_of_their_own() {
        let grid = Grid::new(Unit::Word, "a b c", &[("one", "x a b d"), ("two", "a y y c z")]);
        assert_eq!(shown(&grid), [". a . b c .", "x a . b d .", ". a y y c z"]);
        assert_eq!((grid.rows[0].errors, grid.rows[1].errors), (2, 3));
        let ops: Vec<Option<EditOp>> = grid.rows[1].cells.iter().map(|cell| cell.op).collect();
        let (correct, wrong, more) =
            (Some(EditOp::Correct), Some(EditOp::Substitution), Some(EditOp::Insertion));
        assert_eq!(ops, [None, correct, more, wrong, correct, more]);
    }

    #[test]
    fn missing_words_leave_a_hole() {
        let grid = Grid::new(Unit::Word, "a b", &[("one", "b"), ("two", "")]);
        assert_eq!(shown(&grid), ["a b", ". b", ". ."]);
        assert_eq!(grid.rows[0].cells[0], Cell { word: None, op: Some(EditOp::Deletion) });
        assert_eq!(shown(&Grid::new(Unit::Word, "", &[("one", "a")])), [".", "a"]);
    }
}
