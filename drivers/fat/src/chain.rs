//! Where a file's bytes lie.

use crate::volume::Next;
use crate::{FatError, Sectors, Stop, Volume};

/// Sectors that lie one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// First sector of the volume.
    pub sector: u64,
    /// Number of sectors; of the last extent, those behind the file's end included.
    pub sectors: u32,
}

/// The walk along a file's chain of clusters. It is over when [`FileMap::next`] gave `None`; until then the chain may
/// still turn out to be damaged.
#[derive(Clone, Copy, Debug)]
pub struct FileMap {
    /// The cluster to look at next; `None` when the chain has ended.
    cluster: Option<u32>,
    walked: u32,
    expected: u32,
    /// Clusters from there on that the next extent has so far.
    run: Option<(u32, u32)>,
}

impl FileMap {
    /// Of the file of `size` bytes that begins at `cluster`. An empty file has no clusters.
    pub fn new(volume: &Volume, cluster: u32, size: u32) -> Self {
        let expected = u64::from(size).div_ceil(volume.cluster_bytes()) as u32;
        let cluster = if expected == 0 { None } else { Some(cluster) };
        Self { cluster, walked: 0, expected, run: None }
    }

    /// The next extent, in file order.
    ///
    /// # Errors
    /// [`Stop`]; damage is found before the walk ends, not before the first extent is given.
    pub fn next<S: Sectors>(&mut self, volume: &Volume, source: &mut S) -> Result<Option<Extent>, Stop> {
        while let Some(cluster) = self.cluster {
            let extends = self.run.is_none_or(|(first, count)| first.checked_add(count) == Some(cluster));
            if !extends {
                break;
            }
            let next = self.follow(volume, source, cluster)?;
            self.run = Some(self.run.map_or((cluster, 1), |(first, count)| (first, count + 1)));
            self.walked += 1;
            self.cluster = next;
        }
        let Some((first, count)) = self.run.take() else { return Ok(None) };
        let sectors = count * volume.cluster_sectors();
        Ok(Some(Extent { sector: volume.sector_of(first)?, sectors }))
    }

    /// The cluster behind `cluster`, after the checks of the chain's length.
    fn follow<S: Sectors>(&self, volume: &Volume, source: &mut S, cluster: u32) -> Result<Option<u32>, Stop> {
        let (walked, expected) = (self.walked + 1, self.expected);
        match volume.next(source, cluster)? {
            Next::Cluster(_) if walked >= expected => Err(FatError::ChainTooLong { expected }.into()),
            Next::Cluster(next) => Ok(Some(next)),
            Next::End if walked < expected => {
                Err(FatError::ChainTooShort { clusters: walked, expected }.into())
            }
            Next::End => Ok(None),
        }
    }
}
