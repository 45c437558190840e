// SPDX-License-Identifier: MIT
//! Any text is a grammar or an error; what a grammar allows it also accepts.
#![no_main]

use inference_sampler::{Grammar, Matcher};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (String, Vec<Vec<u8>>)| {
    let (text, pieces) = input;
    let Ok(grammar) = Grammar::parse(&text) else { return };
    let Ok(mut matcher) = Matcher::new(&grammar) else { return };
    for piece in pieces.iter().filter(|piece| piece.len() < 64) {
        let allowed = matcher.allows(piece);
        // Pieces of up to 32 bytes are followed at once in both.
        if matcher.accept(piece).is_err() {
            assert!(!allowed || piece.len() > 32);
            return;
        }
        assert!(allowed || piece.len() > 32);
    }
});
