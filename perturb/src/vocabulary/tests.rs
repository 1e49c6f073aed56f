use std::sync::Arc;

use proptest::prelude::*;

use super::cost::{Cost, GAP, UNIT, allowed, substitution};
use super::*;
use crate::{Phone, Pronunciation};

fn phones(names: &str) -> Pronunciation {
    names.split_whitespace().map(|name| Phone::from_name(name).unwrap()).collect()
}

fn parse(text: &str) -> Result<Vocabulary, Error> {
    Vocabulary::parse("names.txt", text, &Lexicon::english(), &LetterToSound::english())
}

/// Start, end, term and distance in hundredths.
fn near(vocabulary: &Vocabulary, text: &str) -> Vec<(usize, usize, String, i32)> {
    let words: Vec<&str> = text.split(' ').collect();
    let found = vocabulary.find(&words, None);
    let hundredths = |distance: f32| (100.0 * distance).round() as i32;
    let told = |found: &TermMatch| {
        (found.start, found.end, vocabulary.terms()[found.term].text.clone(), hundredths(found.distance))
    };
    found.iter().map(told).collect()
}

#[test]
fn distances_by_hand() {
    let names = parse("Gwendolyn\nPierre\nBeatrice").unwrap();
    // G W EH N D AH L IH N, and the span D W IH N D AH L IH N: D for G differs in place by 3/7, a seventh of all features
    // (0.2 + 1.5 / 7 = 0.41), IH for EH in height by 0.4 and backness by 0.1, an eighth (0.2 + 0.125 = 0.33); 0.74 / 9.
    // With "to", or without "in", two phones more: (0.74 + 2 * 0.7) / 9.
    let name = || "Gwendolyn".to_owned();
    assert_eq!(
        near(&names, "right to dwindle in and apologize"),
        [(1, 4, name(), 24), (2, 3, name(), 24), (2, 4, name(), 8)]
    );
    // The same sound in another writing.
    assert_eq!(near(&parse("Pi Air\tP IY EH R").unwrap(), "pea air"), [(0, 2, "Pi Air".into(), 0)]);
    assert_eq!(near(&names, "nothing like these"), []);
}

#[test]
fn possessives_are_heard() {
    let names = parse("Bernard\nCharles").unwrap();
    let found = |text: &str| -> Vec<(usize, usize, bool)> {
        let words: Vec<&str> = text.split(' ').collect();
        let exact = |found: &&TermMatch| found.distance == 0.0;
        names
            .find(&words, None)
            .iter()
            .filter(exact)
            .map(|found| (found.start, found.end, found.possessive))
            .collect()
    };
    assert_eq!(found("at bernard's bakery"), [(1, 2, true)]);
    assert_eq!(found("at bernard bakery"), [(1, 2, false)]);
    assert_eq!(found("at charles bakery"), [(1, 2, false)]);
}

#[test]
fn what_is_written_so_is_exact() {
    // Said as nobody would from its letters.
    let names = parse("Nguyen\tW IH N\nU.S. Bank\nO'Brien").unwrap();
    let found = names.find(&["ask", "nguyen,", "of", "u", "s", "BANK"], None);
    let exact: Vec<_> = found.iter().filter(|found| found.exact).collect();
    assert_eq!(exact.len(), 2);
    assert_eq!((exact[0].start, exact[0].end, exact[0].term, exact[0].distance), (1, 2, 0, 0.0));
    assert_eq!((exact[1].start, exact[1].end, exact[1].term, exact[1].distance), (3, 6, 1, 0.0));
    assert!(names.find(&["O\u{2019}Brien!"], None)[0].exact);
    assert!(!names.find(&["win"], None)[0].exact);
}

#[test]
fn short_terms_must_sound_the_same() {
    let names = parse("Bo\tB OW\nKim\tK IH M").unwrap();
    assert_eq!(near(&names, "bow"), [(0, 1, "Bo".into(), 0)]);
    assert_eq!(near(&names, "beau"), [(0, 1, "Bo".into(), 0)]);
    // An M more, and AH for IH: too much for three phones.
    assert_eq!(near(&names, "bone come"), []);
}

#[test]
fn classes_are_asked_for() {
    let names = parse("Lisbon\nGeneva\tclass=cities\nJerome\tclass=contacts").unwrap();
    let words = ["lisbon", "geneva", "jerome"];
    let terms = |classes: Option<&[String]>| -> Vec<usize> {
        names.find(&words, classes).iter().map(|found| found.term).collect()
    };
    assert_eq!(terms(None), [0, 1, 2]);
    assert_eq!(terms(Some(&[])), [0]);
    assert_eq!(terms(Some(&["contacts".to_owned(), "others".to_owned()])), [0, 2]);
}

#[test]
fn fields_in_any_order() {
    let text = "\u{feff}# People\r\n\r\nJosefin\tweight=2.5\tsounds-like=jo sef een\tclass=contacts\r\n\
                Zoë Smith\nSiobhan\tSH AH0 V AO1 N\tSH IH0 V AO1 N\tweight=0.5\n7up & more\n";
    let names = parse(text).unwrap();
    assert_eq!((names.len(), names.is_empty(), names.notices()), (4, false, &[][..]));
    let terms = names.terms();
    assert_eq!((terms[0].text.as_str(), terms[0].weight), ("Josefin", 2.5));
    assert_eq!(terms[0].class.as_deref(), Some("contacts"));
    assert!(terms[0].pronunciations.iter().any(|said| said.len() == 7), "{:?}", terms[0].pronunciations);
    assert_eq!((terms[1].weight, &terms[1].class), (1.0, &None));
    assert_eq!(terms[2].pronunciations, [phones("SH AH V AO N"), phones("SH IH V AO N")]);
    let said = ["S EH V AH N AH P AE N D M AO R", "S EH V AH N AH P AH N D M AO R"];
    assert_eq!(terms[3].pronunciations, said.map(phones));
}

#[test]
fn duplicates_become_one_and_are_told() {
    let names = parse("Kim\tK IH M\nKim\tclass=a\nKim\tweight=3\tK IY M").unwrap();
    assert_eq!(names.len(), 2);
    assert_eq!((names.terms()[0].weight, names.terms()[0].pronunciations.len()), (3.0, 2));
    assert_eq!(
        names.notices()[0].to_string(),
        "names.txt:3: \"Kim\" is in line 1 already; the term has the pronunciations of both lines and the larger weight, 3"
    );
}

#[test]
fn every_refusal_says_what_to_do() {
    let refusal = |text: &str| parse(text).unwrap_err().to_string();
    let remedy = "write phones behind a tab (JH OW Z AH F IY N), or sounds-like= and ordinary words";
    assert_eq!(refusal("a\nme@here"), format!("names.txt:2: \"me@here\" can't be said by rule; {remedy}"));
    assert_eq!(
        refusal("Юрий G"),
        format!("names.txt:1: \"Юрий\" in \"Юрий G\" can't be said by rule; {remedy}")
    );
    assert_eq!(
        refusal("a b c d e f g"),
        "names.txt:1: \"a b c d e f g\" has 7 words; give at most 6, those that tell it from others"
    );
    assert!(refusal("Kim\tK QX M").starts_with("names.txt:1: \"QX\" is no phone of English; use AA AE"));
    assert_eq!(
        refusal("Kim\twieght=2"),
        "names.txt:1: unknown field \"wieght\"; use weight=, class=, sounds-like= or phones"
    );
    assert_eq!(refusal("Kim\tweight=big"), "names.txt:1: weight \"big\" is no number; write weight=2.5");
    for weight in ["0", "-1", "NaN", "inf"] {
        let refusal = refusal(&format!("Kim\tweight={weight}"));
        assert_eq!(
            refusal,
            format!("names.txt:1: weight {weight} of \"Kim\" is not above 0; write weight=2.5")
        );
    }
    assert_eq!(
        refusal("Kim\tclass="),
        "names.txt:1: the class of \"Kim\" is empty; write class=contacts, or nothing"
    );
    assert_eq!(
        refusal("Kim\tsounds-like=k/m"),
        "names.txt:1: \"k/m\" in sounds-like=k/m of \"Kim\" can't be said; use ordinary English words"
    );
    assert_eq!(refusal("\tK IH M"), "names.txt:1: the line begins with a tab; write the term before it");
    assert!(refusal(&format!("Kim\t{}", "K ".repeat(61))).contains("without phones or with more than 60"));
    assert_eq!(refusal("# none\n"), "names.txt: there are no terms; write one a line, such as a name");
    let (lexicon, letters) = (Lexicon::english(), LetterToSound::english());
    let given = |text: &str| {
        Vocabulary::from_terms("terms", vec![Term::new("Kim"), Term::new(text)], &lexicon, &letters)
            .unwrap_err()
            .to_string()
    };
    assert_eq!(given(" "), "terms:2: a term has no words; write at least one");
    let refusal =
        parse("Kim").unwrap().with_options(VocabularyOptions { max_distance: f32::NAN }).unwrap_err();
    assert!(refusal.to_string().starts_with("max_distance NaN: the greatest distance"));
}

/// The cost of making a pronunciation from a span's.
fn cost(term: &[Phone], span: &[Phone]) -> Cost {
    let mut row: Vec<Cost> = (0..=span.len() as Cost).map(|place| place * GAP).collect();
    for &phone in term {
        let mut before = row[0];
        row[0] += GAP;
        for place in 1..row.len() {
            let other = before + substitution(phone, span[place - 1]);
            before = row[place];
            row[place] = other.min(before + GAP).min(row[place - 1] + GAP);
        }
    }
    row[span.len()]
}

/// All pronunciations of words, one after the other.
fn spans(said: &[&[Pronunciation]]) -> Vec<Vec<Phone>> {
    said.iter().fold(vec![Vec::new()], |begun, word| {
        begun.iter().flat_map(|begun| word.iter().map(|more| [begun, &more[..]].concat())).collect()
    })
}

/// Phones that are like each other and some that are not.
const FEW: [&str; 6] = ["S", "Z", "IH", "IY", "T", "AA"];

fn said() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(&FEW[..]), 1..9).prop_map(|phones| phones.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn the_search_finds_what_trying_everything_finds(
        terms in prop::collection::vec((prop::collection::vec(said(), 1..3), 1..3_usize, prop::option::of(0..2_usize)), 1..12),
        words in prop::collection::vec(prop::collection::vec(said(), 0..3), 1..8),
        texts in prop::collection::vec(prop::collection::vec(0..8_usize, 0..9), 1..4),
        max_distance in prop::sample::select(&[0.1_f32, 0.25, 0.5][..]),
    ) {
        // Words w, ww, www and so on, said as was drawn; those without a pronunciation can't be said.
        let mut lexicon = Lexicon::default();
        let names: Vec<String> = words.iter().enumerate().map(|(number, said)| {
            let name = if said.is_empty() { "/".into() } else { "w".repeat(number + 1) };
            let lines: Vec<String> = said.iter().map(|phones| format!("{name} {phones}\n")).collect();
            lexicon.extend_from_cmu("words", &lines.concat()).unwrap();
            name
        }).collect();
        let lexicon = Arc::new(lexicon);
        let term = |(number, (said, words, class)): (usize, &(Vec<String>, usize, Option<usize>))| Term {
            pronunciations: said.iter().map(|said| phones(said)).collect(),
            class: class.map(|class| format!("class {class}")),
            ..Term::new(vec![format!("{number}term"); *words].join(" "))
        };
        let terms: Vec<Term> = terms.iter().enumerate().map(term).collect();
        let vocabulary = Vocabulary::from_terms("terms", terms, &lexicon, &LetterToSound::english()).unwrap()
            .with_options(VocabularyOptions { max_distance }).unwrap();
        let texts: Vec<Vec<&str>> = texts.iter()
            .map(|text| text.iter().map(|&number| names[number % names.len()].as_str()).collect())
            .collect();
        let classes = ["class 1".to_owned()];
        let found = vocabulary.find_all(&texts, Some(&classes));
        for (text, found) in texts.iter().zip(&found) {
            let mut expected = Vec::new();
            for start in 0..text.len() {
                for end in start + 1..=text.len().min(start + 6) {
                    let said: Vec<_> = text[start..end].iter().map(|word| lexicon.pronunciations(word)).collect();
                    let spans = spans(&said);
                    for (number, term) in vocabulary.terms().iter().enumerate() {
                        if end - start > term.text.split(' ').count() + 2 || term.class.as_deref() == Some("class 0") {
                            continue;
                        }
                        let forms = term.pronunciations.iter().flat_map(|said| {
                            let allowed = allowed(said.len(), max_distance);
                            [(said.to_vec(), allowed, false), (possessive::said(said), allowed, true)]
                        });
                        let forms: Vec<(Vec<Phone>, Cost, bool)> = forms.collect();
                        let nearest = spans.iter().flat_map(|span| forms.iter().map(move |(said, allowed, possessive)| {
                            let cost = cost(said, span);
                            (cost <= *allowed).then(|| (f32::from(cost) / (f32::from(UNIT) * said.len() as f32), *possessive))
                        })).flatten().min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                        if let Some((distance, possessive)) = nearest {
                            expected.push((start, end, number, distance, possessive));
                        }
                    }
                }
            }
            let told = |found: &TermMatch| (found.start, found.end, found.term, found.distance, found.possessive);
            let mut found: Vec<_> = found.iter().map(told).collect();
            found.sort_by(|a, b| a.partial_cmp(b).unwrap());
            prop_assert_eq!(&found, &expected);
            prop_assert_eq!(vocabulary.find(text, Some(&classes)).len(), expected.len());
        }
    }
}

#[test]
#[ignore = "takes times: run it alone and optimised, with --nocapture"]
fn ten_thousand_terms_and_ten_hypotheses() {
    let lexicon = Lexicon::english();
    let mut rare: Vec<String> = lexicon
        .classes()
        .flat_map(|(_, words)| words.map(str::to_owned).collect::<Vec<_>>())
        .filter(|word| lexicon.size(word).is_none() && word.len() > 3)
        .collect();
    rare.sort();
    let terms: Vec<Term> = rare.iter().step_by(rare.len() / 10_000).take(10_000).map(Term::new).collect();
    let names = Vocabulary::from_terms("terms", terms, &lexicon, &LetterToSound::english()).unwrap();
    let list = [
        "could you please write to gwendolyn and apologize for missing her recital",
        "could you please write to when to lynn and apologize for missing her recital",
        "could you please right to gwendolyn and apologize for missing her recital",
        "could you please write to dwindle in and apologize for missing her recital",
        "could you please write to wendell in and apologize for missing her recital",
        "could you please write to gwendolyn and apologise for missing the recital",
        "could you please write to gwendolyn and apologize for missing a recital",
        "would you please write to gwendolyn and apologize for missing her recital",
        "could you please write to gwen dolan and apologize for missing her recital",
        "could you please write it to gwendolyn and apologize for missing her recital",
    ];
    let texts: Vec<Vec<&str>> = list.iter().map(|text| text.split(' ').collect()).collect();
    let mut least = f64::INFINITY;
    let mut matches = 0;
    for _ in 0..50 {
        let started = std::time::Instant::now();
        matches = names.find_all(&texts, None).iter().map(Vec::len).sum();
        least = least.min(started.elapsed().as_secs_f64());
    }
    println!("{} terms, {} hypotheses, {matches} matches: {:.3} ms", names.len(), list.len(), least * 1000.0);
}
