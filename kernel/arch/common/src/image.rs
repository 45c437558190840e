//! What the image builder left for the kernel, and whether the machine has what it asks for.

use core::fmt;
use core::sync::atomic::AtomicUsize;
use kernel_core::MAX_CORES;
use kernel_spec::{Spec, SpecError};

/// Physical address of the compiled system description; the image builder sets it.
#[unsafe(no_mangle)]
#[used]
#[unsafe(link_section = ".data.spec")]
#[allow(non_upper_case_globals)]
static cloister_spec_paddr: AtomicUsize = AtomicUsize::new(0);
/// Its size in bytes.
#[unsafe(no_mangle)]
#[used]
#[unsafe(link_section = ".data.spec")]
#[allow(non_upper_case_globals)]
static cloister_spec_size: AtomicUsize = AtomicUsize::new(0);

/// Why the system cannot run here.
#[derive(Clone, Copy, Debug)]
pub enum Missing {
    /// The kernel was not put into an image.
    Image,
    /// The description is of no use: rebuild the image.
    Description(SpecError),
    /// RAM: bytes that there are, and MiB that a machine would need.
    Ram(u64, u64),
    /// Cores: those that there are, and those that are needed.
    Cores(usize, usize),
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Image => f.write_str("this is a bare kernel; tools/sysgen makes a bootable image of it"),
            Self::Description(error) => {
                write!(f, "the system description is bad: {error:?}; rebuild the image")
            }
            Self::Ram(bytes, needed) => write!(
                f,
                "{} MiB of RAM, the system needs {needed}: give the machine more (-m {needed}M)",
                bytes >> 20
            ),
            Self::Cores(cores, needed) => {
                write!(f, "{cores} cores, the system needs {needed}: give the machine more (-smp {needed})")
            }
        }
    }
}

/// The compiled description. `base` is where the kernel sees physical address 0.
///
/// # Errors
/// [`Missing::Image`] and [`Missing::Description`].
pub fn description(base: u64) -> Result<Spec<'static>, Missing> {
    // A volatile read: the builder changes the value after compilation.
    // SAFETY: both are statics of this image.
    let (address, size) = unsafe {
        (cloister_spec_paddr.as_ptr().read_volatile(), cloister_spec_size.as_ptr().read_volatile())
    };
    if address == 0 || size == 0 {
        return Err(Missing::Image);
    }
    // SAFETY: the image builder placed the description in the image, which is in RAM and not written.
    let bytes = unsafe { core::slice::from_raw_parts((base as usize + address) as *const u8, size) };
    Spec::parse(bytes).map_err(Missing::Description)
}

/// Whether RAM from `start` to `end` and `cores` cores are enough; `around` is what the machine uses of RAM beside it.
///
/// # Errors
/// [`Missing::Ram`] and [`Missing::Cores`].
pub fn needs(spec: &Spec<'_>, (start, end): (u64, u64), around: u64, cores: usize) -> Result<(), Missing> {
    let needed = spec.header.ram_end.get();
    if needed > end {
        let mib = (needed.saturating_sub(start) + around).div_ceil(1 << 20);
        return Err(Missing::Ram(end - start, mib));
    }
    let wanted = spec.header.cores.get() as usize;
    if wanted > cores || wanted > MAX_CORES || wanted == 0 {
        return Err(Missing::Cores(cores, wanted));
    }
    Ok(())
}
