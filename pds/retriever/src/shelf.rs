// SPDX-License-Identifier: MIT
//! The store: opened, made where the partition is blank, mended where its superblocks are lost.
//!
//! One design rule: a partition that holds anything is never formatted unless the user says so.

use crate::library;
use crate::port::{DataPartition, Port};
use alloc::format;
use alloc::rc::Rc;
use alloc::string::{String, ToString};
use core::cell::RefCell;
use retrieval::embed::Embedder;
use retrieval::index::IndexError;
use retrieval::memory::{Config, Memory, MemoryError};
use retrieval::store::{BlockDevice, SECTOR, StoreError};

/// Sectors that are blank on a partition that nobody has used.
const BLANK: usize = 64;
/// Frame sizes of stores that are known: those made here, and those made on a host.
const FRAMES: [u32; 2] = [library::FRAME_SECTORS, 256];

/// The store of this system.
pub(crate) type Store = Memory<DataPartition>;

/// Whether there is a store.
pub(crate) enum Shelf {
    /// Not looked at yet.
    Closed,
    /// In use.
    Open(Store),
    /// Why not, and whether it may be otherwise soon.
    Unusable(String, bool),
}

/// Why there is no store, and whether it may be otherwise soon.
pub(crate) struct Unusable(String, bool);

impl From<Unusable> for Shelf {
    fn from(Unusable(why, again): Unusable) -> Self {
        Self::Unusable(why, again)
    }
}

/// A store that was opened, with what the user should know of it.
pub(crate) struct Opened {
    pub store: Store,
    pub notice: Option<String>,
    /// Acknowledged writes that the disk has lost.
    pub missing: u64,
}

fn partition(port: &Rc<RefCell<Port>>) -> Result<DataPartition, Unusable> {
    let gone = || Unusable("storage does not answer".into(), true);
    let found = port.borrow_mut().describe().map_err(|_| gone())?;
    match (found.device, found.data) {
        (false, _) => Err(Unusable("there is no disk".into(), false)),
        (_, 0) => Err(Unusable("the disk has no data partition".into(), false)),
        (_, sectors) => Ok(DataPartition::new(port.clone(), sectors)),
    }
}

/// Opens the store, however it can be.
pub(crate) fn open(
    port: &Rc<RefCell<Port>>,
    config: Config,
    embedder: &dyn Embedder,
) -> Result<Opened, Unusable> {
    let opened = match Memory::open(partition(port)?, config, embedder) {
        Err(MemoryError::Store(StoreError::NotAStore)) => return revive(port, config, embedder),
        other => other.map_err(|error| unusable(&error))?,
    };
    Ok(report(opened, None))
}

/// A partition without superblocks: blank, or damaged.
fn revive(port: &Rc<RefCell<Port>>, config: Config, embedder: &dyn Embedder) -> Result<Opened, Unusable> {
    let mut device = partition(port)?;
    if is_blank(&mut device).map_err(|error| unusable(&error.into()))? {
        let made = Memory::format(device, config, embedder).map_err(|error| unusable(&error))?;
        return Ok(report(made, None));
    }
    for frame in FRAMES {
        let mut config = config;
        config.store.max_frame_sectors = frame;
        if let Ok(store) = Memory::salvage(partition(port)?, config, embedder) {
            let notice = "the store's superblocks were lost; what its log holds was found again";
            return Ok(report(store, Some(notice.into())));
        }
    }
    let why = "the data partition holds something else than a store; /rag format yes makes an empty one, and loses what is there";
    Err(Unusable(why.into(), false))
}

/// Makes an empty store whatever the partition holds: the user said so.
pub(crate) fn format(
    port: &Rc<RefCell<Port>>,
    config: Config,
    embedder: &dyn Embedder,
) -> Result<Opened, Unusable> {
    let made = Memory::format(partition(port)?, config, embedder).map_err(|error| unusable(&error))?;
    Ok(report(made, None))
}

fn is_blank(device: &mut DataPartition) -> Result<bool, StoreError> {
    let sectors = BLANK.min(usize::try_from(device.sectors()).unwrap_or(BLANK));
    let mut bytes = alloc::vec![0; sectors * SECTOR];
    device.read(0, &mut bytes)?;
    Ok(bytes.iter().all(|byte| *byte == 0))
}

fn report(store: Store, notice: Option<String>) -> Opened {
    let recovery = store.recovery();
    let missing: u64 = recovery.damage.iter().map(|hole| hole.last.saturating_sub(hole.first) + 1).sum();
    let lost = format!("the disk has lost {missing} acknowledged writes of the store: do not trust it");
    let notice = if missing > 0 { Some(lost) } else { notice };
    Opened { store, notice, missing }
}

fn unusable(error: &MemoryError) -> Unusable {
    let again = matches!(error, MemoryError::Store(StoreError::Device(_) | StoreError::Poisoned));
    let why = match error {
        MemoryError::Index(IndexError::Full { limit }) => {
            format!(
                "it holds more than the {limit} passages that this image has memory for; start one with a larger --passages"
            )
        }
        MemoryError::Store(StoreError::UnsupportedVersion { .. } | StoreError::WrongGeometry { .. }) => {
            format!("{error}; /rag format yes makes an empty one, and loses what is there")
        }
        error => error.to_string(),
    };
    Unusable(format!("the store cannot be opened: {why}"), again)
}
