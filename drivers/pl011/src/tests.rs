use super::*;
use memory_mmio::fake::Fake;
use std::collections::VecDeque;
use std::vec::Vec;

const FIFO: usize = 16;

/// A PL011 whose line is two queues.
#[derive(Default)]
struct Model {
    incoming: VecDeque<u32>,
    fifo: VecDeque<u8>,
    mask: u32,
    raised: u32,
    control: u32,
    line: u32,
}

impl Registers for Model {
    fn read(&mut self, offset: usize) -> u32 {
        match offset {
            DR => self.incoming.pop_front().unwrap_or(0),
            FR => {
                let empty = if self.incoming.is_empty() { RECEIVE_EMPTY } else { 0 };
                let full = if self.fifo.len() == FIFO { TRANSMIT_FULL } else { 0 };
                let drained = if self.fifo.is_empty() { TRANSMIT_EMPTY } else { BUSY };
                empty | full | drained
            }
            MIS => self.raised & self.mask,
            _ => panic!("read of register {offset:#x}"),
        }
    }
    fn write(&mut self, offset: usize, value: u32) {
        match offset {
            DR => self.fifo.push_back(value as u8),
            CR => self.control = value,
            LCR_H => {
                assert_eq!(self.control & ENABLE, 0, "the line is set up while the UART is off");
                self.line = value;
            }
            IFLS => {}
            IMSC => self.mask = value,
            ICR => self.raised &= !value,
            _ => panic!("write to register {offset:#x}"),
        }
    }
}

fn uart() -> (Fake<Model>, Pl011<Fake<Model>>) {
    let model = Fake::new(Model::default());
    (model.clone(), Pl011::new(model))
}

#[test]
fn starts_with_eight_bits_fifos_and_receive_interrupts() {
    let (model, _uart) = uart();
    let model = model.0.borrow();
    assert_eq!(model.line, EIGHT_BITS | FIFOS);
    assert_eq!(model.control, ENABLE | TRANSMIT_ENABLE | RECEIVE_ENABLE);
    assert_eq!(model.mask & (RECEIVE | RECEIVE_TIMEOUT | TRANSMIT), RECEIVE | RECEIVE_TIMEOUT);
}

#[test]
fn characters_and_line_errors_come_in_order() {
    let (model, mut uart) = uart();
    let line = [0x41, 0x42 | OVERRUN, BREAK | FRAMING, 0x43 | FRAMING, 0x44 | PARITY, 0x45];
    model.0.borrow_mut().incoming.extend(line);
    let read: Vec<_> = core::iter::from_fn(|| uart.read()).collect();
    let framing = Err(LineError::Framing);
    let expected =
        [Ok(0x41), Err(LineError::Overrun(0x42)), Err(LineError::Break), framing, framing, Ok(0x45)];
    assert_eq!(read, expected);
}

#[test]
fn a_full_fifo_stops_the_write_and_asks_for_the_interrupt() {
    let (model, mut uart) = uart();
    assert_eq!(uart.write(&[7; 40]), FIFO);
    assert!(!uart.is_drained());
    assert_ne!(model.0.borrow().mask & TRANSMIT, 0);
    model.0.borrow_mut().fifo.clear();
    assert_eq!(uart.write(b"rest"), 4);
    assert_eq!(model.0.borrow().mask & TRANSMIT, 0, "everything fitted: no interrupt");
    model.0.borrow_mut().fifo.clear();
    assert!(uart.is_drained());
}

#[test]
fn only_what_was_raised_is_cleared() {
    let (model, mut uart) = uart();
    model.0.borrow_mut().raised = RECEIVE | TRANSMIT;
    uart.clear_interrupt();
    assert_eq!(model.0.borrow().raised, TRANSMIT, "the masked transmit state is kept");
}
