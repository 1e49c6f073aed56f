//! The forward pass by nodes, what an adapter adds to it, and the vocabulary head, in both precisions on all cores.
//!
//! Throughput is in multiply-accumulates of the matrices (`elem/s`): twice that is what the matrix peak of
//! docs/performance.md is measured in.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rescorer::scoring::TokenTrie;
use rescorer_benches::{RandomModel, random_adapter, sequences};
use rescorer_models::{Precision, TreeBatch};

const NODES: [usize; 4] = [32, 128, 512, 1024];

/// Trees of up to 16 nodes, as many as give `nodes`.
fn batch(nodes: usize, vocab_size: usize) -> TreeBatch {
    let mut batch = TreeBatch::default();
    for seed in 0.. {
        let trie = TokenTrie::build(&sequences(2, 8, vocab_size, seed), 0, Some(1), usize::MAX).remove(0);
        if !batch.is_empty() && batch.len() + trie.nodes() > nodes {
            break;
        }
        trie.push_to(&mut batch);
    }
    batch
}

fn forward(criterion: &mut Criterion) {
    let model = RandomModel::new(4, 512);
    for precision in [Precision::F32, Precision::Quantized] {
        let loaded = model.load(precision);
        let mut group = criterion.benchmark_group(format!("models/forward/{precision}"));
        for nodes in NODES {
            let batch = batch(nodes, 512);
            group.throughput(Throughput::Elements((batch.len() * model.layer_macs()) as u64));
            group.bench_function(BenchmarkId::from_parameter(batch.len()), |bencher| {
                bencher.iter(|| black_box(loaded.hidden_states(&batch).unwrap()));
            });
        }
    }
}

/// Eight trees without an adapter, with one of rank 8 on queries and values, and with two whose trees alternate.
fn adapters(criterion: &mut Criterion) {
    let model = RandomModel::new(8, 512);
    for precision in [Precision::F32, Precision::Quantized] {
        let loaded = model.load(precision);
        let attached = [1, 2].map(|seed| random_adapter(&loaded, 8, seed).attach(&loaded).unwrap());
        let mut group = criterion.benchmark_group(format!("models/adapters/{precision}"));
        for count in 0..=attached.len() {
            let mut batch = TreeBatch::default();
            for (number, seed) in (0..8).enumerate() {
                let adapter = (count > 0).then(|| attached[number % count].clone());
                batch.set_adapter(adapter.map(|adapter| adapter as _));
                let trie = TokenTrie::build(&sequences(2, 8, 512, seed), 0, Some(1), usize::MAX).remove(0);
                trie.push_to(&mut batch);
            }
            group.throughput(Throughput::Elements((batch.len() * model.layer_macs()) as u64));
            group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
                bencher.iter(|| black_box(loaded.hidden_states(&batch).unwrap()));
            });
        }
    }
}

/// One layer and the vocabulary of SmolLM2: nearly all of the time is the head's.
fn head(criterion: &mut Criterion) {
    const VOCAB: usize = 49_152;
    let model = RandomModel::new(1, VOCAB);
    for precision in [Precision::F32, Precision::Quantized] {
        let loaded = model.load(precision);
        let mut group = criterion.benchmark_group(format!("models/head/{precision}"));
        for nodes in NODES {
            let batch = batch(nodes, VOCAB);
            let macs = batch.len() * (model.layer_macs() + model.head_macs());
            group.throughput(Throughput::Elements(macs as u64));
            group.bench_function(BenchmarkId::from_parameter(batch.len()), |bencher| {
                bencher.iter(|| black_box(loaded.edge_log_probs(&batch).unwrap()));
            });
        }
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = forward, adapters, head
}
criterion_main!(benches);
