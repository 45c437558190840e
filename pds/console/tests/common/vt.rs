//! As much of a terminal as the console uses: what a person would see.

/// A screen of `columns` columns and as many rows as needed.
pub struct Vt {
    columns: usize,
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
}

impl Vt {
    /// What a terminal shows after `bytes`.
    pub fn show(columns: usize, text: &str) -> Self {
        let mut vt = Self { columns, rows: vec![vec![' '; columns]], row: 0, column: 0 };
        let mut rest = text.chars();
        while let Some(c) = rest.next() {
            match c {
                '\r' => vt.column = 0,
                '\n' => vt.down(),
                '\x08' => vt.column = vt.column.min(columns - 1).saturating_sub(1),
                '\x07' => {}
                '\x1b' => {
                    assert_eq!(rest.next(), Some('['));
                    vt.sequence(&sequence(&mut rest));
                }
                c => vt.put(c),
            }
        }
        vt
    }

    fn down(&mut self) {
        self.row += 1;
        if self.row == self.rows.len() {
            self.rows.push(vec![' '; self.columns]);
        }
    }

    fn put(&mut self, c: char) {
        let width = pds_console::editor::width(c);
        if self.column + width > self.columns {
            self.column = 0;
            self.down();
        }
        if width > 0 {
            self.rows[self.row][self.column] = c;
        }
        if width == 2 {
            self.rows[self.row][self.column + 1] = '\0';
        }
        self.column += width;
    }

    fn sequence(&mut self, sequence: &str) {
        let (numbers, kind) = sequence.split_at(sequence.len() - 1);
        let n = numbers.parse().unwrap_or(1);
        let column = self.column.min(self.columns - 1);
        match kind {
            "A" => self.row -= n,
            "B" => {
                self.row += n;
                assert!(self.row < self.rows.len(), "moves below what was written");
            }
            "C" => self.column = (column + n).min(self.columns - 1),
            "D" => self.column = column - n,
            "H" => (self.row, self.column) = (0, 0),
            "K" => self.rows[self.row][column..].fill(' '),
            "J" => {
                if numbers == "2" {
                    self.rows.iter_mut().for_each(|row| row.fill(' '));
                } else {
                    self.rows[self.row][column..].fill(' ');
                    self.rows[self.row + 1..].iter_mut().for_each(|row| row.fill(' '));
                }
            }
            "n" => {}
            other => panic!("a sequence that terminals may not know: {other}"),
        }
    }

    /// The rows, without what is empty at their ends.
    pub fn text(&self) -> String {
        let rows = self.rows.iter().map(|row| row.iter().filter(|c| **c != '\0').collect::<String>());
        let text = rows.map(|row| row.trim_end().to_owned()).collect::<Vec<_>>().join("\n");
        text.trim_end().to_owned()
    }

    /// The rows as one line.
    pub fn joined(&self) -> String {
        self.rows.iter().flatten().filter(|c| **c != '\0').collect::<String>().trim_end().to_owned()
    }

    /// Row and column of the cursor.
    pub fn cursor(&self) -> (usize, usize) {
        (self.row, self.column)
    }
}

/// The rest of a control sequence, with the letter that ends it.
fn sequence(rest: &mut impl Iterator<Item = char>) -> String {
    let mut taken = String::new();
    for c in rest {
        taken.push(c);
        if c.is_ascii_alphabetic() {
            break;
        }
    }
    taken
}
