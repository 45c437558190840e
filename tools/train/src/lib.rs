// SPDX-License-Identifier: MIT
//! What `cloister-train` is made of: vocabularies, data files, runs with checkpoints, model files.
//!
//! The arithmetic is in the crate `training`; here are files, threads and reports.
#![forbid(unsafe_code)]

pub mod adapter;
pub mod checkpoint;
pub mod config;
pub mod data;
pub mod evaluate;
pub mod export;
pub mod files;
pub mod finetune;
pub mod merge;
pub mod merges;
pub mod options;
pub mod plot;
pub mod pool;
pub mod pretrain;
pub mod progress;
pub mod render;
pub mod run;
pub mod source;
pub mod tokenizer;
