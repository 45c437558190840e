//! Hands the board's linker script to the linker.
fn main() {
    let variable = |name| std::env::var(name).unwrap_or_default();
    let board = match variable("CARGO_CFG_TARGET_ARCH").as_str() {
        "x86_64" => "x86_64_generic",
        _ => "qemu_virt_aarch64",
    };
    let script = format!("{}/../board/{board}/kernel.ld", variable("CARGO_MANIFEST_DIR"));
    println!("cargo:rerun-if-changed={script}");
    if variable("CARGO_CFG_TARGET_OS") == "none" {
        println!("cargo:rustc-link-arg-bins=-T{script}");
        println!("cargo:rustc-link-arg-bins=-zmax-page-size=4096");
    }
}
