// SPDX-License-Identifier: MIT
//! Commands of one part of the system each.

pub mod learn;
pub mod rag;
