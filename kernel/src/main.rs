//! The kernel of QEMU's `virt` board: names the board, and nothing else.
//!
//! Build: `cargo build -p kernel --profile image --target aarch64-unknown-none-softfloat`. On the host it is an empty
//! program, so that the workspace builds.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(target_os = "none")]
mod image {
    use board_qemu_virt_aarch64 as board;
    use core::fmt::Write;
    use kernel_arch_aarch64::{Console, Platform, halt};

    const PLATFORM: Platform = Platform {
        uart: board::UART.base,
        gic_distributor: board::GIC_DISTRIBUTOR.base,
        gic_interface: board::GICV2_CPU_INTERFACE.base,
        version: env!("CARGO_PKG_VERSION"),
    };

    /// Called by the boot code with the device tree's address.
    ///
    /// # Safety
    /// By the boot code only.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn cloister_start(tree: u64) -> ! {
        // SAFETY: our caller promised to be the boot code.
        unsafe { kernel_arch_aarch64::start(&PLATFORM, tree) }
    }

    #[panic_handler]
    fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
        let _ = writeln!(Console, "cloister: kernel panic: {info}; halted");
        halt()
    }
}

#[cfg(not(target_os = "none"))]
fn main() {
    println!("cloister: the kernel runs on a board; `cargo xtask run` starts it in QEMU");
}
