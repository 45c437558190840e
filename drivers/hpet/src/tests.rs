use super::*;
use memory_mmio::fake::Fake;
use std::cell::Cell;
use std::rc::Rc;

/// A timer of 10 ns beside a clock of 2.5 GHz: each access takes 100 clock ticks.
struct Model {
    now: Rc<Cell<u64>>,
    period: u32,
    configuration: u32,
    comparator: u32,
    on: u32,
    status: u32,
}

impl Model {
    fn counter(&self) -> u32 {
        (self.now.get() / 25) as u32
    }
    fn pass(&mut self, clock: u64) {
        let before = self.counter();
        self.now.set(self.now.get() + clock);
        let passed = self.comparator.wrapping_sub(before) <= self.counter().wrapping_sub(before);
        if self.on == ON && passed {
            self.status |= 1;
        }
    }
}

impl Registers for Model {
    fn read(&mut self, offset: usize) -> u32 {
        self.pass(100);
        match offset {
            PERIOD => self.period,
            STATUS => self.status,
            COUNTER => self.counter(),
            _ => panic!("read of register {offset:#x}"),
        }
    }
    fn write(&mut self, offset: usize, value: u32) {
        self.pass(100);
        match offset {
            CONFIGURATION => self.configuration = value,
            STATUS => self.status &= !value,
            COMPARATOR_CONFIGURATION => self.on = value,
            COMPARATOR => self.comparator = value,
            _ => panic!("write to register {offset:#x}"),
        }
    }
}

fn machine(period: u32) -> (Fake<Model>, Rc<Cell<u64>>) {
    let now = Rc::new(Cell::new(u64::from(u32::MAX) * 24));
    let model = Model { now: now.clone(), period, configuration: 0, comparator: !0, on: 0, status: 0 };
    (Fake::new(model), now)
}

fn timer(model: &Fake<Model>, now: &Rc<Cell<u64>>) -> Option<Hpet<Fake<Model>, impl FnMut() -> u64>> {
    let clock = now.clone();
    Hpet::new(model.clone(), move || {
        clock.set(clock.get() + 20);
        clock.get()
    })
}

#[test]
fn measures_the_clock_within_a_thousandth() {
    let (model, now) = machine(10_000_000);
    let rate = timer(&model, &now).unwrap().clock_rate();
    assert!(rate.abs_diff(2_500_000_000) < 2_500_000, "{rate}");
    assert_eq!((model.0.borrow().configuration, model.0.borrow().on), (RUN, 0));
}

#[test]
fn interrupts_at_the_deadline_and_not_before() {
    let (model, now) = machine(10_000_000);
    let mut timer = timer(&model, &now).unwrap();
    let due = now.get() + 2_500_000;
    timer.arm(due);
    while model.0.borrow().status == 0 {
        model.0.borrow_mut().pass(25);
    }
    assert!(now.get() >= due && now.get() < due + 10_000, "{} {due}", now.get());
    timer.arm(now.get() + 5_000_000);
    assert_eq!(model.0.borrow().status, 0, "the interrupt is down");
    timer.disarm();
    model.0.borrow_mut().pass(10_000_000);
    assert_eq!(model.0.borrow().status, 0);
}

#[test]
fn deadlines_in_the_past_and_very_close_ones_fire() {
    for distance in [0, 1, 100, 300, 1_000] {
        let (model, now) = machine(10_000_000);
        let mut timer = timer(&model, &now).unwrap();
        timer.arm(now.get() + distance);
        model.0.borrow_mut().pass(100_000);
        assert_eq!(model.0.borrow().status, 1, "{distance}");
    }
}

#[test]
fn what_is_no_such_timer_is_refused() {
    for period in [0, u32::MAX] {
        let (model, now) = machine(period);
        assert!(timer(&model, &now).is_none());
    }
}
