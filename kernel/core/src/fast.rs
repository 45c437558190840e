//! The short paths of the two operations that every protected call makes: call a waiting server, reply and wait again.
//!
//! One design rule: a short path checks everything before it changes anything, and otherwise leaves the work to the
//! general path. It moves the same objects to the same state that the general path would (the tests compare them).
