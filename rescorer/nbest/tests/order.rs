//! Lists whose scores rise are told to whoever reads them.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fmt::Write;
use std::io::{Cursor, Write as _};
use std::sync::{Arc, Mutex};

use rescorer_nbest::{Format, Notice, ReadOptions, Reader, Readers};

type Said = Arc<Mutex<Vec<Notice>>>;

fn listening() -> (ReadOptions, Said) {
    let said = Said::default();
    let to = said.clone();
    (
        ReadOptions::default().with_notices(Arc::new(move |notice| to.lock().unwrap().push(notice.clone()))),
        said,
    )
}

fn table(lists: &[[f64; 3]], from: usize) -> String {
    let mut text = "id,text,score\n".to_owned();
    for (index, list) in (from..).zip(lists) {
        for (score, word) in list.iter().zip(["a", "b", "c"]) {
            writeln!(text, "u{index},{word},{score}").unwrap();
        }
    }
    text
}

const COSTS: [f64; 3] = [21.2, 21.3, 22.7];

#[test]
fn costs_are_told_once_while_lists_still_come() {
    let (options, said) = listening();
    let text = table(&[COSTS; 30], 0);
    let mut reader = Reader::from_read("costs.csv", Cursor::new(text), &options).unwrap();
    for _ in 0..4 {
        assert!(said.lock().unwrap().is_empty());
        reader.next().unwrap().unwrap();
    }
    let expected = "costs.csv: in 4 of 4 lists the scores rise from the first hypothesis to the last (first in utterance \
                    \"u0\"). They look like costs: the highest score is taken for the best, so the last hypothesis of such \
                    a list wins";
    assert_eq!(said.lock().unwrap()[0].to_string(), expected);
    assert_eq!(reader.count(), 26);
    let said = said.lock().unwrap();
    assert!(matches!(said.as_slice(), [Notice::RisingScores { format: Format::Csv, lists: 4, of: 4, .. }]));
}

#[test]
fn few_lists_are_told_at_the_end_or_where_nobody_reads_on() {
    for taken in [3, 2, 1] {
        let (options, said) = listening();
        let reader = Reader::from_read("costs.csv", Cursor::new(table(&[COSTS; 2], 0)), &options).unwrap();
        let read = reader.take(taken).count();
        let said = said.lock().unwrap();
        assert!(
            matches!(said.as_slice(), [Notice::RisingScores { of, .. }] if *of == read as u64),
            "{said:?}"
        );
    }
}

#[test]
fn each_input_is_judged_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let good = COSTS.map(|cost| -cost);
    let files = [("good.csv", [good; 6], 0), ("costs.csv", [COSTS; 6], 6), ("more.csv", [COSTS; 6], 12)];
    for (name, lists, from) in files {
        let mut file = std::fs::File::create(folder.path().join(name)).unwrap();
        file.write_all(table(&lists, from).as_bytes()).unwrap();
    }
    let (options, said) = listening();
    let readers = Readers::new(files.map(|(name, ..)| folder.path().join(name)), &options).unwrap();
    assert_eq!(readers.count(), 18);
    let said = said.lock().unwrap();
    let path = |notice: &Notice| match notice {
        Notice::RisingScores { path, first, .. } => format!("{} {first}", path.rsplit('/').next().unwrap()),
        other => panic!("{other:?}"),
    };
    assert_eq!(said.iter().map(path).collect::<Vec<_>>(), ["costs.csv u6", "more.csv u12"]);
}

#[test]
fn scores_costs_by_name_and_lists_without_scores_are_not() {
    let falling = COSTS.map(|cost| -cost);
    let costs = table(&[COSTS; 9], 0).replace("score", "cost");
    let none = table(&[COSTS; 9], 0).replace("score", "rank");
    for text in [table(&[falling; 9], 0), table(&[[1.0; 3]; 9], 0), costs, none] {
        let (options, said) = listening();
        let reader = Reader::from_read("l.csv", Cursor::new(text), &options).unwrap();
        assert_eq!(reader.count(), 9);
        assert_eq!(*said.lock().unwrap(), []);
    }
}
