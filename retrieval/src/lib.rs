//! Retrieval: passages, vectors, episodes and facts that survive a power cut.
#![no_std]
#![forbid(unsafe_code)]
