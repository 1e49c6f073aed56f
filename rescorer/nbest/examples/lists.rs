//! Prints the lists of files as the native format, and what the reader says of them.
//!
//! `cargo run -p rescorer-nbest --example lists -- FILE... [--names text=hyp,score=am] [--input-format NAME] [--quiet]`

use std::sync::Arc;

use rescorer_nbest::{JsonlWriter, ReadOptions, Readers};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut options = ReadOptions::default().with_notices(Arc::new(|notice| eprintln!("notice: {notice}")));
    let (mut files, mut quiet) = (Vec::new(), false);
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--names" => options = options.with_names(args.next().unwrap_or_default().parse()?),
            "--input-format" => {
                options =
                    options.with_format(args.next().unwrap_or_default().parse::<rescorer_nbest::Format>()?)
            }
            "--quiet" => quiet = true,
            _ => files.push(arg),
        }
    }
    let mut writer = JsonlWriter::new("stdout", std::io::BufWriter::new(std::io::stdout().lock()));
    let mut count = 0_u64;
    for item in Readers::new(files, &options)? {
        match item {
            Ok(_) if quiet => count += 1,
            Ok(utterance) => writer.write(&utterance)?,
            Err(error) => eprintln!("error: {error}"),
        }
    }
    writer.finish()?;
    if quiet {
        eprintln!("lists: {count}");
    }
    Ok(())
}
