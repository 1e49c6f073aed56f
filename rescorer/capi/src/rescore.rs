use std::ffi::{c_char, c_void};
use std::io::Cursor;
use std::sync::{Arc, Mutex, PoisonError};

use rescorer::Request;
use rescorer_nbest::{Format, Notice, ReadOptions, Reader};

use crate::answer::Answered;
use crate::handle;
use crate::input::{RescorerJsonOptions, RescorerList};
use crate::output::Output;
use crate::result::RescorerResult;
use crate::second_pass::Rescorer;
use crate::sized::{self, FromCaller, read_array};
use crate::status::{Failure, RescorerStatus, guarded};
use crate::text::{check_length, text};
use crate::threads;

/// Lists that are answered between two calls of the callback.
const BETWEEN_CALLS: usize = 64;

/// Hears how many lists of a batch are done. 0 stops the batch, any other number goes on. It is called on the thread that rescores, may
/// call functions of this library, and must return: no `longjmp` and no C++ exception leaves it.
pub type RescorerProgress =
    Option<unsafe extern "C" fn(done: usize, total: usize, user_data: *mut c_void) -> i32>;

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
    // SAFETY: one list is a batch of one, and the caller promised the same of it.
    unsafe { rescorer_rescore_batch(rescorer, list, 1, None, std::ptr::null_mut(), result) }
}

/// Rescores lists, several in a forward pass, into as many results. Either all are done, or none: after a failure, or when
/// `progress` gave 0, nothing is written to `results`. `progress` may be NULL; so may `lists` and `results` where `count` is 0.
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
        if results.is_null() {
            return Err(Failure::null("results, where handles are to be written,"));
        }
        threads::check()?;
        let prepare = |number, list: RescorerList| {
            // SAFETY: the caller promised arrays and texts that are as the list says.
            unsafe { list.request(&rescorer) }.map_err(|failure| match count {
                1 => failure,
                _ => failure.at(&format!("list {number}")),
            })
        };
        // SAFETY: the caller promised `count` lists.
        let requests = unsafe { read_array(lists, count, prepare) }?;
        let answers = answer(&rescorer, requests, |done| {
            // SAFETY: the caller promised a function that can be called with `user_data`.
            let go_on = progress.is_none_or(|progress| unsafe { progress(done, count, user_data) } != 0);
            if go_on {
                return Ok(());
            }
            let reason = format!("stopped by the callback after {done} of {count} lists");
            Err(Failure::new(RescorerStatus::Cancelled, reason))
        })?;
        for (number, handle) in keep_all(answers)?.into_iter().enumerate() {
            // SAFETY: the caller promised room for `count` handles, and there are as many. It need not be aligned.
            unsafe { results.add(number).write_unaligned(handle) };
        }
        Ok(())
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
    // SAFETY: the options are ours, and the caller promised the same of the rest.
    unsafe { rescorer_rescore_json_with(rescorer, json, &RescorerJsonOptions::defaults(), result) }
}

/// Rescores a list in JSON as `rescorer_rescore_json`, with options: the text alone, a deadline.
///
/// # Safety
/// As `rescorer_rescore_json`; `options` was begun with `RESCORER_JSON_OPTIONS_INIT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_rescore_json_with(
    rescorer: *const Rescorer,
    json: *const c_char,
    options: *const RescorerJsonOptions,
    result: *mut *mut RescorerResult,
) -> RescorerStatus {
    guarded(|| {
        // SAFETY: the caller promised a place for the handle.
        let result = unsafe { Output::new(result, "result, where the handle is to be written,") }?;
        threads::check()?;
        let rescorer = handle::find(rescorer)?;
        // SAFETY: the caller promised options that begin with their size.
        let (asked, _) = unsafe { sized::read(options) }?;
        // SAFETY: the caller promised a text that ends with a NUL.
        let json = unsafe { text(&json, "json") }?;
        let notices: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = notices.clone();
        let listener = move |notice: &Notice| {
            // One list is not enough to tell costs from a recogniser that was mistaken.
            if !matches!(notice, Notice::RisingScores { .. }) {
                heard.lock().unwrap_or_else(PoisonError::into_inner).push(notice.to_string());
            }
        };
        let options = ReadOptions::default().with_format(Format::Jsonl).with_notices(Arc::new(listener));
        let mut lists = Reader::from_read("json", Cursor::new(json.as_bytes().to_vec()), &options)?;
        let (Some(utterance), None) = (lists.next().transpose()?, lists.next()) else {
            let reason = "json: give one object with an N-best list";
            return Err(Failure::new(RescorerStatus::InvalidList, reason));
        };
        let mut hypotheses = utterance.nbest.hypotheses().iter().enumerate();
        hypotheses.try_for_each(|(position, one)| check_length(position, &one.text))?;
        let answer = rescorer.rescore(asked.request(&rescorer, utterance)?)?;
        let notices = notices.lock().unwrap_or_else(PoisonError::into_inner).join("; ");
        let notice = Some(notices.as_str()).filter(|notice| !notice.is_empty());
        result.write(handle::keep(Answered::new(answer, notice))?);
        Ok(())
    })
}

/// Answers lists; `progress` hears how many are done.
fn answer(
    rescorer: &rescorer::Rescorer,
    requests: Vec<Request>,
    progress: impl Fn(usize) -> Result<(), Failure>,
) -> Result<Vec<Answered>, Failure> {
    let count = requests.len();
    let mut answered = Vec::with_capacity(count);
    let mut requests = requests.into_iter();
    while answered.len() < count {
        for answer in rescorer.rescore_many(requests.by_ref().take(BETWEEN_CALLS)) {
            answered.push(Answered::new(answer?, None));
        }
        progress(answered.len())?;
    }
    Ok(answered)
}

/// Handles of all answers, or of none.
fn keep_all(answers: Vec<Answered>) -> Result<Vec<*mut RescorerResult>, Failure> {
    let mut kept = Vec::with_capacity(answers.len());
    for answer in answers {
        match handle::keep(answer) {
            Ok(handle) => kept.push(handle),
            Err(failure) => {
                kept.into_iter().try_for_each(handle::free)?;
                return Err(failure);
            }
        }
    }
    Ok(kept)
}
