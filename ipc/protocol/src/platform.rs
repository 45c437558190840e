//! The platform page: facts about the image that the image builder writes and PDs only read.
//!
//! A region of 16 KiB: 4 bytes of length, then a [`Platform`] in postcard's encoding.

use crate::{Name, page};
use serde::{Deserialize, Serialize};

/// Size of the region.
pub const REGION: usize = 16 * 1024;

/// Facts about the image and the machine it was made for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Platform {
    /// "0.1.0 (3f2a91c)".
    pub version: Name,
    /// "qemu_virt_aarch64".
    pub board: Name,
    /// "cloister", "sel4" or "host".
    pub kernel: Name,
    /// `inference_kernels::CpuFeatures` bits that compute may use.
    pub cpu_features: u64,
    /// Cores in use.
    pub cores: u32,
    /// Bytes of RAM that the image was made for.
    pub ram: u64,
    /// Bytes of the kernel's own memory.
    pub kernel_bytes: u64,
    /// PDs with their memory.
    pub pds: heapless::Vec<PdFacts, 32>,
    /// Regions worth showing.
    pub regions: heapless::Vec<RegionFacts, 64>,
}

/// One PD, as the system description has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PdFacts {
    /// Name.
    pub name: Name,
    /// Child id in the supervisor, 255 for the supervisor itself.
    pub child: u8,
    /// Core.
    pub core: u8,
    /// Priority.
    pub priority: u8,
    /// Bytes of code, data, stack and regions that no other PD maps writable.
    pub memory: u64,
}

/// One region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionFacts {
    /// Name.
    pub name: Name,
    /// Bytes.
    pub size: u64,
}

impl Platform {
    /// Reads the contents of the region; `None` when it holds nothing that decodes.
    pub fn decode(region: &[u8]) -> Option<Self> {
        page::decode(region)
    }

    /// Writes the contents of the region; `None` when they do not fit.
    pub fn encode(&self, region: &mut [u8]) -> Option<usize> {
        page::encode(self, region)
    }
}
