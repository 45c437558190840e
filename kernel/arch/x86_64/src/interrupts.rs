//! Which interrupt of the description a vector is: lines of I/O APICs, and messages that devices write themselves.
//!
//! One design rule: vectors are those of the official kernel (seL4 `pc99`), because a program that lets a device write
//! messages has to know the number: the description's `vector` and [`FIRST`].

use crate::{apic, io_apic};
use core::fmt;
use core::sync::atomic::{AtomicU32, Ordering};
use kernel_spec::{IrqEnd, Spec};

/// The vector of the description's vector 0.
pub(crate) const FIRST: u64 = 0x30;

/// The interrupt of each vector, plus one; 0 where there is none.
static INTERRUPTS: [AtomicU32; 256] = [const { AtomicU32::new(0) }; 256];

/// An interrupt that this machine has not.
pub(crate) struct Missing<'a> {
    irq: u32,
    pd: &'a str,
}

impl fmt::Display for Missing<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { irq, pd } = self;
        write!(f, "{pd} wants interrupt {irq}, which no I/O APIC of this machine has")
    }
}

/// Sends each interrupt of the description to the core of its PD.
pub(crate) fn route<'a>(spec: &Spec<'a>) -> Result<(), Missing<'a>> {
    for end in spec.irqs {
        let pd = usize::from(end.pd.get());
        let core = spec.pds.get(pd).map_or(0, |pd| usize::from(pd.core));
        let (irq, vector) = (end.irq.get(), FIRST + u64::from(end.vector.get()));
        let (edge, low) = (end.edge != 0, end.active_low != 0);
        // A message needs no line: it names the vector and the core itself.
        let wired = || io_apic::configure(irq, vector as u32, edge, low, apic::id_of(core));
        if vector >= apic::TIMER || irq < IrqEnd::FIRST_MESSAGE && !wired() {
            return Err(Missing { irq, pd: spec.name(pd) });
        }
        INTERRUPTS[vector as usize & 255].store(irq + 1, Ordering::Relaxed);
    }
    Ok(())
}

/// The description's interrupt that came as `vector`.
pub(crate) fn of_vector(vector: u64) -> Option<u32> {
    INTERRUPTS.get(vector as usize)?.load(Ordering::Relaxed).checked_sub(1)
}
