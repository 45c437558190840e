//! Makes the objects and capabilities that a compiled system description asks for.

use crate::object::{Line, MAX_LINES, MAX_PORTS, SchedulingContext, State};
use crate::port::PortRange;
use crate::refill::Refills;
use crate::{Arch, Capability, Id, Kernel, MAX_CORES};
use ipc_abi::slot;
use kernel_spec::{Pd, Spec};

/// Smallest budget worth a switch (seL4: twice its worst-case kernel entry of 10 microseconds).
const MINIMUM_US: u64 = 20;

/// Why a description cannot run. Each is a mistake of the image builder: rebuild the image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigureError {
    /// More protection domains than 63.
    TooManyPds,
    /// More interrupt lines than 128, or a number of 1024 and above.
    BadIrq(u32),
    /// More ranges of I/O ports than 64.
    TooManyPorts,
    /// An id of 64 or above.
    BadId(u8),
    /// More cores than the kernel supports.
    TooManyCores(u32),
}

impl<A: Arch> Kernel<A> {
    /// Creates every object. `ticks_per_us` is the clock's rate. Threads start with their cores' first
    /// [`Kernel::schedule`].
    ///
    /// # Errors
    /// See [`ConfigureError`].
    pub fn configure(&mut self, spec: &Spec<'_>, ticks_per_us: u64) -> Result<(), ConfigureError> {
        if spec.header.cores.get() as usize > MAX_CORES {
            return Err(ConfigureError::TooManyCores(spec.header.cores.get()));
        }
        for (index, pd) in spec.pds.iter().enumerate() {
            let id = id_of(index as u16)?;
            self.make_thread(id, pd, ticks_per_us);
            self.fixed_slots(id, pd);
        }
        self.channels(spec)?;
        self.children(spec)?;
        self.irq_lines(spec)?;
        self.port_ranges(spec)?;
        for index in 0..spec.pds.len() {
            self.wake(id_of(index as u16)?);
        }
        self.kicks = 0;
        Ok(())
    }

    fn make_thread(&mut self, id: Id, pd: &Pd, ticks_per_us: u64) {
        let (budget, period) = (pd.budget_us.get(), pd.period_us.get());
        let now = self.arch.now();
        let ticks = |us: u64| us.saturating_mul(ticks_per_us);
        let refills = Refills::new(ticks(budget), ticks(period), ticks(MINIMUM_US), now);
        self.contexts[id] =
            SchedulingContext { thread: Some(id), core: pd.core, refills, ..Default::default() };
        let thread = &mut self.threads[id];
        thread.state = State::Running;
        thread.priority = pd.priority;
        thread.core = pd.core;
        thread.sc = Some(id);
        thread.passive = pd.flags & Pd::PASSIVE != 0;
        thread.has_endpoint = pd.flags & Pd::ENDPOINT != 0;
    }

    fn fixed_slots(&mut self, id: Id, pd: &Pd) {
        let input = if pd.flags & Pd::ENDPOINT != 0 {
            Capability::Endpoint { target: id, kind: 0, id: 0 }
        } else {
            Capability::Notification { target: id, bit: u8::MAX }
        };
        let slots = &mut self.capabilities[id];
        slots[slot::INPUT as usize] = input;
        slots[slot::FAULT as usize] = Capability::Monitor;
        slots[slot::VSPACE as usize] = Capability::Inert;
        slots[slot::REPLY as usize] = Capability::Reply(id);
        if pd.flags & Pd::PASSIVE != 0 {
            slots[slot::MONITOR as usize] = Capability::Monitor;
        }
        slots[slot::TCB as usize] = Capability::Thread(id);
    }

    fn channels(&mut self, spec: &Spec<'_>) -> Result<(), ConfigureError> {
        for end in spec.notifies {
            let target = id_of(end.target.get())?;
            let capability = Capability::Notification { target, bit: checked(end.badge_id)? };
            self.set_slot(end.pd.get(), slot::NOTIFY_BASE, end.id, capability)?;
        }
        for end in spec.calls {
            let target = id_of(end.target.get())?;
            let capability = Capability::Endpoint { target, kind: 2, id: checked(end.badge_id)? };
            self.set_slot(end.pd.get(), slot::CALL_BASE, end.id, capability)?;
        }
        Ok(())
    }

    fn children(&mut self, spec: &Spec<'_>) -> Result<(), ConfigureError> {
        for end in spec.children {
            let (parent, child) = (id_of(end.parent.get())?, id_of(end.child.get())?);
            self.set_slot(end.parent.get(), slot::CHILD_BASE, end.id, Capability::Thread(child))?;
            self.threads[child].parent = Some(parent);
            self.threads[child].child_id = checked(end.id)?;
            let fault = Capability::Endpoint { target: parent, kind: 1, id: end.id };
            self.capabilities[child][slot::FAULT as usize] = fault;
        }
        Ok(())
    }

    fn irq_lines(&mut self, spec: &Spec<'_>) -> Result<(), ConfigureError> {
        for (number, end) in spec.irqs.iter().enumerate() {
            let irq = end.irq.get();
            let bad = ConfigureError::BadIrq(irq);
            if number >= MAX_LINES {
                return Err(bad);
            }
            let owner = id_of(end.pd.get())?;
            *self.line_of.get_mut(irq as usize).ok_or(bad)? = number as u8 + 1;
            self.lines[number] = Line { irq, owner: Some(owner), bit: checked(end.id)? };
            self.set_slot(end.pd.get(), slot::IRQ_BASE, end.id, Capability::Irq(number as u8))?;
        }
        Ok(())
    }

    fn port_ranges(&mut self, spec: &Spec<'_>) -> Result<(), ConfigureError> {
        for (number, end) in spec.ports.iter().enumerate() {
            if number >= MAX_PORTS {
                return Err(ConfigureError::TooManyPorts);
            }
            self.ports[number] = PortRange { first: end.first.get(), count: end.count.get() };
            self.set_slot(end.pd.get(), slot::PORT_BASE, end.id, Capability::Ports(number as u8))?;
        }
        Ok(())
    }

    fn set_slot(&mut self, pd: u16, base: u64, id: u8, capability: Capability) -> Result<(), ConfigureError> {
        let slot = base as usize + usize::from(checked(id)?);
        self.capabilities[id_of(pd)?][slot] = capability;
        Ok(())
    }
}

fn id_of(pd: u16) -> Result<Id, ConfigureError> {
    Id::of_pd(usize::from(pd)).ok_or(ConfigureError::TooManyPds)
}

fn checked(id: u8) -> Result<u8, ConfigureError> {
    if u64::from(id) < slot::PER_KIND { Ok(id) } else { Err(ConfigureError::BadId(id)) }
}
