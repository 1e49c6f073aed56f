//! Answers lists as a recogniser writes them, each within 50 ms:
//! `recogniser | cargo run -p rescorer --example streaming POLICY`.

use std::time::Duration;

use rescorer::{Request, Rescorer};
use rescorer_nbest::{ReadOptions, Reader};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let policy = std::env::args().nth(1).ok_or("give the file of a policy")?;
    let rescorer = Rescorer::builder("smollm2-135m").policy(policy).build()?;
    let lists = Reader::open("-", &ReadOptions::default())?;
    let requests = lists.map(|list| list.map(|list| Request::from(list).deadline(Duration::from_millis(50))));
    // Every list is answered before the next one is read.
    for answer in rescorer.rescore_many(requests).immediate() {
        match answer {
            Ok(answer) if answer.completeness().is_complete() => println!("{}", answer.text()),
            Ok(answer) => println!("{} (out of time)", answer.text()),
            Err(error) if error.is_recoverable() => eprintln!("skipped: {error}"),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
