use std::ffi::{c_char, c_void};
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use rescorer::{
    AdapterSet, Convention, EarlierPass, Fusion, ListScores, Policy, PreparedList, Scorer, Utterance,
};
use rescorer_nbest::{Format, ReadOptions, Reader};

use crate::adapter::RescorerAdapter;
use crate::handle::{self, Behind};
use crate::input::{RescorerList, text};
use crate::model::RescorerModel;
use crate::result::{Answered, RescorerResult};
use crate::status::{Failure, RescorerStatus, guarded};

/// Lists that go through the model together before the callback is asked.
const WINDOW: usize = 64;

/// A second pass: a model and how it decides. It is small and never changes: make one for each thread, or share one.
pub struct Rescorer {
    _private: [u8; 0],
}

impl Behind for Rescorer {
    type Value = rescorer::Rescorer;
    const NAME: &'static str = "the rescorer";
}

/// The weights of the fusion: `total = first_pass + lm_weight · lm_score + length_bonus · words`. The first-pass best stays unless
/// another's total is more than `margin` above its own.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RescorerWeights {
    /// Weight of the language-model score.
    pub lm_weight: f64,
    /// Reward of a word.
    pub length_bonus: f64,
    /// Lead that another hypothesis needs; at least 0.
    pub margin: f64,
}

/// Hears how many lists of a batch are done. False stops the batch. It is called on the thread that rescores, and must not unwind.
pub type RescorerProgress =
    Option<unsafe extern "C" fn(done: usize, total: usize, user_data: *mut c_void) -> bool>;

/// Makes a rescorer from weights.
///
/// # Safety
/// `rescorer` points to where the handle is to be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_new(
    model: *const RescorerModel,
    weights: RescorerWeights,
    rescorer: *mut *mut Rescorer,
) -> RescorerStatus {
    guarded(|| {
        if rescorer.is_null() {
            return Err(Failure::null("where the rescorer is to be written"));
        }
        let RescorerWeights { lm_weight, length_bonus, margin } = weights;
        if ![lm_weight, length_bonus, margin].into_iter().all(f64::is_finite) || margin < 0.0 {
            let reason = format!("{weights:?}: weights are finite, and the margin is at least 0");
            return Err(Failure::new(RescorerStatus::InvalidArgument, reason));
        }
        let model = handle::find(model)?;
        let scorer = Scorer::new(model.as_ref().clone(), Convention::default())?;
        let made = rescorer::Rescorer::new(scorer, Fusion { lm_weight, length_bonus, margin });
        // SAFETY: not NULL, and what the caller promised.
        unsafe { rescorer.write(handle::keep(made)) };
        Ok(())
    })
}

/// Makes a rescorer that decides as a policy says, the TOML file that `rescorer tune` and `rescorer train` write. `adapter` is the
/// one that the policy was tuned with; NULL where there was none.
///
/// # Safety
/// `policy` ends with a NUL; `rescorer` points to where the handle is to be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_from_policy(
    model: *const RescorerModel,
    adapter: *const RescorerAdapter,
    policy: *const c_char,
    rescorer: *mut *mut Rescorer,
) -> RescorerStatus {
    // SAFETY: what the caller promised.
    unsafe {
        rescorer_from_policy_after(std::ptr::null(), std::ptr::null(), model, adapter, policy, rescorer)
    }
}

/// The same for a policy that asks another rescorer first, as `rescorer tune --earlier` writes it: `earlier_model` is the model of that
/// one, `earlier_adapter` its adapter, NULL where there was none. With another policy both are NULL.
///
/// # Safety
/// As `rescorer_from_policy`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_from_policy_after(
    earlier_model: *const RescorerModel,
    earlier_adapter: *const RescorerAdapter,
    model: *const RescorerModel,
    adapter: *const RescorerAdapter,
    policy: *const c_char,
    rescorer: *mut *mut Rescorer,
) -> RescorerStatus {
    guarded(|| {
        if rescorer.is_null() {
            return Err(Failure::null("where the rescorer is to be written"));
        }
        let model = handle::find(model)?;
        let adapters = adapter_set(adapter)?;
        // SAFETY: what the caller promised.
        let policy = Policy::from_file(Path::new(unsafe { text(policy, "policy") }?))?;
        let earlier = match &policy.earlier {
            Some(earlier) if !earlier_model.is_null() => {
                let model = handle::find(earlier_model)?;
                Some(EarlierPass::new(model.as_ref().clone(), adapter_set(earlier_adapter)?, earlier)?)
            }
            None if !earlier_model.is_null() || !earlier_adapter.is_null() => {
                let reason = "this policy asks no other rescorer first: earlier_model and earlier_adapter are NULL then";
                return Err(Failure::new(RescorerStatus::InvalidArgument, reason));
            }
            // Without a model for it what is missing is said below.
            _ => None,
        };
        let model = model.as_ref().clone();
        let made = rescorer::Rescorer::from_policy_after(earlier, model, adapters, &policy)?;
        // SAFETY: not NULL, and what the caller promised.
        unsafe { rescorer.write(handle::keep(made)) };
        Ok(())
    })
}

/// The adapter behind a handle, none for NULL.
fn adapter_set(adapter: *const RescorerAdapter) -> Result<AdapterSet, Failure> {
    if adapter.is_null() {
        return Ok(AdapterSet::default());
    }
    Ok(AdapterSet::one(handle::find(adapter)?.as_ref().clone()))
}

/// Frees a rescorer. NULL is nothing to do.
#[unsafe(no_mangle)]
pub extern "C" fn rescorer_free(rescorer: *mut Rescorer) -> RescorerStatus {
    guarded(|| handle::free(rescorer))
}

/// Rescores a list.
///
/// # Safety
/// `list` points to a list whose arrays and texts are as it says; `result` to where the handle is to be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_rescore(
    rescorer: *const Rescorer,
    list: *const RescorerList,
    result: *mut *mut RescorerResult,
) -> RescorerStatus {
    // SAFETY: one list is a batch of one.
    unsafe { rescorer_rescore_batch(rescorer, list, 1, None, std::ptr::null_mut(), result) }
}

/// Rescores lists, several in a forward pass, into as many results. Either all are done, or none: after a failure, or when
/// `progress` said false, nothing is written to `results`. `progress` may be NULL.
///
/// # Safety
/// `lists` points to `count` lists, as for `rescorer_rescore`, `results` to room for as many handles; `progress` can be called with
/// `user_data`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_rescore_batch(
    rescorer: *const Rescorer,
    lists: *const RescorerList,
    count: usize,
    progress: RescorerProgress,
    user_data: *mut c_void,
    results: *mut *mut RescorerResult,
) -> RescorerStatus {
    guarded(|| {
        let rescorer = handle::find(rescorer)?;
        if count == 0 {
            return Ok(());
        }
        if lists.is_null() || results.is_null() {
            return Err(Failure::null(if lists.is_null() {
                "lists"
            } else {
                "where results are to be written"
            }));
        }
        if count > isize::MAX as usize / size_of::<RescorerList>() {
            let reason = format!("{count} lists can't be in memory; is the count set?");
            return Err(Failure::new(RescorerStatus::InvalidArgument, reason));
        }
        // SAFETY: not NULL, not larger than memory, and what the caller promised.
        let lists = unsafe { std::slice::from_raw_parts(lists, count) };
        // SAFETY: what the caller promised.
        let prepared = |(number, list)| {
            unsafe { prepare(&rescorer, list) }.map_err(|failure| match count {
                1 => failure,
                _ => failure.at(&format!("list {number}")),
            })
        };
        let prepared = lists.iter().enumerate().map(prepared).collect::<Result<Vec<_>, Failure>>()?;
        let mut answers = Vec::with_capacity(count);
        let mut prepared = prepared.into_iter();
        while answers.len() < count {
            let (utterances, window): (Vec<Utterance>, Vec<PreparedList>) =
                prepared.by_ref().take(WINDOW).unzip();
            let scored = rescorer.scorer().score(window)?.lists;
            answers.extend(
                utterances
                    .into_iter()
                    .zip(scored)
                    .map(|(utterance, scores)| answered(&rescorer, utterance, &scores)),
            );
            if let Some(progress) = progress {
                // SAFETY: what the caller promised.
                if !unsafe { progress(answers.len(), count, user_data) } {
                    let reason = format!("stopped by the callback after {} of {count} lists", answers.len());
                    return Err(Failure::new(RescorerStatus::Cancelled, reason));
                }
            }
        }
        for (number, answer) in answers.into_iter().enumerate() {
            // SAFETY: there is room for `count`.
            unsafe { results.add(number).write(handle::keep(answer)) };
        }
        Ok(())
    })
}

/// Computes a context before the first list that comes with it is there, as while the user still speaks. It is kept until a few
/// others were used.
///
/// # Safety
/// `context` ends with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_prepare_context(
    rescorer: *const Rescorer,
    context: *const c_char,
) -> RescorerStatus {
    guarded(|| {
        // SAFETY: what the caller promised.
        let context = unsafe { text(context, "context") }?;
        Ok(handle::find(rescorer)?.scorer().prepare_context(context)?)
    })
}

/// Rescores a list in native JSON: `{"id": "u1", "hypotheses": [{"text": "...", "score": -1.2}, ...]}`.
///
/// # Safety
/// `json` ends with a NUL; `result` points to where the handle is to be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_rescore_json(
    rescorer: *const Rescorer,
    json: *const c_char,
    result: *mut *mut RescorerResult,
) -> RescorerStatus {
    guarded(|| {
        if result.is_null() {
            return Err(Failure::null("where the result is to be written"));
        }
        let rescorer = handle::find(rescorer)?;
        // SAFETY: what the caller promised.
        let json = unsafe { text(json, "json") }?;
        let options = ReadOptions::default().with_format(Format::Jsonl);
        let mut lists = Reader::from_read("json", Cursor::new(json.as_bytes().to_vec()), &options)?;
        let (Some(utterance), None) = (lists.next().transpose()?, lists.next()) else {
            let reason = "json: give one object with an N-best list";
            return Err(Failure::new(RescorerStatus::InvalidList, reason));
        };
        let list = rescorer.rescore_utterance(&utterance)?;
        let answer = Answered::new(utterance, list);
        // SAFETY: not NULL, and what the caller promised.
        unsafe { result.write(handle::keep(answer)) };
        Ok(())
    })
}

/// # Safety
/// As [`RescorerList::nbest`].
unsafe fn prepare(
    rescorer: &Arc<rescorer::Rescorer>,
    list: &RescorerList,
) -> Result<(Utterance, PreparedList), Failure> {
    // SAFETY: what the caller promised.
    let (name, nbest, context) = unsafe { (list.name()?, list.nbest()?, list.context()?) };
    let prepared = rescorer.scorer().prepare_in_context(name, &nbest, context)?;
    let prepared = if list.adapter.is_null() {
        prepared
    } else {
        prepared.with_adapter(Some(handle::find(list.adapter)?.as_ref().clone()))
    };
    let context = (!context.is_empty()).then(|| context.to_owned());
    Ok((Utterance { context, ..Utterance::new(name, nbest) }, prepared))
}

fn answered(rescorer: &Arc<rescorer::Rescorer>, utterance: Utterance, scores: &ListScores) -> Answered {
    let list = rescorer.decide(&utterance.nbest, scores);
    Answered::new(utterance, list)
}
