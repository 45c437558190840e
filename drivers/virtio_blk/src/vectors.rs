//! The interrupt of a PCI device as a message that it writes (MSI-X: PCI 3.0, 6.8.2; virtio 1.2, 4.1.5.1.2), so that
//! nobody has to know which line the slot is wired to.

use core::ptr::NonNull;

/// What a device writes to interrupt, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Physical address.
    pub address: u64,
    /// Value.
    pub data: u32,
}

/// Bytes of the registers that all virtio devices have (virtio 1.2, 4.1.4.3), as far as they are used here.
pub(crate) const COMMON: usize = 28;
const QUEUE_SELECT: usize = 22;
const QUEUE_VECTOR: usize = 26;
/// The device has no memory for the choice.
const NONE: u16 = 0xffff;

/// Bytes of one entry of a device's table of messages.
pub(crate) const ENTRY: usize = 16;

/// The registers that choose the message of a queue.
#[derive(Debug)]
pub struct Vectors {
    common: NonNull<u8>,
}

impl Vectors {
    /// Writes `message` as the first of the table at `entry`, unmasked; `common` are the device's registers.
    ///
    /// # Safety
    /// Both are mapped as device memory for as long as the program runs, for [`ENTRY`] and [`COMMON`] bytes, aligned to
    /// 4, and accessed from one thread only.
    pub(crate) unsafe fn new(common: NonNull<u8>, entry: NonNull<u8>, message: Message) -> Self {
        let words = [message.address as u32, (message.address >> 32) as u32, message.data, 0];
        for (index, word) in words.into_iter().enumerate() {
            // SAFETY: our caller promised a mapped and aligned entry of four words.
            unsafe { entry.cast::<u32>().add(index).write_volatile(word) };
        }
        Self { common }
    }

    /// Lets the completions of `queue` send the message; to be said again after a reset. Whether the device can.
    pub(crate) fn attach(&mut self, queue: u16) -> bool {
        self.write(QUEUE_SELECT, queue);
        self.write(QUEUE_VECTOR, 0);
        self.read(QUEUE_VECTOR) != NONE
    }

    fn write(&mut self, offset: usize, value: u16) {
        // SAFETY: the offset is even and below `COMMON`; `new`'s caller promised the mapping, and that no other thread
        // is between two accesses.
        unsafe { self.common.byte_add(offset).cast::<u16>().write_volatile(value) };
    }

    fn read(&self, offset: usize) -> u16 {
        // SAFETY: as above.
        unsafe { self.common.byte_add(offset).cast::<u16>().read_volatile() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Message, Vectors};
    use core::ptr::NonNull;

    #[test]
    fn the_message_and_the_choice_stand_where_the_device_looks() {
        let (mut common, mut table) = ([0u32; 7], [u32::MAX; 4]);
        let at = |words: &mut [u32]| NonNull::new(words.as_mut_ptr().cast()).unwrap();
        let message = Message { address: 0x1_fee0_1000, data: 0x4f };
        // SAFETY: plain memory will do as a device, and both live longer than the view.
        let mut vectors = unsafe { Vectors::new(at(&mut common), at(&mut table), message) };
        assert!(vectors.attach(3));
        assert_eq!(table, [0xfee0_1000, 1, 0x4f, 0]);
        assert_eq!(common, [0, 0, 0, 0, 0, 3 << 16, 0]);
    }
}
