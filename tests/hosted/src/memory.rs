//! Regions as the MMU gives them: one memfd per region, one mapping per PD with the declared permissions.
//!
//! One design rule: a PD gets its views only from its own mapping, so that a write which the system description
//! forbids faults here as it does on the board.
//!
//! This is the only module with `unsafe`. Mappings live until the [`Mapping`] is dropped; the hosted system drops
//! it after the threads of all PDs have ended.

use core::sync::atomic::AtomicU32;
use memory_region::{Readable, Writable};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr::NonNull;

/// The memory of one region.
#[derive(Debug)]
pub struct Memory {
    file: OwnedFd,
    size: usize,
}

impl Memory {
    /// Zeroed memory of `size` bytes, a whole number of pages.
    ///
    /// # Errors
    /// As the operating system reports it.
    pub fn new(size: usize) -> io::Result<Self> {
        // SAFETY: the name is a C string; the call returns a new descriptor or -1.
        let fd = unsafe { libc::memfd_create(c"region".as_ptr(), libc::MFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor was just created and nobody else owns it.
        let file = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: the descriptor is open.
        match unsafe { libc::ftruncate(file.as_raw_fd(), size as libc::off_t) } {
            0 => Ok(Self { file, size }),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Maps it.
    ///
    /// # Errors
    /// As the operating system reports it.
    pub fn map(&self, writable: bool) -> io::Result<Mapping> {
        let protection = if writable { libc::PROT_READ | libc::PROT_WRITE } else { libc::PROT_READ };
        let (fd, nowhere) = (self.file.as_raw_fd(), std::ptr::null_mut());
        // SAFETY: a new mapping at an address of the kernel's choice overlaps nothing.
        let base = unsafe { libc::mmap(nowhere, self.size, protection, libc::MAP_SHARED, fd, 0) };
        match NonNull::new(base.cast::<u8>()) {
            Some(base) if base.as_ptr().cast() != libc::MAP_FAILED => {
                Ok(Mapping { base, size: self.size, writable })
            }
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// A region as one PD sees it.
#[derive(Debug)]
pub struct Mapping {
    base: NonNull<u8>,
    size: usize,
    writable: bool,
}

// SAFETY: a mapping is an address range; whoever makes a view of it answers for how it is accessed.
unsafe impl Send for Mapping {}
// SAFETY: as above.
unsafe impl Sync for Mapping {}

impl Mapping {
    /// Bytes.
    pub fn size(&self) -> usize {
        self.size
    }
    /// Whether the PD may write it.
    pub fn is_writable(&self) -> bool {
        self.writable
    }
    /// As the writer of a shared region sees it; `None` where the description maps it read-only.
    pub fn as_writable(&self) -> Option<Writable<'static>> {
        // SAFETY: page-aligned, mapped writable, and alive as long as any PD's thread (see the module's rule);
        // regions that are shared this way are only accessed through atomic views.
        self.writable.then(|| unsafe { Writable::new(self.base.as_ptr(), self.size) })
    }
    /// As a reader of a shared region sees it.
    pub fn as_readable(&self) -> Readable<'static> {
        // SAFETY: as above; this view never stores.
        unsafe { Readable::new(self.base.as_ptr(), self.size) }
    }
    /// A region that no other PD writes, and that others read only while this one is stopped.
    ///
    /// The caller is `Wiring::exclusive`, which checks the first, and hands it out once per start of the PD.
    pub(crate) fn as_exclusive(&self) -> Option<&'static mut [u8]> {
        // SAFETY: mapped writable in this PD alone (checked by the caller); readers have mappings at other addresses; the thread that held the slice before
        // has ended before a new start of the PD asks again.
        self.writable.then(|| unsafe { std::slice::from_raw_parts_mut(self.base.as_ptr(), self.size) })
    }
    /// A region whose writer is stopped while this PD reads it.
    pub fn as_sealed(&self) -> &'static [u8] {
        // SAFETY: readable memory; the life cycle that the supervisor enforces, and that these tests check, keeps
        // its writer from running while the reader was told to read.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr(), self.size) }
    }
    /// 32-bit words with one writer, as compute's outboxes.
    pub fn as_words(&self) -> &'static [AtomicU32] {
        // SAFETY: page-aligned and alive as above; all sides use atomics, readers only load.
        unsafe { std::slice::from_raw_parts(self.base.as_ptr().cast(), self.size / 4) }
    }
    /// Whether a store to its first byte faults. The store happens in a forked child.
    ///
    /// # Panics
    /// When no child can be forked.
    pub fn store_faults(&self) -> bool {
        // SAFETY: the child only stores one byte and exits, both of which are allowed after a fork.
        match unsafe { libc::fork() } {
            0 => {
                // SAFETY: either the store faults, which ends the child and is what we want to know, or the mapping is
                // writable and the byte keeps its value.
                unsafe {
                    let first = self.base.as_ptr();
                    first.write_volatile(first.read_volatile());
                    libc::_exit(0)
                }
            }
            child if child > 0 => {
                let mut status = 0;
                // SAFETY: `status` is ours, `child` is our child.
                unsafe { libc::waitpid(child, &raw mut status, 0) };
                libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGSEGV
            }
            _ => panic!("fork: {}", io::Error::last_os_error()),
        }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the range is ours, and no thread of a PD is left (see the module's rule).
        unsafe { libc::munmap(self.base.as_ptr().cast(), self.size) };
    }
}
