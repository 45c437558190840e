//! Text on a UART.

/// Writes `text` by `put`, with the line ends of a terminal.
///
/// # Errors
/// None; it is what `core::fmt::Write` wants.
pub fn write_text(text: &str, put: fn(u8)) -> core::fmt::Result {
    for byte in text.bytes() {
        if byte == b'\n' {
            put(b'\r');
        }
        put(byte);
    }
    Ok(())
}
