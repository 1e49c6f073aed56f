//! Carries what was said before along a conversation: `cargo run -p rescorer --example context`.

use rescorer::{Fusion, Request, Rescorer};

fn main() -> Result<(), rescorer::Error> {
    let weights = Fusion { lm_weight: 0.3, length_bonus: 0.0, margin: 0.0 };
    let rescorer = Rescorer::builder("smollm2-135m").weights(weights).build()?;
    let turns = [
        [("we sail on the Mary Celeste", -2.1), ("we sail on the merry Celeste", -2.0)],
        [("when does the Mary Celeste leave", -2.4), ("when does the marry Celeste leave", -2.3)],
    ];
    let mut said = String::new();
    for hypotheses in turns {
        let answer = rescorer.rescore(Request::new(hypotheses).context(said.as_str()))?;
        println!("{}", answer.text());
        said.push_str(answer.text());
        said.push_str(". ");
        // Read while the user still speaks, so that the next list begins where this text ends.
        rescorer.prepare_context(&said)?;
    }
    Ok(())
}
