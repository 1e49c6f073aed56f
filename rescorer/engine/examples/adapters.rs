//! One model in memory serves lists of several domains: `cargo run -p rescorer --example adapters NAME=DIR...`.
//!
//! Each folder holds an adapter and its policy, as `rescorer train` writes them.

use rescorer::{Request, Rescorer};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut builder = Rescorer::builder("smollm2-135m");
    let mut names = Vec::new();
    for argument in std::env::args().skip(1) {
        let (name, folder) = argument.split_once('=').ok_or("give each adapter as NAME=DIR")?;
        builder = builder.adapter(name, folder);
        names.push(name.to_owned());
    }
    let rescorer = builder.build()?;
    let list = [("the patient has a sinus taxi cardia", -3.1), ("the patient has a sinus tachycardia", -3.3)];
    // Lists of different adapters go through the model together.
    let requests = names.iter().map(|name| Request::new(list).adapter(name.as_str()));
    for answer in rescorer.rescore_many(requests) {
        let answer = answer?;
        println!(
            "{}: {} (policy {})",
            answer.adapter().unwrap_or_default(),
            answer.text(),
            answer.policy().unwrap_or_default()
        );
    }
    Ok(())
}
