// SPDX-License-Identifier: MIT
//! Names that were meant, by edit distance. A suggestion is shown, never executed.

/// Longest word that is compared, in bytes.
const LONGEST: usize = 24;

/// Insertions, deletions, substitutions and swaps of neighbours that make `b` of `a`; `None` for words that are too long.
pub fn distance(a: &str, b: &str) -> Option<usize> {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() > LONGEST || b.len() > LONGEST {
        return None;
    }
    let mut rows = [[0; LONGEST + 1]; 3];
    rows[0] = core::array::from_fn(|j| j);
    for i in 1..=a.len() {
        rows.rotate_right(1);
        rows[0][0] = i;
        for j in 1..=b.len() {
            let cost = usize::from(a[i - 1] != b[j - 1]);
            let best = (rows[1][j] + 1).min(rows[0][j - 1] + 1).min(rows[1][j - 1] + cost);
            let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            rows[0][j] = if swapped { best.min(rows[2][j - 2] + 1) } else { best };
        }
    }
    Some(rows[0][b.len()])
}

/// The name nearest to `word`, if it is at most `most` edits away.
pub fn nearest<'n>(word: &str, names: impl IntoIterator<Item = &'n str>, most: usize) -> Option<&'n str> {
    let distances = names.into_iter().filter_map(|name| Some((distance(word, name)?, name)));
    distances.filter(|(edits, _)| *edits <= most).min_by_key(|(edits, _)| *edits).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted_as_people_mistype() {
        for (a, b, edits) in [
            ("status", "status", 0),
            ("stauts", "status", 1),
            ("staus", "status", 1),
            ("statsu", "status", 1),
            ("modles", "models", 1),
            ("hlep", "help", 1),
            ("hello", "help", 2),
            ("", "abc", 3),
        ] {
            assert_eq!(distance(a, b), Some(edits), "{a} {b}");
        }
        assert_eq!(distance(&"x".repeat(25), "x"), None);
    }

    #[test]
    fn the_nearest_name_wins() {
        let names = ["models", "model", "mem"];
        assert_eq!(nearest("modl", names, 2), Some("model"));
        assert_eq!(nearest("xyzzy", names, 2), None);
    }
}
