//! The lexicon against counts that a script of its own took from the dictionary.
#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};

use rescorer_perturb::{HomophoneOptions, Homophones, Lexicon};
use serde_json::Value;

#[test]
fn classes_are_those_that_a_script_counts() {
    let counts: Value = serde_json::from_str(include_str!("fixtures/homophone_counts.json")).unwrap();
    let lexicon = Lexicon::english();
    let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
    let mut pairs: BTreeSet<(String, String)> = BTreeSet::new();
    for (_, words) in lexicon.classes() {
        let words: Vec<&str> = words.collect();
        *sizes.entry(words.len().to_string()).or_default() += 1;
        for a in &words {
            pairs.extend(words.iter().filter(|b| a < *b).map(|b| (a.to_string(), b.to_string())));
        }
    }
    let paired: BTreeSet<&String> = pairs.iter().flat_map(|(a, b)| [a, b]).collect();
    assert_eq!(counts["words"], lexicon.len());
    assert_eq!(counts["pronunciations"], sizes.values().sum::<u64>());
    assert_eq!(counts["class_sizes"], serde_json::to_value(&sizes).unwrap());
    let several: u64 = sizes.iter().filter(|(size, _)| *size != "1").map(|(_, count)| count).sum();
    assert_eq!(counts["classes_of_several"], several);
    let entries: u64 = sizes.iter().map(|(size, count)| size.parse::<u64>().unwrap() * count).sum();
    assert_eq!(counts["entries"], entries);
    assert_eq!(counts["words_with_homophone"], paired.len());
    assert_eq!(counts["homophone_pairs"], pairs.len());
}

#[test]
fn homophones_are_those_of_the_script() {
    let counts: Value = serde_json::from_str(include_str!("fixtures/homophone_counts.json")).unwrap();
    let homophones = Homophones::new(Lexicon::english(), HomophoneOptions::default());
    for (word, expected) in counts["homophones"].as_object().unwrap() {
        let mut found: Vec<String> = homophones.of(word).iter().map(|found| found.text.clone()).collect();
        found.sort();
        assert_eq!(*expected, serde_json::to_value(found).unwrap(), "{word}");
    }
}
