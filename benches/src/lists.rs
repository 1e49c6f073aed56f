use crate::Noise;

/// Tokens of the hypotheses of a list: copies of one sentence, each with a few tokens replaced, so that they
/// share beginnings as the hypotheses of a beam search do.
pub fn sequences(hypotheses: usize, len: usize, vocab_size: usize, seed: u64) -> Vec<Vec<u32>> {
    let mut noise = Noise::new(seed);
    let sentence: Vec<u32> = (0..len).map(|_| noise.below(vocab_size) as u32).collect();
    (0..hypotheses)
        .map(|_| {
            let mut sequence = sentence.clone();
            for _ in 0..2 {
                sequence[noise.below(len)] = noise.below(vocab_size) as u32;
            }
            sequence
        })
        .collect()
}

/// A reference and a hypothesis with every fifth word replaced, dropped or doubled.
pub fn texts(words: usize, seed: u64) -> (String, String) {
    const WORDS: [&str; 12] =
        ["turn", "left", "right", "at", "the", "next", "light", "and", "then", "write", "their", "there"];
    let mut noise = Noise::new(seed);
    let reference: Vec<&str> = (0..words).map(|_| WORDS[noise.below(WORDS.len())]).collect();
    let mut hypothesis = Vec::new();
    for word in &reference {
        match noise.below(15) {
            0 => hypothesis.push(WORDS[noise.below(WORDS.len())]),
            1 => {}
            2 => hypothesis.extend([word, word]),
            _ => hypothesis.push(word),
        }
    }
    (reference.join(" "), hypothesis.join(" "))
}
