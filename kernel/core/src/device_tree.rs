//! The few facts the kernel takes from a flattened device tree: memory, cores and how to call the firmware.
//!
//! One design rule: the tree is untrusted input; every read is checked, and what is missing is `None`.
//! Format: Devicetree Specification 0.4, chapter 5.
