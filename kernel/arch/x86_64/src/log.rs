//! What the boot option `verbose` says on the way to the first program.

use crate::{Console, features, fpu};
use core::fmt::{Arguments, Write};
use kernel_core::pc::{Apics, BootInfo, Loader};
use kernel_spec::Spec;

/// Lines for a person, where they are wanted.
#[derive(Clone, Copy)]
pub(crate) struct Log(pub(crate) bool);

impl Log {
    pub(crate) fn line(self, text: Arguments<'_>) {
        if self.0 {
            let _ = writeln!(Console, "cloister: {text}");
        }
    }

    /// What the boot loader said.
    pub(crate) fn boot(self, boot: &BootInfo) {
        let loader = match boot.loader {
            Loader::Pvh => "PVH",
            Loader::Multiboot2 => "Multiboot2",
        };
        self.line(format_args!("started by {loader}"));
        self.line(format_args!("RAM around the image: {:#x} to {:#x}", boot.ram.0, boot.ram.1));
        match boot.rsdp {
            Some(rsdp) => self.line(format_args!("ACPI root pointer: {rsdp:#x}, from the boot loader")),
            None => self.line(format_args!("ACPI root pointer: searched in the BIOS area")),
        }
    }

    /// The processor and what is used of it.
    pub(crate) fn processor(self) {
        for (feature, name) in features::NAMES {
            self.line(format_args!(
                "processor: {name}: {}",
                if features::has(feature) { "used" } else { "not there" }
            ));
        }
        self.line(format_args!("processor: registers that are switched: {}", fpu::switched()));
    }

    /// What ACPI says.
    pub(crate) fn apics(self, apics: &Apics) {
        self.line(format_args!("local APIC at {:#x}, cores: {}", apics.local, apics.core_count));
        for id in apics.cores.iter().take(apics.core_count) {
            self.line(format_args!("core with APIC id {id}"));
        }
        for io in apics.io.iter().take(apics.io_count) {
            self.line(format_args!("I/O APIC at {:#x}, from interrupt {}", io.address, io.first));
        }
    }

    /// What the image asks for.
    pub(crate) fn system(self, spec: &Spec<'_>) {
        self.line(format_args!("the system uses RAM up to {:#x}", spec.header.ram_end.get()));
        let cleared: u64 = spec.zero.iter().map(|range| range.size.get()).sum();
        self.line(format_args!("cleared {} KiB in {} ranges", cleared >> 10, spec.zero.len()));
        for (index, pd) in spec.pds.iter().enumerate() {
            let (name, core, priority) = (spec.name(index), pd.core, pd.priority);
            self.line(format_args!("protection domain {name}: core {core}, priority {priority}"));
        }
        for end in spec.irqs {
            let (irq, vector, name) = (end.irq.get(), end.vector.get(), spec.name(end.pd.get().into()));
            self.line(format_args!("interrupt {irq} (vector {vector}) reaches {name}"));
        }
    }
}
