use super::*;
use memory_mmio::fake::Fake;

#[derive(Default)]
struct Model {
    index: u32,
    memory: [u32; 12],
    busy: u32,
}

impl Ports for Model {
    fn read(&mut self, offset: u16, _: u16) -> u32 {
        assert_eq!(offset, DATA);
        if self.index == STATUS_A && self.busy > 0 {
            self.busy -= 1;
            return UPDATING;
        }
        self.memory[self.index as usize]
    }
    fn write(&mut self, offset: u16, _: u16, value: u32) {
        assert_eq!(offset, INDEX);
        self.index = value;
    }
}

fn seconds(date: [u32; 6], format: u32) -> u64 {
    let [year, month, day, hour, minute, second] = date;
    let mut model = Model { busy: 3, ..Model::default() };
    let memory = [(SECOND, second), (MINUTE, minute), (HOUR, hour), (DAY, day), (MONTH, month), (YEAR, year)];
    memory.iter().for_each(|(index, value)| model.memory[*index as usize] = *value);
    model.memory[STATUS_B as usize] = format;
    CmosClock::new(Fake::new(model)).seconds()
}

#[test]
fn dates_are_those_of_the_calendar() {
    let binary = BINARY | DAY_HOURS;
    assert_eq!(seconds([0, 1, 1, 0, 0, 0], binary), 946_684_800);
    assert_eq!(seconds([0, 3, 1, 0, 0, 0], binary), 951_868_800);
    assert_eq!(seconds([24, 2, 29, 12, 30, 59], binary), 1_709_209_859);
    assert_eq!(seconds([99, 12, 31, 23, 59, 59], binary), 4_102_444_799);
}

#[test]
fn all_formats_mean_the_same() {
    let expected = seconds([26, 11, 21, 22, 15, 9], BINARY | DAY_HOURS);
    assert_eq!(seconds([0x26, 0x11, 0x21, 0x22, 0x15, 0x09], DAY_HOURS), expected);
    assert_eq!(seconds([26, 11, 21, 10 | AFTERNOON, 15, 9], BINARY), expected);
    assert_eq!(seconds([0x26, 0x11, 0x21, 0x10 | AFTERNOON, 0x15, 0x09], 0), expected);
    assert_eq!(
        seconds([26, 1, 1, 12, 0, 0], BINARY) + 12 * 3600,
        seconds([26, 1, 1, 12 | AFTERNOON, 0, 0], BINARY)
    );
}

#[test]
fn nonsense_is_no_time() {
    assert_eq!(seconds([0xff, 0xff, 0xff, 0xff, 0xff, 0xff], BINARY), 0);
    assert_eq!(seconds([26, 13, 1, 0, 0, 0], BINARY | DAY_HOURS), 0);
    assert_eq!(seconds([26, 0, 1, 0, 0, 0], BINARY | DAY_HOURS), 0);
}
