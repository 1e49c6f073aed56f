//! `--adapter auto`: lists that name no adapter are routed to one.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use anyhow::bail;
use rescorer::{Answer, Policy};

use crate::args::{ModelArgs, ScoringArgs};
use crate::policy_arg::PolicyArg;
use crate::status::Status;

/// What stands in place of an adapter's folder.
const AUTO: &str = "auto";

/// What messages call the model alone.
pub const NONE: &str = "none";

/// Whether an argument of `--adapter` asks for routing. A folder of this name is `./auto`.
pub fn is_auto(adapter: &str) -> bool {
    adapter == AUTO
}

/// Whether lists are to be routed.
pub fn is_asked_for(args: &ModelArgs) -> bool {
    args.adapter.iter().any(|adapter| is_auto(adapter))
}

/// Refuses routing where it can't be done.
pub fn check(policy: Option<&PolicyArg>, args: &ScoringArgs) -> anyhow::Result<()> {
    if !is_asked_for(&args.model) {
        return Ok(());
    }
    if args.model.adapter.iter().all(|adapter| is_auto(adapter)) {
        bail!(
            "--adapter auto: there is no adapter to choose; add --adapter NAME=DIR, or write ./auto for a folder of this name"
        );
    }
    match policy {
        Some(PolicyArg::File(path)) => bail!(
            "--policy {}: a policy is for one adapter, and --adapter auto chooses among several; leave out --policy, so that the \
             policy in each adapter's folder decides",
            path.display()
        ),
        Some(PolicyArg::None) => {
            bail!("--policy none keeps the first pass, whatever the adapter; leave out --adapter auto")
        }
        Some(PolicyArg::Default) | None => {}
    }
    if args.cascade.cascade_model.is_some() || args.cascade.cascade_adapter.is_some() {
        bail!("--adapter auto is for one rescorer; leave out --cascade-model and --cascade-adapter");
    }
    Ok(())
}

/// Refuses routing for a command that has nothing to route.
pub fn refuse(args: &ModelArgs, command: &str) -> anyhow::Result<()> {
    if is_asked_for(args) {
        bail!("--adapter auto: `{command}` takes adapters by name; leave out auto");
    }
    Ok(())
}

/// Hashes of the lists that policies in the folders of adapters were tuned on.
pub fn seen(folders: impl Iterator<Item = PathBuf>) -> anyhow::Result<HashSet<String>> {
    let mut seen = HashSet::new();
    for path in folders.map(|folder| folder.join("policy.toml")).filter(|path| path.exists()) {
        seen.extend(Policy::read(path)?.tuned_on.hashes);
    }
    Ok(seen)
}

/// How many lists went where.
#[derive(Debug, Default)]
pub struct Tally {
    routed: BTreeMap<String, usize>,
    named: usize,
}

impl Tally {
    /// Counts an answer.
    pub fn add(&mut self, answer: &Answer) {
        match answer.routed() {
            Some(_) => self.count(answer.adapter()),
            None => self.named += 1,
        }
    }

    /// Counts a list that was routed to an adapter, or to none.
    pub fn count(&mut self, adapter: Option<&str>) {
        *self.routed.entry(adapter.unwrap_or(NONE).to_owned()).or_default() += 1;
    }

    /// Counts a list that was not routed.
    pub fn count_other(&mut self) {
        self.named += 1;
    }

    /// Lists by adapter.
    pub fn into_routed(self) -> BTreeMap<String, usize> {
        self.routed
    }

    /// Says it, with the nodes that routing took.
    pub fn say(&self, nodes: usize, status: Status) {
        let routed: Vec<String> =
            self.routed.iter().map(|(adapter, lists)| format!("{lists} to {adapter}")).collect();
        let routed = if routed.is_empty() { "no list".to_owned() } else { routed.join(", ") };
        let others = match self.named {
            0 => String::new(),
            others => format!("; {others} lists name their adapter or have one text"),
        };
        status.say(format_args!("routed: {routed}, by {nodes} nodes{others}"));
    }
}
