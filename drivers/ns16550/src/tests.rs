use super::*;
use memory_mmio::fake::Fake;
use std::collections::VecDeque;
use std::vec::Vec;

/// A 16550 whose line is two queues.
#[derive(Default)]
struct Model {
    incoming: VecDeque<(u8, u32)>,
    fifo: Vec<u8>,
    mask: u32,
    line: u32,
    divisor: u32,
}

impl Ports for Model {
    fn read(&mut self, offset: u16, bytes: u16) -> u32 {
        assert_eq!(bytes, 1);
        let next = self.incoming.front().map_or(0, |(_, errors)| AVAILABLE | errors);
        match offset {
            DATA => self.incoming.pop_front().map_or(0, |(byte, _)| byte.into()),
            STATUS => next | if self.fifo.is_empty() { EMPTY } else { 0 },
            IDENTIFY => 1,
            _ => panic!("read of register {offset}"),
        }
    }
    fn write(&mut self, offset: u16, bytes: u16, value: u32) {
        assert_eq!(bytes, 1);
        match offset {
            DATA if self.line & DIVISOR_LATCH != 0 => self.divisor = value,
            INTERRUPTS if self.line & DIVISOR_LATCH != 0 => self.divisor |= value << 8,
            DATA => {
                assert!(self.fifo.len() < DEPTH, "the FIFO overflows");
                self.fifo.push(value as u8);
            }
            INTERRUPTS => self.mask = value,
            LINE => self.line = value,
            FIFO | MODEM => {}
            _ => panic!("write to register {offset}"),
        }
    }
}

fn uart() -> (Fake<Model>, Ns16550<Fake<Model>>) {
    let model = Fake::new(Model::default());
    (model.clone(), Ns16550::new(model))
}

#[test]
fn is_set_up_for_115200_baud_and_receive_interrupts() {
    let (model, _) = uart();
    let model = model.0.borrow();
    assert_eq!((model.divisor, model.line, model.mask), (1, EIGHT_BITS, RECEIVE | ERRORS));
}

#[test]
fn writes_a_fifo_at_once_and_asks_to_be_told_of_room() {
    let (model, mut uart) = uart();
    assert_eq!(uart.write(&[b'x'; 40]), DEPTH);
    assert_eq!(model.0.borrow().mask & TRANSMIT, TRANSMIT);
    assert_eq!(uart.write(b"y"), 0);
    model.0.borrow_mut().fifo.clear();
    assert_eq!(uart.write(b"yz"), 2);
    assert_eq!(model.0.borrow().mask & TRANSMIT, 0);
}

#[test]
fn reads_characters_and_names_what_is_wrong_with_them() {
    let (model, mut uart) = uart();
    let line = [(b'a', 0), (0, BREAK | FRAMING), (7, PARITY), (b'b', OVERRUN)];
    model.0.borrow_mut().incoming.extend(line);
    let read: Vec<_> = core::iter::from_fn(|| uart.read()).collect();
    assert_eq!(
        read,
        [Ok(b'a'), Err(LineError::Break), Err(LineError::Framing), Err(LineError::Overrun(b'b'))]
    );
}
