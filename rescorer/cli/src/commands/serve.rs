//! `rescorer serve`: answers over HTTP.

use std::path::Path;

use anyhow::{Context, bail};
use rescorer_server::{Limits, RecogniserOptions, Server, ServerOptions, TlsFiles};

use crate::model;
use crate::serve_args::ServeArgs;
use crate::status::{Outcome, Status};

const MB: usize = 1 << 20;

pub fn run(args: ServeArgs) -> anyhow::Result<Outcome> {
    let status = Status::new(args.scoring.common.quiet);
    if args.scoring.context.is_some() || args.scoring.history > 0 {
        bail!("serve: a list brings its context in its field `context`; leave out --context and --history");
    }
    let mut options = ServerOptions::new(args.listen);
    options.tokens = args.token_file.as_deref().map(tokens).transpose()?.unwrap_or_default();
    options.tls = args.tls_cert.zip(args.tls_key).map(|(certificate, key)| TlsFiles { certificate, key });
    let scheme = if options.tls.is_some() { "https" } else { "http" };
    options.adapters = args.adapters;
    options.recogniser = args.transcribe.then(|| RecogniserOptions {
        kind: args.recogniser.first_pass,
        options: args.recogniser.options(&args.scoring.model),
        max_segment: args.recogniser.max_segment,
    });
    options.pool.max_bytes = (args.adapter_memory * MB) as u64;
    options.cold = args.cold.into();
    options.mixes_adapters = !args.separate_adapters;
    options.limits =
        Limits { body_bytes: args.body_limit * MB, queue_nodes: args.queue, ..Limits::default() };
    if !args.scoring.common.quiet {
        tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
    }
    let search_risk = args.search.risk(&args.choice)?;
    let deciding = model::deciding(&args.choice, &args.scoring, status)?.search_risk(search_risk);
    let rescorer = model::build_deciding(deciding, &args.scoring.model, status)?;
    Server::serve(rescorer, options, |address| {
        // Scripts wait for this line, so it comes with --quiet too.
        crate::status::print(format_args!("listening on {scheme}://{address}"));
    })?;
    Ok(Outcome::Complete)
}

/// The tokens of a file, one a line.
fn tokens(path: &Path) -> anyhow::Result<Vec<String>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("--token-file {}", path.display()))?;
    let tokens: Vec<String> =
        text.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if tokens.is_empty() {
        bail!("--token-file {}: it is empty; write a token on each line", path.display());
    }
    Ok(tokens)
}
