// SPDX-License-Identifier: MIT
//! How well, and how fast, the retriever finds things: SQuAD and BEIR collections, STS pairs, and the vector scan.
//!
//! One design rule: it measures the very code that runs on the device (`retrieval`, `inference-embedding`), nothing beside it.
#![forbid(unsafe_code)]

pub mod beir;
pub mod cache;
pub mod collection;
pub mod embedding;
pub mod measures;
pub mod ranking;
pub mod speed;
pub mod store;
pub mod sts;
