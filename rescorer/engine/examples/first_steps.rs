//! Rescores one list: `cargo run -p rescorer --example first_steps [POLICY]`.

use rescorer::{Fusion, Request, Rescorer};

fn main() -> Result<(), rescorer::Error> {
    let builder = Rescorer::builder("smollm2-135m");
    // A policy comes from `rescorer tune`, or from `Rescorer::tune`. Without one, weights by hand do.
    let rescorer = match std::env::args().nth(1) {
        Some(policy) => builder.policy(policy),
        None => builder.weights(Fusion { lm_weight: 0.3, length_bonus: 0.0, margin: 0.0 }),
    }
    .build()?;
    let request = Request::new([("please right it down", -1.2), ("please write it down", -1.4)]);
    let answer = rescorer.rescore(request)?;
    println!("{} ({:.0}%)", answer.text(), 100.0 * answer.confidence());
    for word in answer.words() {
        println!("{:>6.1}%  {}", 100.0 * word.confidence, word.word);
    }
    Ok(())
}
