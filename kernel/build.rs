//! Hands the board's linker script to the linker.
fn main() {
    let directory = std::env::var("CARGO_MANIFEST_DIR").expect("set by cargo");
    let script = format!("{directory}/../board/qemu_virt_aarch64/kernel.ld");
    println!("cargo:rerun-if-changed={script}");
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("none") {
        println!("cargo:rustc-link-arg-bins=-T{script}");
        println!("cargo:rustc-link-arg-bins=-zmax-page-size=4096");
    }
}
