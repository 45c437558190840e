use super::*;
use drivers_arm_timer::Fake as FakeComparator;
use drivers_pl031::Pl031;
use ipc_pd::hosted::{HostKernel, enter};
use memory_mmio::Registers;
use memory_mmio::fake::Fake;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

#[derive(Default)]
struct Kernel {
    now: Cell<u64>,
    notified: RefCell<Vec<u64>>,
    acknowledged: Cell<u32>,
}

impl HostKernel for Kernel {
    fn name(&self) -> &'static str {
        "timer"
    }
    fn has_notify_channel(&self, _: Channel) -> bool {
        true
    }
    fn send(&self, slot: u64, _: MessageInfo) {
        self.notified.borrow_mut().push(slot - 10);
    }
    fn call(&self, slot: u64, _: MessageInfo) -> MessageInfo {
        assert_eq!(slot, 138 + u64::from(IRQ.id()));
        self.acknowledged.set(self.acknowledged.get() + 1);
        MessageInfo::default()
    }
    fn ticks(&self) -> u64 {
        self.now.get()
    }
    fn health_page(&self) -> Option<memory_region::Writable<'static>> {
        None
    }
}

struct Clock;
impl Registers for Clock {
    fn read(&mut self, _: usize) -> u32 {
        1_800_000_000
    }
    fn write(&mut self, _: usize, _: u32) {}
}

type Subject = Timer<FakeComparator, Pl031<Fake<Clock>>>;

fn call(timer: &mut Subject, channel: u8, label: u64, word: u64) -> MessageInfo {
    set_mr(0, word);
    timer.protected(Channel::new(channel), MessageInfo::new(label, 1)).unwrap()
}

fn interrupt(timer: &mut Subject) {
    timer.notified(ChannelSet::from_bits(1 << IRQ.id())).unwrap();
}

fn system() -> (Rc<Kernel>, Subject) {
    (Rc::new(Kernel::default()), Timer::new(FakeComparator::default(), Some(Pl031::new(Fake::new(Clock)))))
}

#[test]
fn signals_each_client_at_its_time_and_once() {
    let (kernel, mut timer) = system();
    enter(kernel.clone(), || {
        call(&mut timer, 20, SET_TIMEOUT, 500);
        call(&mut timer, 21, SET_TIMEOUT, 100);
        assert_eq!(timer.comparator().armed, Some(100));
        kernel.now.set(100);
        interrupt(&mut timer);
        assert_eq!(*kernel.notified.borrow(), [21]);
        assert_eq!(timer.comparator().armed, Some(500), "the interrupt is down before it is acknowledged");
        kernel.now.set(700);
        interrupt(&mut timer);
        interrupt(&mut timer);
        assert_eq!(*kernel.notified.borrow(), [21, 20]);
        assert_eq!((timer.comparator().armed, kernel.acknowledged.get()), (None, 3));
    });
}

#[test]
fn a_second_timeout_replaces_the_first_and_cancel_forgets_it() {
    let (kernel, mut timer) = system();
    enter(kernel.clone(), || {
        call(&mut timer, 20, SET_TIMEOUT, 100);
        call(&mut timer, 20, SET_TIMEOUT, 900);
        assert_eq!(timer.comparator().armed, Some(900));
        call(&mut timer, 20, CANCEL_TIMEOUT, 0);
        kernel.now.set(10_000);
        interrupt(&mut timer);
        assert!(kernel.notified.borrow().is_empty());
    });
}

#[test]
fn a_signal_asks_for_a_tick() {
    let (kernel, mut timer) = system();
    enter(kernel.clone(), || {
        timer.notified(ChannelSet::from_bits(1 << 21)).unwrap();
        assert_eq!((timer.comparator().armed, kernel.acknowledged.get()), (Some(TICK_MICROS), 0));
        kernel.now.set(TICK_MICROS);
        interrupt(&mut timer);
        assert_eq!(*kernel.notified.borrow(), [21]);
    });
}

#[test]
fn hostile_arguments_are_cut_or_answered() {
    let (kernel, mut timer) = system();
    enter(kernel.clone(), || {
        kernel.now.set(u64::MAX - 5);
        assert_eq!(call(&mut timer, 20, SET_TIMEOUT, u64::MAX).label(), 0);
        assert_eq!(timer.comparator().armed, Some(u64::MAX));
        kernel.now.set(7);
        call(&mut timer, 20, SET_TIMEOUT, u64::MAX);
        assert_eq!(timer.comparator().armed, Some(7 + LONGEST));
        assert_eq!(call(&mut timer, 20, 99, 0).label(), UNKNOWN);
    });
}

#[test]
fn the_wall_clock_is_told_and_zero_where_there_is_none() {
    let (kernel, mut timer) = system();
    enter(kernel, || {
        assert_eq!(call(&mut timer, 22, WALL_CLOCK, 0).count(), 1);
        assert_eq!(get_mr(0), 1_800_000_000);
        let mut without = Timer::<_, Pl031<Fake<Clock>>>::new(FakeComparator::default(), None);
        call(&mut without, 22, WALL_CLOCK, 5);
        assert_eq!(get_mr(0), 0);
    });
}
