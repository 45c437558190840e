// SPDX-License-Identifier: MIT
//! Overwriting what is no longer there: a cleared buffer keeps its bytes until something else is put into it.

use heapless::{Deque, Vec};

/// Overwrites the unused bytes of a buffer.
pub fn bytes<const N: usize>(buffer: &mut Vec<u8, N>) {
    let used = buffer.len();
    buffer.resize(N, 0).ok();
    buffer.truncate(used);
}

/// Overwrites the unused bytes of a queue.
pub fn queue<const N: usize>(queue: &mut Deque<u8, N>) {
    let free = N - queue.len();
    for _ in 0..free {
        queue.push_back(0).ok();
    }
    for _ in 0..free {
        queue.pop_back();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_use_stays() {
        let mut buffer: Vec<u8, 8> = Vec::from_slice(b"secrets").unwrap();
        buffer.truncate(2);
        bytes(&mut buffer);
        assert_eq!(buffer.as_slice(), b"se");
        buffer.resize(8, 1).unwrap();
        let mut waiting: Deque<u8, 4> = Deque::new();
        b"abcd".iter().for_each(|byte| waiting.push_back(*byte).unwrap());
        waiting.pop_front();
        queue(&mut waiting);
        assert_eq!(waiting.iter().copied().collect::<Vec<u8, 4>>().as_slice(), b"bcd");
    }
}
