//! Rescores one list: `cargo run -p rescorer --example first_steps [POLICY]`.

use rescorer::{Request, Rescorer};

fn main() -> Result<(), rescorer::Error> {
    let builder = Rescorer::builder("smollm2-135m");
    // A policy comes from `rescorer tune`, or from `Rescorer::tune`. Without one, the default policy answers.
    let rescorer = match std::env::args().nth(1) {
        Some(policy) => builder.policy(policy),
        None => builder,
    }
    .build()?;
    let request = Request::new([("please right it down", -4.1), ("please write it down", -4.3)]);
    let answer = rescorer.rescore(request)?;
    println!("{} ({:.0}%)", answer.text(), 100.0 * answer.confidence());
    for word in answer.words() {
        println!("{:>6.1}%  {}", 100.0 * word.confidence, word.word);
    }
    Ok(())
}
