//! A device made of a model, for tests of drivers (feature `fake`).

use crate::{Ports, Registers};
use std::cell::RefCell;
use std::rc::Rc;

/// A model behind [`Registers`] or [`Ports`]; clones share it, so that a test can look into it while a driver uses it.
#[derive(Debug, Default)]
pub struct Fake<M>(pub Rc<RefCell<M>>);

impl<M> Clone for Fake<M> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}

impl<M> Fake<M> {
    /// Wraps a model.
    pub fn new(model: M) -> Self {
        Self(Rc::new(RefCell::new(model)))
    }
}

impl<M: Registers> Registers for Fake<M> {
    fn read(&mut self, offset: usize) -> u32 {
        self.0.borrow_mut().read(offset)
    }
    fn write(&mut self, offset: usize, value: u32) {
        self.0.borrow_mut().write(offset, value);
    }
}

impl<M: Ports> Ports for Fake<M> {
    fn read(&mut self, offset: u16, bytes: u16) -> u32 {
        self.0.borrow_mut().read(offset, bytes)
    }
    fn write(&mut self, offset: u16, bytes: u16, value: u32) {
        self.0.borrow_mut().write(offset, bytes, value);
    }
}
