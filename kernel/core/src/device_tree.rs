//! The few facts the kernel takes from a flattened device tree: memory, cores and how to call the firmware.
//!
//! One design rule: the tree is untrusted input; every read is checked, and what is missing stays empty.
//! Format: Devicetree Specification 0.4, chapter 5. Limits: the first memory node's first bank, eight cores.

/// Instruction that reaches PSCI firmware.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conduit {
    /// `hvc #0`
    Hvc,
    /// `smc #0`
    Smc,
}

/// What the tree says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// First address and size of RAM.
    pub memory: Option<(u64, u64)>,
    /// `reg` of each core (its affinity), in order.
    pub cores: [u64; 8],
    /// Valid entries of `cores`.
    pub core_count: usize,
    /// How to call PSCI.
    pub psci: Option<Conduit>,
}

const MAGIC: u32 = 0xd00d_feed;
const BEGIN_NODE: u32 = 1;
const END_NODE: u32 = 2;
const PROPERTY: u32 = 3;
const NOP: u32 = 4;

/// Bytes of the whole tree, from its first eight bytes; `None` when they are not a tree's.
pub fn total_size(header: &[u8]) -> Option<usize> {
    (word(header, 0)? == MAGIC).then_some(word(header, 4)? as usize)
}

/// Reads the facts; `None` when the bytes are not a device tree or end too early.
pub fn read(tree: &[u8]) -> Option<Facts> {
    total_size(tree)?;
    let mut walk =
        Walk { tree, at: word(tree, 8)? as usize, strings: word(tree, 12)? as usize, ..Walk::default() };
    while walk.step()? {}
    Some(walk.facts)
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Node {
    #[default]
    Other,
    Memory,
    Psci,
    Cpus,
    Cpu,
}

#[derive(Default)]
struct Walk<'a> {
    tree: &'a [u8],
    at: usize,
    strings: usize,
    depth: usize,
    /// Kinds of the nodes at depths 1 and 2.
    top: Node,
    inner: Node,
    /// `#address-cells` and `#size-cells` of the root, `#address-cells` of `/cpus`.
    cells: [u32; 3],
    facts: Facts,
}

impl<'a> Walk<'a> {
    /// Takes one token; false at the end.
    fn step(&mut self) -> Option<bool> {
        let token = word(self.tree, self.at)?;
        self.at += 4;
        match token {
            BEGIN_NODE => self.begin()?,
            END_NODE => self.depth = self.depth.checked_sub(1)?,
            PROPERTY => self.property()?,
            NOP => {}
            _ => return Some(false),
        }
        Some(self.depth > 0)
    }

    fn begin(&mut self) -> Option<()> {
        let name = text(self.tree, self.at)?;
        self.at = (self.at + name.len() + 4) & !3;
        match self.depth {
            0 => self.cells = [2, 1, 1],
            1 => {
                self.inner = Node::Other;
                self.top = match name {
                    b"cpus" => Node::Cpus,
                    b"psci" => Node::Psci,
                    _ if name == b"memory" || name.starts_with(b"memory@") => Node::Memory,
                    _ => Node::Other,
                };
            }
            2 => {
                let cpu = self.top == Node::Cpus && name.starts_with(b"cpu@");
                self.inner = if cpu { Node::Cpu } else { Node::Other };
            }
            _ => {}
        }
        self.depth += 1;
        Some(())
    }

    fn property(&mut self) -> Option<()> {
        let length = word(self.tree, self.at)? as usize;
        let name = text(self.tree, self.strings.checked_add(word(self.tree, self.at + 4)? as usize)?)?;
        let value = self.tree.get(self.at + 8..(self.at + 8).checked_add(length)?)?;
        self.at = (self.at + 8 + length + 3) & !3;
        match (self.depth, self.top, name) {
            (1, _, b"#address-cells") => self.cells[0] = word(value, 0)?,
            (1, _, b"#size-cells") => self.cells[1] = word(value, 0)?,
            (2, Node::Cpus, b"#address-cells") => self.cells[2] = word(value, 0)?,
            (2, Node::Memory, b"reg") if self.facts.memory.is_none() => self.memory(value),
            (2, Node::Psci, b"method") => self.conduit(value),
            (3, Node::Cpus, b"reg") if self.inner == Node::Cpu => self.core(value),
            _ => {}
        }
        Some(())
    }

    fn memory(&mut self, value: &[u8]) {
        let base = number(value, 0, self.cells[0]);
        let size = number(value, self.cells[0] as usize * 4, self.cells[1]);
        self.facts.memory = base.zip(size);
    }

    fn conduit(&mut self, value: &[u8]) {
        self.facts.psci = match value {
            b"hvc\0" => Some(Conduit::Hvc),
            b"smc\0" => Some(Conduit::Smc),
            _ => None,
        };
    }

    fn core(&mut self, value: &[u8]) {
        let slot = self.facts.cores.get_mut(self.facts.core_count);
        if let (Some(slot), Some(affinity)) = (slot, number(value, 0, self.cells[2])) {
            *slot = affinity;
            self.facts.core_count += 1;
        }
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    let bytes = bytes.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

fn number(bytes: &[u8], at: usize, cells: u32) -> Option<u64> {
    match cells {
        1 => word(bytes, at).map(u64::from),
        2 => Some(u64::from(word(bytes, at)?) << 32 | u64::from(word(bytes, at + 4)?)),
        _ => None,
    }
}

fn text(bytes: &[u8], at: usize) -> Option<&[u8]> {
    let rest = bytes.get(at..)?;
    rest.get(..rest.iter().position(|byte| *byte == 0)?)
}
