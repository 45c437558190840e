//! The kernel of a board: names the board, and nothing else.
//!
//! Build: `cargo build -p kernel --profile image --target aarch64-unknown-none-softfloat` for QEMU's `virt` board, with
//! `--target x86_64-unknown-none` for PCs. On the host it is an empty program, so that the workspace builds.
#![cfg_attr(target_os = "none", no_std, no_main)]

#[cfg(all(target_os = "none", target_arch = "aarch64"))]
mod image {
    use board_qemu_virt_aarch64 as board;
    use kernel_arch_aarch64 as arch;
    pub use kernel_arch_aarch64::{Console, halt};

    const PLATFORM: arch::Platform = arch::Platform {
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
        unsafe { arch::start(&PLATFORM, tree) }
    }
}

#[cfg(all(target_os = "none", target_arch = "x86_64"))]
mod image {
    use kernel_arch_x86_64 as arch;
    pub use kernel_arch_x86_64::{Console, halt};

    const PLATFORM: arch::Platform =
        arch::Platform { image: board_x86_64_generic::IMAGE, version: env!("CARGO_PKG_VERSION") };

    /// Called by the boot code with what the boot loader left in EAX and EBX.
    ///
    /// # Safety
    /// By the boot code only.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn cloister_start(magic: u32, info: u32) -> ! {
        // SAFETY: our caller promised to be the boot code.
        unsafe { arch::start(&PLATFORM, magic, info) }
    }
}

#[cfg(target_os = "none")]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    use core::fmt::Write;
    let _ = writeln!(image::Console, "cloister: kernel panic: {info}; halted");
    image::halt()
}

#[cfg(not(target_os = "none"))]
fn main() {
    println!("cloister: the kernel runs on a board; `cargo xtask run` starts it in QEMU");
}
