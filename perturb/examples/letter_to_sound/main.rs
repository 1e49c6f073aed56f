//! Trains the letter-to-sound model on the crate's dictionary and says how good it is on words that it has not seen:
//! `cargo run --release -p rescorer-perturb --example letter_to_sound -- perturb/data/letter_to_sound.gz`.
//!
//! One dictionary always gives one file.
#![allow(clippy::unwrap_used)]

mod align;
mod ngrams;
mod write;

use std::collections::BTreeMap;

use rescorer_perturb::{LetterToSound, Lexicon, Phone, Pronunciation, word_errors};

use align::Entry;

/// The longest n-gram, and the loss below which one is pruned: order 8 or a loss of 0.8 gains nothing.
const ORDER: usize = 7;
const LOSS: f64 = 1.0;
/// Symbols of the beginning and the end of a word; chunks follow.
const MARKS: [u16; 2] = [0, 1];

type Words = BTreeMap<String, Vec<Pronunciation>>;

/// Every 20th word, by a hash of its letters (FNV-1a), is held out.
fn is_held_out(word: &str) -> bool {
    let mix = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    (word.bytes().fold(0xcbf2_9ce4_8422_2325, mix) >> 16) % 20 == 0
}

fn words() -> Words {
    let mut words = Words::new();
    for (pronunciation, spelled) in Lexicon::english().classes() {
        for word in spelled.filter(|word| word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'\''))
        {
            words.entry(word.to_owned()).or_default().push(pronunciation.clone());
        }
    }
    words.values_mut().for_each(|pronunciations| pronunciations.sort());
    words
}

fn train(words: &Words) -> Vec<u8> {
    let number = |phone: &Phone| Phone::all().position(|known| known == *phone).unwrap() as u8;
    let letter = |byte: u8| if byte == b'\'' { 26 } else { byte - b'a' };
    let entry = |word: &str, said: &Pronunciation| Entry {
        letters: word.bytes().map(letter).collect(),
        phones: said.iter().map(number).collect(),
    };
    let entries: Vec<Entry> =
        words.iter().flat_map(|(word, said)| said.iter().map(|said| entry(word, said))).collect();
    let aligned = align::align(&entries);
    let symbols = |chunks: &Vec<u16>| {
        let chunks = chunks.iter().map(|chunk| chunk + MARKS.len() as u16);
        [MARKS[0]].into_iter().chain(chunks).chain([MARKS[1]]).collect()
    };
    let sequences: Vec<Vec<u16>> = aligned.words.iter().map(symbols).collect();
    let grams = ngrams::train(&sequences, ORDER, LOSS);
    eprintln!(
        "{} of {} entries aligned, {} chunks, {} n-grams",
        sequences.len(),
        entries.len(),
        aligned.chunks.len(),
        grams.len()
    );
    write::pack(&aligned.chunks, &grams).unwrap()
}

/// Prints the errors of the most likely pronunciation against the nearest one listed.
fn evaluate(model: &LetterToSound, words: &Words) {
    let names = |phones: &[Phone]| phones.iter().filter_map(|phone| phone.name()).collect::<Vec<_>>();
    let (mut errors, mut phones, mut wrong) = (0, 0, 0);
    for (word, listed) in words {
        let said = model.pronounce(word, 1).first().map_or(Vec::new(), |said| names(said));
        let nearest = |listed: &Pronunciation| (word_errors(&names(listed), &said), listed.len());
        let (errors_here, phones_here) = listed.iter().map(nearest).min().unwrap();
        errors += errors_here;
        phones += phones_here;
        wrong += usize::from(errors_here > 0);
    }
    let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole as f64;
    println!("{} words held out, {phones} phones", words.len());
    println!("phone error rate {:.2} %", percent(errors, phones));
    println!("word error rate {:.2} %", percent(wrong, words.len()));
}

fn main() {
    let output = std::env::args().nth(1).expect("the file to write");
    let all = words();
    let (held_out, rest): (Words, Words) = all.clone().into_iter().partition(|(word, _)| is_held_out(word));
    let started = std::time::Instant::now();
    let packed = train(&rest);
    eprintln!("trained in {:.1} s, {} bytes", started.elapsed().as_secs_f64(), packed.len());
    let model = LetterToSound::from_bytes(&packed).unwrap();
    let started = std::time::Instant::now();
    evaluate(&model, &held_out);
    eprintln!("{:.3} ms a word", started.elapsed().as_secs_f64() * 1000.0 / held_out.len() as f64);
    let packed = train(&all);
    std::fs::write(&output, &packed).unwrap();
    println!("{output}: {} bytes", packed.len());
}
