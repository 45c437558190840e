//! The line that the person at the console gets of a fault that nobody handles.

use core::fmt::{Result, Write};
use kernel_core::Fault;

/// Prints the fault of the thread `name` at `pc`; `writes` tells a write from the machine's fault status.
///
/// # Errors
/// Those of `out`.
pub fn report(out: &mut impl Write, name: &str, pc: u64, fault: &Fault, writes: fn(u64) -> bool) -> Result {
    match *fault {
        Fault::Vm { address, instruction, status } => {
            let kind = match (instruction, writes(status)) {
                (true, _) => "executing",
                (false, true) => "writing",
                (false, false) => "reading",
            };
            writeln!(
                out,
                "cloister: {name}: memory fault {kind} {address:#x}, pc {pc:#x}, status {status:#x}; stopped"
            )
        }
        Fault::UserException { number, code } => {
            write!(out, "cloister: {name}: exception, pc {pc:#x}, status {number:#x}")?;
            if code != 0 {
                write!(out, ", code {code:#x}")?;
            }
            writeln!(out, "; stopped")
        }
        Fault::Vcpu { status } => {
            writeln!(out, "cloister: {name}: exception, pc {pc:#x}, status {status:#x}; stopped")
        }
        Fault::UnknownSyscall(number) => {
            writeln!(out, "cloister: {name}: unknown system call {}, pc {pc:#x}; stopped", number as i64)
        }
        Fault::Capability { address, .. } => {
            writeln!(out, "cloister: {name}: no capability at {address:#x}, pc {pc:#x}; stopped")
        }
        Fault::None => Ok(()),
    }
}
