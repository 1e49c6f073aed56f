//! Adapters that are loaded when lists ask for them.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};

use rescorer::{AdapterPool, Error, ErrorKind, PoolError, PoolOptions, Request, Rescorer};
use rescorer_lora::LoraAdapter;
use rescorer_models::DeviceRequest;
use rescorer_tests::{fixture, load_tiny};
use tempfile::TempDir;

/// A folder with adapters of the tiny model, each of another strength.
struct Folder {
    folder: TempDir,
    rescorer: Rescorer,
}

fn folder(adapters: &[(&str, u64)]) -> Folder {
    let folder = tempfile::tempdir().unwrap();
    let model = Arc::new(load_tiny("tiny-llama", DeviceRequest::Cpu));
    let rescorer = Rescorer::builder(model).build().unwrap();
    let made = Folder { folder, rescorer };
    adapters.iter().for_each(|(name, factor)| made.write(name, *factor));
    made
}

impl Folder {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The adapter of the fixtures, so many times as strong.
    fn write(&self, name: &str, factor: u64) {
        let mut adapter = LoraAdapter::read(&fixture("tiny-lora")).unwrap();
        adapter.modules.values_mut().flat_map(|module| &mut module.b).for_each(|b| *b *= factor as f32);
        adapter.write(&self.path(name)).unwrap();
    }

    fn pool(&self, options: PoolOptions) -> AdapterPool {
        AdapterPool::new(&self.rescorer, options)
    }

    /// Bytes of one adapter in memory.
    fn bytes(&self, name: &str) -> u64 {
        let pool = self.pool(PoolOptions::default());
        pool.register(name, self.path(name)).unwrap();
        pool.load(name).unwrap().bytes()
    }
}

const TEXTS: [&str; 3] = ["write it down", "right it down", "write it town"];

fn total(rescorer: &Rescorer, request: Request) -> f64 {
    rescorer.rescore(request.with_list()).unwrap().total().unwrap()
}

/// What a rescorer with this adapter alone gives.
fn expected(folder: &Folder, name: &str) -> f64 {
    let builder = Rescorer::builder(folder.rescorer.model().clone()).adapter(name, folder.path(name));
    total(&builder.build().unwrap(), Request::new(TEXTS))
}

#[test]
fn answers_are_those_of_a_rescorer_with_the_adapter() {
    let folder = folder(&[("one", 1), ("two", 2)]);
    let pool = folder.pool(PoolOptions::default());
    let totals = ["one", "two"].map(|name| {
        let status = pool.register(name, folder.path(name)).unwrap();
        assert_eq!((status.resident, status.fingerprint), (false, None));
        assert!(status.rank > 0);
        let adapter = pool.load(name).unwrap();
        let answer = folder.rescorer.rescore(Request::new(TEXTS).pooled(&adapter)).unwrap();
        assert_eq!((answer.adapter(), answer.policy()), (Some(name), Some("default, version 2")));
        let total = total(&folder.rescorer, Request::new(TEXTS).pooled(&adapter));
        assert!((total - expected(&folder, name)).abs() < 1e-4);
        total
    });
    assert_ne!(totals[0], totals[1]);
    let statuses = pool.adapters();
    assert!(statuses.iter().all(|status| status.resident && status.fingerprint.is_some()));

    // Of one batch each list has its own, and the one that names none has none.
    let [one, two] = ["one", "two"].map(|name| pool.load(name).unwrap());
    let requests = [Some(&one), None, Some(&two), Some(&one)].map(|adapter| {
        let request = Request::new(TEXTS).with_list();
        Ok::<_, Error>(match adapter {
            Some(adapter) => request.pooled(adapter),
            None => request,
        })
    });
    let answers: Vec<f64> =
        folder.rescorer.rescore_many(requests).map(|answer| answer.unwrap().total().unwrap()).collect();
    let bare = total(&folder.rescorer, Request::new(TEXTS));
    for (found, expected) in answers.iter().zip([totals[0], bare, totals[1], totals[0]]) {
        assert!((found - expected).abs() < 1e-4, "{found} {expected}");
    }
}

#[test]
fn an_own_policy_decides() {
    let model = Arc::new(load_tiny("tiny-llama", DeviceRequest::Cpu));
    let rescorer = Rescorer::builder(model).build().unwrap();
    let pool = AdapterPool::new(&rescorer, PoolOptions::default());
    pool.register("medical", fixture("door/medical")).unwrap();
    let adapter = pool.load("medical").unwrap();
    assert!(adapter.policy().unwrap().ends_with("policy.toml"), "{:?}", adapter.policy());
    // Another policy and no policy go through the model together.
    let requests = || [Request::new(TEXTS).pooled(&adapter).text_only(), Request::new(TEXTS).text_only()];
    let together: Vec<_> =
        rescorer.rescore_many(requests().map(Ok::<_, Error>)).map(Result::unwrap).collect();
    for (together, alone) in together.iter().zip(requests()) {
        let alone = rescorer.rescore(alone).unwrap();
        assert_eq!((together.text(), together.policy()), (alone.text(), alone.policy()));
    }
}

#[test]
fn what_was_not_used_for_longest_gives_way() {
    let names = ["one", "two", "three"];
    let folder = folder(&[("one", 1), ("two", 2), ("three", 3)]);
    let bytes = folder.bytes("one");
    let pool = folder.pool(PoolOptions { max_bytes: 2 * bytes + bytes / 2, ..PoolOptions::default() });
    names.iter().for_each(|name| _ = pool.register(*name, folder.path(name)).unwrap());
    let resident = || names.map(|name| pool.adapter(name).unwrap().resident);
    let kept = pool.load("one").unwrap();
    pool.load("two").unwrap();
    assert!(pool.resident("one").is_some());
    pool.load("three").unwrap();
    assert_eq!(resident(), [true, false, true]);
    assert!(pool.pin("one", true) && !pool.pin("none", true));
    pool.load("three").unwrap();
    pool.load("two").unwrap();
    assert_eq!(resident(), [true, true, false]);
    let stats = pool.stats();
    assert_eq!((stats.registered, stats.resident, stats.resident_bytes), (3, 2, 2 * bytes));
    assert_eq!((stats.loads, stats.evictions, stats.failures), (4, 2, 0));
    // What is in use stays as it is.
    pool.pin("one", false);
    pool.load("three").unwrap();
    assert!(pool.remove("one") && !pool.remove("one") && pool.resident("one").is_none());
    let found = total(&folder.rescorer, Request::new(TEXTS).pooled(&kept));
    assert!((found - expected(&folder, "one")).abs() < 1e-4);
    assert!(matches!(pool.load("one"), Err(Error::Pool(PoolError::Unknown { .. }))));
}

#[test]
fn what_is_registered_anew_is_read_anew() {
    let folder = folder(&[("one", 1)]);
    let pool = folder.pool(PoolOptions::default());
    pool.register("one", folder.path("one")).unwrap();
    let before = pool.load("one").unwrap();
    folder.write("one", 2);
    assert_eq!(pool.load("one").unwrap().fingerprint(), before.fingerprint());
    pool.register("one", folder.path("one")).unwrap();
    let after = pool.load("one").unwrap();
    assert_ne!(after.fingerprint(), before.fingerprint());
    let totals =
        [&before, &after].map(|adapter| total(&folder.rescorer, Request::new(TEXTS).pooled(adapter)));
    assert_ne!(totals[0], totals[1]);
}

#[test]
fn an_adapter_is_read_once_for_all_who_wait() {
    const THREADS: usize = 8;
    let folder = folder(&[("one", 1), ("two", 2), ("three", 3)]);
    let pool = folder.pool(PoolOptions { loaders: 1, ..PoolOptions::default() });
    for name in ["one", "two", "three"] {
        pool.register(name, folder.path(name)).unwrap();
    }
    let barrier = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for number in 0..THREADS {
            let (pool, barrier) = (&pool, &barrier);
            scope.spawn(move || {
                barrier.wait();
                for name in ["one", "two", "three"].iter().cycle().skip(number).take(3) {
                    assert_eq!(pool.load(name).unwrap().name(), *name);
                }
            });
        }
    });
    assert_eq!(pool.stats().loads, 3);
}

fn overwrite(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_adapter_fails_alone_and_can_be_mended() {
    let folder = folder(&[("good", 1), ("bad", 2)]);
    let pool = folder.pool(PoolOptions::default());
    let weights = folder.path("bad").join("adapter_model.safetensors");
    let whole = std::fs::read(&weights).unwrap();
    overwrite(&weights, &whole[..whole.len() / 2]);
    for name in ["good", "bad"] {
        pool.register(name, folder.path(name)).unwrap();
    }
    for _ in 0..2 {
        let error = pool.load("bad").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Adapter);
        assert!(error.to_string().contains("bad") && error.to_string().contains("adapter_model"), "{error}");
    }
    // The second time nothing was read.
    assert_eq!((pool.stats().loads, pool.stats().failures), (1, 1));
    assert!(pool.adapter("bad").unwrap().error.is_some());
    assert!(pool.load("good").is_ok());
    overwrite(&weights, &whole);
    assert!(pool.load("bad").is_ok());
    assert_eq!(pool.adapter("bad").unwrap().error, None);
}

#[test]
fn what_can_not_be_registered_is_said() {
    let folder = folder(&[("one", 1)]);
    let bytes = folder.bytes("one");
    let small = folder.pool(PoolOptions { max_bytes: bytes / 2, ..PoolOptions::default() });
    let error = small.register("one", folder.path("one")).unwrap_err().to_string();
    assert!(error.contains("allow more"), "{error}");
    let pool = folder.pool(PoolOptions::default());
    let error = pool.register("none", folder.path("none")).unwrap_err();
    assert!(matches!(error, Error::Pool(PoolError::Folder { .. })), "{error}");
    overwrite(&folder.path("one").join("adapter_config.json"), b"{");
    assert_eq!(pool.register("one", folder.path("one")).unwrap_err().kind(), ErrorKind::Adapter);
    // An adapter of another model is found out when it is read.
    pool.register("speech", Path::new(env!("CARGO_MANIFEST_DIR")).join("../rescorer/engine/adapters/speech"))
        .unwrap();
    let error = pool.load("speech").unwrap_err().to_string();
    assert!(error.contains("speech") && error.contains("trained on"), "{error}");
}

/// A search computes lists with different adapters in one forward pass, and each as if it were alone.
#[test]
fn a_search_over_several_adapters_finds_what_each_finds_alone() {
    let folder = folder(&[("one", 1), ("two", 20), ("three", 60)]);
    let pool = folder.pool(PoolOptions::default());
    let adapters = ["one", "two", "three"].map(|name| {
        pool.register(name, folder.path(name)).unwrap();
        pool.load(name).unwrap()
    });
    let words = ["the", "cat", "hat", "sat", "write", "right", "it", "down", "town"];
    let lists: Vec<Vec<String>> = (0..40)
        .map(|list| {
            let text = |number: usize| {
                let word = |place: usize| words[(list * 5 + place * (number + 2) + number) % words.len()];
                (0..4 + list % 9).map(word).collect::<Vec<_>>().join(" ")
            };
            (0..2 + list % 6).map(text).collect()
        })
        .collect();
    let request = |number: usize| {
        let request = Request::new(lists[number].iter().cloned()).text_only();
        match adapters.get(number % 4) {
            Some(adapter) => request.pooled(adapter),
            None if number % 8 == 3 => request.context("it was the cat"),
            None => request,
        }
    };
    let mut together =
        folder.rescorer.rescore_many((0..lists.len()).map(|number| Ok::<_, Error>(request(number))));
    let mut changed = 0;
    for number in 0..lists.len() {
        let (found, alone) =
            (together.next().unwrap().unwrap(), folder.rescorer.rescore(request(number)).unwrap());
        assert_eq!((found.text(), found.adapter()), (alone.text(), alone.adapter()), "list {number}");
        changed += usize::from(found.changed());
    }
    assert!(changed > 3, "{changed}");
}
