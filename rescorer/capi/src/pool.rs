use std::ffi::c_char;

use rescorer::{AdapterPool, PoolOptions, PoolStats, Request};

use crate::handle::{self, Behind};
use crate::output::Output;
use crate::second_pass::Rescorer;
use crate::sized::{self, FromCaller};
use crate::status::{Failure, RescorerStatus, guarded};
use crate::text::text;
use crate::threads;

/// Adapters of one rescorer that are loaded when lists ask for them, and dropped when others need their memory, the least recently
/// used first. All threads may use it at once. Lists in work keep their adapter, whatever becomes of it here.
pub struct RescorerPool {
    _private: [u8; 0],
}

impl Behind for RescorerPool {
    type Value = AdapterPool;
    const NAME: &'static str = "the pool";
}

/// How much a pool may take. Begin with `RESCORER_POOL_OPTIONS_INIT`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RescorerPoolOptions {
    /// Size of this struct, as `RESCORER_POOL_OPTIONS_INIT` sets it.
    pub struct_size: usize,
    /// Bytes that loaded adapters may take together; 0 is 512 MiB.
    pub max_bytes: u64,
    /// Adapters that are read at the same time; 0 is 2.
    pub loaders: u32,
    /// 0.
    pub reserved: u32,
}

// SAFETY: a size and integers.
unsafe impl FromCaller for RescorerPoolOptions {
    const NAME: &'static str = "options (RescorerPoolOptions)";
    const MACRO: &'static str = "RESCORER_POOL_OPTIONS_INIT";
    const EARLIER: &'static [usize] = &[];
    fn defaults() -> Self {
        Self { struct_size: size_of::<Self>(), max_bytes: 0, loaders: 0, reserved: 0 }
    }
}

/// What a pool has done so far. Begin with `RESCORER_POOL_STATS_INIT`; `rescorer_pool_stats` sets the rest.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct RescorerPoolStats {
    /// Size of this struct, as `RESCORER_POOL_STATS_INIT` sets it.
    pub struct_size: usize,
    /// Adapters that are registered.
    pub registered: u64,
    /// Of these, the loaded ones.
    pub resident: u64,
    /// Bytes that these take.
    pub resident_bytes: u64,
    /// Adapters read so far.
    pub loads: u64,
    /// Adapters that could not be read.
    pub failures: u64,
    /// Adapters that gave way to others.
    pub evictions: u64,
}

// SAFETY: a size and integers.
unsafe impl FromCaller for RescorerPoolStats {
    const NAME: &'static str = "stats (RescorerPoolStats)";
    const MACRO: &'static str = "RESCORER_POOL_STATS_INIT";
    const EARLIER: &'static [usize] = &[];
    fn defaults() -> Self {
        PoolStats::default().into()
    }
}

impl From<PoolStats> for RescorerPoolStats {
    fn from(stats: PoolStats) -> Self {
        Self {
            struct_size: size_of::<Self>(),
            registered: stats.registered as u64,
            resident: stats.resident as u64,
            resident_bytes: stats.resident_bytes,
            loads: stats.loads,
            failures: stats.failures,
            evictions: stats.evictions,
        }
    }
}

/// A request about a list for a rescorer, with the adapter of a pool that the list names. NULL is no pool.
pub fn supplied(
    pool: *const RescorerPool,
    rescorer: &rescorer::Rescorer,
    request: Request,
) -> Result<Request, Failure> {
    if pool.is_null() {
        return Ok(request);
    }
    let pool = handle::find(pool)?;
    if !pool.is_for(rescorer) {
        let reason = "the pool is for another rescorer; make one for this with rescorer_pool_new";
        return Err(Failure::new(RescorerStatus::InvalidArgument, reason));
    }
    Ok(pool.supply(request)?)
}

/// Makes an empty pool for a rescorer, which it keeps.
///
/// # Safety
/// `options` was begun with `RESCORER_POOL_OPTIONS_INIT`; `pool` points to where the handle is to be written.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_pool_new(
    rescorer: *const Rescorer,
    options: *const RescorerPoolOptions,
    pool: *mut *mut RescorerPool,
) -> RescorerStatus {
    guarded(|| {
        // SAFETY: the caller promised a place for the handle.
        let pool = unsafe { Output::new(pool, "pool, where the handle is to be written,") }?;
        // SAFETY: the caller promised options that begin with their size.
        let (options, _) = unsafe { sized::read(options) }?;
        if options.reserved != 0 {
            let reason = format!("reserved is {}; leave it at 0", options.reserved);
            return Err(Failure::new(RescorerStatus::InvalidArgument, reason));
        }
        let mut wanted = PoolOptions::default();
        if options.max_bytes > 0 {
            wanted.max_bytes = options.max_bytes;
        }
        if options.loaders > 0 {
            wanted.loaders = options.loaders as usize;
        }
        let rescorer = handle::find(rescorer)?;
        pool.write(handle::keep(AdapterPool::new(&rescorer, wanted))?);
        Ok(())
    })
}

/// Registers a folder with an adapter under a name, in the place of what had that name. Only its settings are read: it is loaded
/// when a list asks for it.
///
/// # Safety
/// `name` and `folder` end with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_pool_register(
    pool: *const RescorerPool,
    name: *const c_char,
    folder: *const c_char,
) -> RescorerStatus {
    guarded(|| {
        let pool = handle::find(pool)?;
        // SAFETY: the caller promised texts that end with a NUL.
        let (name, folder) = unsafe { (text(&name, "name")?, text(&folder, "folder")?) };
        pool.register(name, folder)?;
        Ok(())
    })
}

/// Forgets an adapter.
///
/// # Safety
/// `name` ends with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_pool_remove(
    pool: *const RescorerPool,
    name: *const c_char,
) -> RescorerStatus {
    guarded(|| {
        let pool = handle::find(pool)?;
        // SAFETY: the caller promised a text that ends with a NUL.
        let name = unsafe { text(&name, "name") }?;
        known(pool.remove(name), name)
    })
}

/// Keeps an adapter in memory once it is loaded; with the flag at 0, lets it go again.
///
/// # Safety
/// `name` ends with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_pool_pin(
    pool: *const RescorerPool,
    name: *const c_char,
    is_pinned: i32,
) -> RescorerStatus {
    guarded(|| {
        let pool = handle::find(pool)?;
        // SAFETY: the caller promised a text that ends with a NUL.
        let name = unsafe { text(&name, "name") }?;
        known(pool.pin(name, is_pinned != 0), name)
    })
}

/// Loads an adapter before the first list asks for it.
///
/// # Safety
/// `name` ends with a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_pool_load(
    pool: *const RescorerPool,
    name: *const c_char,
) -> RescorerStatus {
    guarded(|| {
        threads::check()?;
        let pool = handle::find(pool)?;
        // SAFETY: the caller promised a text that ends with a NUL.
        pool.load(unsafe { text(&name, "name") }?)?;
        Ok(())
    })
}

/// Tells what a pool has done so far.
///
/// # Safety
/// `stats` was begun with `RESCORER_POOL_STATS_INIT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rescorer_pool_stats(
    pool: *const RescorerPool,
    stats: *mut RescorerPoolStats,
) -> RescorerStatus {
    guarded(|| {
        // SAFETY: the caller promised a struct that begins with its size.
        unsafe { sized::read(stats) }?;
        let found: RescorerPoolStats = handle::find(pool)?.stats().into();
        // SAFETY: the struct has the size of today, as no other was taken. It need not be aligned.
        unsafe { stats.write_unaligned(found) };
        Ok(())
    })
}

/// Frees a pool. NULL is nothing to do.
#[unsafe(no_mangle)]
pub extern "C" fn rescorer_pool_free(pool: *mut RescorerPool) -> RescorerStatus {
    guarded(|| handle::free(pool))
}

/// Whether there was an adapter of this name.
fn known(was_there: bool, name: &str) -> Result<(), Failure> {
    match was_there {
        true => Ok(()),
        false => Err(rescorer::Error::from(rescorer::PoolError::Unknown { name: name.to_owned() }).into()),
    }
}
