//! The Rust side of `benches/calls.py`: rescores every list of a file, one call a list, each time a line comes in on stdin.
//!
//! `rust_calls MODEL PRECISION LISTS.jsonl`

use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

use rescorer::scoring::{LanguageModel, Scorer, SecondPass};
use rescorer::{DeviceRequest, Fusion, Precision, ScoringConfig, Utterance};
use rescorer_nbest::{ReadOptions, Reader};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, precision, lists] = arguments.as_slice() else {
        return Err("give a model, f32 or int8, and a file of lists".into());
    };
    let precision = if precision == "int8" { Precision::Quantized } else { Precision::F32 };
    let model = LanguageModel::load(Path::new(model), DeviceRequest::Cpu, precision)?;
    let scorer = Scorer::new(Arc::new(model), ScoringConfig::default())?;
    let rescorer = SecondPass::new(scorer, Fusion { lm_weight: 0.5, length_bonus: 0.0, margin: 0.0 });
    let lists = Reader::open(lists, &ReadOptions::default())?.collect::<Result<Vec<Utterance>, _>>()?;
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        line?;
        let mut sum = 0.0;
        for list in &lists {
            sum += rescorer.rescore(&list.nbest)?.best().total.unwrap_or(0.0);
        }
        println!("{sum}");
    }
    Ok(())
}
