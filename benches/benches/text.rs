//! What happens to tokens and words around the model: tries, batches, fusion, alignment.
#![allow(missing_docs)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rescorer::Fusion;
use rescorer::fusion::{Candidate, Weighting};
use rescorer::scoring::TokenTrie;
use rescorer_benches::{sequences, texts};
use rescorer_models::TreeBatch;
use rescorer_perturb::{align, word_errors, words};

const HYPOTHESES: [usize; 4] = [5, 10, 50, 100];

/// Throughput in hypotheses.
fn tries(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rescorer/trie");
    for hypotheses in HYPOTHESES {
        let sequences = sequences(hypotheses, 20, 49_152, 1);
        group.throughput(Throughput::Elements(hypotheses as u64));
        group.bench_function(BenchmarkId::from_parameter(hypotheses), |bencher| {
            bencher.iter(|| TokenTrie::build(black_box(&sequences), 1, Some(2), 1024));
        });
    }
}

/// Throughput in nodes.
fn batches(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("models/batch");
    for hypotheses in HYPOTHESES {
        let trie = TokenTrie::build(&sequences(hypotheses, 20, 49_152, 1), 1, Some(2), usize::MAX).remove(0);
        group.throughput(Throughput::Elements(trie.nodes() as u64));
        group.bench_function(BenchmarkId::from_parameter(hypotheses), |bencher| {
            bencher.iter(|| {
                let mut batch = TreeBatch::default();
                trie.push_to(&mut batch);
                batch
            });
        });
    }
}

/// Throughput in hypotheses.
fn fusion(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rescorer/fusion");
    let fusion = Weighting::Classic(Fusion { lm_weight: 0.3, length_bonus: 0.5, margin: 0.1 });
    for hypotheses in HYPOTHESES {
        let candidates: Vec<Candidate> = (0..hypotheses)
            .map(|i| Candidate::new(-(i as f64), -40.0 - (i * 7919 % 101) as f64 / 7.0, 10 + i % 3))
            .collect();
        group.throughput(Throughput::Elements(hypotheses as u64));
        group.bench_function(BenchmarkId::from_parameter(hypotheses), |bencher| {
            bencher.iter(|| fusion.order(black_box(&candidates)));
        });
    }
}

/// Throughput in words of the reference: the count of errors, and the alignment with sclite's costs.
fn alignment(criterion: &mut Criterion) {
    for (name, is_count) in [("perturb/word_errors", true), ("perturb/align", false)] {
        let mut group = criterion.benchmark_group(name);
        for length in [10, 50, 500] {
            let (reference, hypothesis) = texts(length, 1);
            let (reference, hypothesis) = (words(&reference), words(&hypothesis));
            group.throughput(Throughput::Elements(length as u64));
            group.bench_function(BenchmarkId::from_parameter(length), |bencher| {
                bencher.iter(|| match is_count {
                    true => word_errors(black_box(&reference), black_box(&hypothesis)),
                    false => align(black_box(&reference), black_box(&hypothesis)).counts().errors(),
                });
            });
        }
    }
}

criterion_group!(benches, tries, batches, fusion, alignment);
criterion_main!(benches);
