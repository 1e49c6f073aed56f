//! The first byte says which file it is: a policy, a recipe of `train`, a plan of `robustness`, a table of confusions. The rest is read or
//! refused with a message; a policy that is read can be written and comes back as it was.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rescorer::Policy;
use rescorer::robustness::Plan;
use rescorer::train::Recipe;
use rescorer_fuzz::with_files;
use rescorer_perturb::ConfusionTable;

fuzz_target!(|bytes: &[u8]| {
    let Some((&kind, bytes)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let refusal = match kind % 4 {
        0 => with_files(&[("policy.toml", bytes)], |folder| {
            let policy = match Policy::read(folder.join("policy.toml")) {
                Ok(policy) => policy,
                Err(error) => return Some(error.to_string()),
            };
            let written = policy.to_toml().unwrap_or_else(|error| panic!("{error}"));
            policy.write(folder.join("again.toml")).unwrap_or_else(|error| panic!("{error}"));
            let again = Policy::read(folder.join("again.toml")).unwrap_or_else(|error| panic!("{error}: {written}"));
            assert_eq!(again.to_toml().ok(), Some(written));
            None
        }),
        1 => Recipe::parse(text).and_then(|recipe| recipe.stages()).err().map(|error| error.to_string()),
        2 => Plan::parse(text).err().map(|error| error.to_string()),
        _ => match ConfusionTable::parse("fuzz", text) {
            Err(error) => Some(error.to_string()),
            Ok(table) => {
                let written = table.to_tsv();
                let again = ConfusionTable::parse("fuzz", &written);
                assert_eq!(again.map(|table| table.to_tsv()).unwrap_or_else(|error| panic!("{error}")), written);
                None
            }
        },
    };
    assert!(refusal.is_none_or(|message| !message.is_empty()));
});
