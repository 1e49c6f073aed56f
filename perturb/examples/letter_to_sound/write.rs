//! A model as the crate reads it.

use std::collections::BTreeMap;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use rescorer_perturb::Phone;

use crate::ngrams::{Gram, Weights};

/// Steps of a stored logarithm per nat, and the stored weight of a context that changes nothing.
const STEPS: f64 = 8.0;
const NEUTRAL: f64 = 200.0;

fn varint(mut value: usize, column: &mut Vec<u8>) {
    while value >= 0x80 {
        column.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    column.push(value as u8);
}

fn byte(logarithm: f64) -> u8 {
    logarithm.round().clamp(0.0, 255.0) as u8
}

/// Packs chunks and n-grams: a line of numbers, a line for every chunk, then the trie's columns, level by level.
pub fn pack(chunks: &[(Vec<u8>, Vec<u8>)], grams: &BTreeMap<Gram, Weights>) -> std::io::Result<Vec<u8>> {
    let names: Vec<&str> = Phone::all().filter_map(Phone::name).collect();
    let mut file = GzEncoder::new(Vec::new(), Compression::best());
    writeln!(file, "letter-to-sound-1 {} {}", chunks.len(), grams.len())?;
    for (letters, phones) in chunks {
        let letter = |&letter: &u8| if letter == 26 { '\'' } else { char::from(b'a' + letter) };
        let phones: Vec<&str> = phones.iter().map(|&phone| names[usize::from(phone)]).collect();
        writeln!(file, "{}\t{}", letters.iter().map(letter).collect::<String>(), phones.join(" "))?;
    }
    let mut children: BTreeMap<&[u16], Vec<u16>> = BTreeMap::new();
    for gram in grams.keys().filter(|gram| !gram.is_empty()) {
        let (last, context) = gram.split_last().expect("not empty");
        children.entry(context).or_default().push(*last);
    }
    let mut columns: [Vec<u8>; 4] = Default::default();
    let [counts, symbols, probabilities, backoffs] = &mut columns;
    let mut level: Vec<Gram> = vec![Vec::new()];
    while !level.is_empty() {
        let mut next = Vec::new();
        for gram in level {
            let weights = grams[&gram];
            let below = children.get(gram.as_slice()).map_or(&[][..], Vec::as_slice);
            varint(below.len(), counts);
            probabilities.push(byte(-weights.probability.ln() * STEPS));
            if !below.is_empty() {
                backoffs.push(byte(NEUTRAL + weights.backoff.ln() * STEPS));
            }
            for (place, &symbol) in below.iter().enumerate() {
                let step = if place == 0 { symbol } else { symbol - below[place - 1] - 1 };
                varint(usize::from(step), symbols);
                next.push([gram.as_slice(), &[symbol]].concat());
            }
        }
        level = next;
    }
    columns.iter().try_for_each(|column| file.write_all(column))?;
    file.finish()
}
