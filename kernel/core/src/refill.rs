//! Budgets: constant-bandwidth refills as seL4 MCS keeps them for Microkit (two refills, none extra).
//!
//! One design rule: the amounts of all refills always add up to the budget, so no period ever gives more.

/// An amount of time that may be used from a moment on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Refill {
    time: u64,
    amount: u64,
}

/// The refills of one scheduling context, in ticks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Refills {
    budget: u64,
    period: u64,
    /// Smallest amount worth switching to a thread for.
    minimum: u64,
    head: Refill,
    /// The later refill; its amount is 0 when there is none.
    tail: Refill,
}

impl Refills {
    pub const NONE: Self = Self {
        budget: 0,
        period: 0,
        minimum: 0,
        head: Refill { time: 0, amount: 0 },
        tail: Refill { time: 0, amount: 0 },
    };

    /// A full budget, usable from `now`. `minimum` is cut to the budget.
    pub fn new(budget: u64, period: u64, minimum: u64, now: u64) -> Self {
        let budget = budget.max(1);
        let head = Refill { time: now, amount: budget };
        Self {
            budget,
            period: period.max(budget),
            minimum: minimum.clamp(1, budget),
            head,
            tail: Refill::default(),
        }
    }

    /// A budget as long as its period: the thread shares its core with its equals in turn and is never held back.
    #[inline(always)]
    pub fn is_round_robin(&self) -> bool {
        self.budget == self.period
    }

    /// Whether it may be used now.
    #[inline(always)]
    pub fn is_ready(&self, now: u64) -> bool {
        self.is_round_robin() || self.head.time <= now
    }

    /// When it may be used next.
    pub fn ready_at(&self) -> u64 {
        self.head.time
    }

    /// How long it may be used from the moment it is ready.
    #[inline(always)]
    pub fn available(&self) -> u64 {
        self.head.amount
    }

    /// How long it may be used before the kernel looks again: a little less than [`Refills::available`], so that a
    /// late interrupt does not overrun it and split the next refill.
    #[inline(always)]
    pub fn turn(&self) -> u64 {
        self.head.amount.saturating_sub(self.minimum / 2)
    }

    /// Charges `used` ticks.
    #[inline]
    pub fn charge(&mut self, used: u64) {
        if self.is_round_robin() {
            self.head.amount = self.head.amount.saturating_sub(used);
        } else {
            self.charge_window(used);
        }
    }

    /// Whether a thread's turn among its equals is over; starts the next turn.
    pub fn end_turn(&mut self) -> bool {
        let over = self.is_round_robin() && self.head.amount < self.minimum;
        if over {
            self.head.amount = self.budget;
        }
        over
    }

    fn charge_window(&mut self, mut used: u64) {
        while self.head.amount <= used {
            used -= self.head.amount;
            let spent = Refill { time: self.head.time.saturating_add(self.period), amount: self.head.amount };
            if self.tail.amount == 0 {
                self.head = spent;
            } else {
                self.pop();
                self.schedule(spent);
            }
        }
        if used > 0 {
            let spent = Refill { time: self.head.time.saturating_add(self.period), amount: used };
            self.head.amount -= used;
            self.head.time = self.head.time.saturating_add(used);
            self.schedule(spent);
        }
        if self.head.amount < self.minimum && self.tail.amount > 0 {
            let head = self.head;
            self.pop();
            self.head.amount += head.amount;
            self.head.time = self.head.time.saturating_sub(head.amount);
        }
    }

    fn pop(&mut self) {
        self.head = self.tail;
        self.tail = Refill::default();
    }

    fn schedule(&mut self, refill: Refill) {
        let last = if self.tail.amount > 0 { &mut self.tail } else { &mut self.head };
        if last.time.saturating_add(last.amount) >= refill.time {
            last.amount += refill.amount;
        } else if self.tail.amount == 0 {
            self.tail = refill;
        } else {
            self.tail.time = refill.time.saturating_sub(self.tail.amount);
            self.tail.amount += refill.amount;
        }
    }

    /// The thread starts to use it now: earlier time is lost, refills that overlap become one.
    #[inline]
    pub fn start(&mut self, now: u64) {
        if self.is_round_robin() || self.head.time > now {
            return;
        }
        self.head.time = now;
        if self.tail.amount > 0 && self.tail.time <= now.saturating_add(self.head.amount) {
            self.head.amount += self.tail.amount;
            self.tail = Refill::default();
        }
    }

    /// All refills together: always the budget (a round-robin context counts as full).
    #[cfg(test)]
    pub fn total(&self) -> u64 {
        if self.is_round_robin() { self.budget } else { self.head.amount + self.tail.amount }
    }

    #[cfg(test)]
    pub fn budget(&self) -> u64 {
        self.budget
    }
}
